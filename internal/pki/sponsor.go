package pki

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Sponsor is an organisation that vouches for a person, as certificates name it.
type Sponsor struct {
	Organisation string
	Identifier   string // organizationIdentifier (S/MIME BR 7.1.4.2.2)
	Country      string // two capitals; empty: left out
}

// identifierShapes are the forms of an organizationIdentifier: of a register, of
// taxes, of a public body, of an organisation between states, of the legal
// entity system (S/MIME BR appendix A).
var identifierShapes = []*regexp.Regexp{
	regexp.MustCompile(`^NTR([A-Z]{2})(\+[A-Z0-9]{1,3})?-[A-Za-z0-9][A-Za-z0-9./ _-]{0,200}$`),
	regexp.MustCompile(`^VAT([A-Z]{2})-[A-Z0-9]{2,20}$`),
	regexp.MustCompile(`^GOV([A-Z]{2})(\+[A-Z0-9]{1,3})?$`),
	regexp.MustCompile(`^INT(XG)$`),
	regexp.MustCompile(`^LEI(XG)-[A-Z0-9]{18}[0-9]{2}$`),
}

// IdentifierCountry is the country that an organizationIdentifier names, "XG" of
// one that belongs to none; ok is false for what is no identifier.
func IdentifierCountry(id string) (country string, ok bool) {
	for _, shape := range identifierShapes {
		if m := shape.FindStringSubmatch(id); m != nil {
			return m[1], true
		}
	}
	return "", false
}

// Usable tells whether certificates can name the sponsor: its identifier has the
// proper form, agrees with the country, and its name is no longer than 64
// characters. Beside an identifier that belongs to no country any country may stand.
func (s Sponsor) Usable() bool {
	in, ok := IdentifierCountry(s.Identifier)
	fits := strings.TrimSpace(s.Organisation) != "" && utf8.RuneCountInString(s.Organisation) <= 64
	return ok && fits && (in == "XG" || s.Country == "" || in == s.Country)
}
