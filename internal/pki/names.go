package pki

import (
	"encoding/asn1"
	"errors"
	"net"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names are what a certificate may speak for, as text.
type Names struct {
	DNS    []string
	Emails []string
	IPs    []string
}

// alternatives is a subjectAltName (RFC 5280, 4.2.1.6) read apart.
type alternatives struct {
	Names
	uris   []string
	others []string // the kinds of names that have no place here: "otherName", "directoryName"
}

// The tags of GeneralName.
const (
	tagOther = iota
	tagEmail
	tagDNS
	tagX400
	tagDirectory
	tagEDI
	tagURI
	tagIP
	tagRegistered
)

var otherNames = map[int]string{
	tagOther: "otherName", tagX400: "x400Address", tagDirectory: "directoryName",
	tagEDI: "ediPartyName", tagRegistered: "registeredID",
}

var errNames = errors.New("the subjectAltName is damaged")

// readAlternatives reads the value of a subjectAltName extension. Text comes
// out as shown says, so that no name turns into another one by cleaning.
func readAlternatives(der []byte) (alternatives, error) {
	var all []asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &all); err != nil || len(rest) > 0 {
		return alternatives{}, errNames
	}
	var a alternatives
	seen := map[string]bool{}
	for _, v := range all {
		if seen[string(v.FullBytes)] {
			continue
		}
		seen[string(v.FullBytes)] = true
		if v.Class != asn1.ClassContextSpecific {
			return alternatives{}, errNames
		}
		switch text := shown(string(v.Bytes)); v.Tag {
		case tagEmail:
			a.Emails = append(a.Emails, text)
		case tagDNS:
			a.DNS = append(a.DNS, text)
		case tagURI:
			a.uris = append(a.uris, text)
		case tagIP:
			a.IPs = append(a.IPs, shown(net.IP(v.Bytes).String()))
		default:
			kind, known := otherNames[v.Tag]
			if !known {
				return alternatives{}, errNames
			}
			a.others = add(a.others, kind)
		}
	}
	return a, nil
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// mostShown is how much of a name a page shows, in characters: more than any
// name has that a certificate may carry.
const mostShown = 255

// shown is s as a page can show it. What cannot be shown becomes U+FFFD and
// what is too long ends in an ellipsis: neither can pass for a good name.
func shown(s string) string {
	s = printable(s)
	if runes := []rune(s); len(runes) > mostShown {
		return string(runes[:mostShown]) + "…"
	}
	return s
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}
