package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	"petschaft/internal/fault"
)

// Difference is one thing about a certificate that is not as it was asked for:
// its message, and what was wanted and what came as text for officers.
type Difference struct {
	Code       string `json:"code"` // "pki.answer.key"
	Wanted     string `json:"wanted"`
	Came       string `json:"came"`
	ForeignKey bool   `json:"foreignKey,omitempty"` // somebody else's certificate: nobody may accept it
}

// Differences are all that keep c, which came at at, from being what r asked for;
// none: it is. Its serial and its issuer are the authority's own. Always the key
// is equal, the subjectAltName holds the names of r and nothing else, it is no
// authority's, lives no longer than its profile may, has begun an hour after at
// at the latest and not ended. Our own authority gives the whole Subject and
// exactly the purposes. One outside may leave parts of the Subject and purposes
// out, but not the main purpose, and it adds none; what it adds to the Subject
// names nobody: of a mailbox nothing but an address of it, of a person and of a
// server their organisation. Without a time the beginning and end do not count.
func Differences(r Request, c Certificate, own bool, at time.Time) []Difference {
	j := judgement{r: r, c: c, own: own, at: at}
	j.profile, _ = r.Profile.Profile()
	return slices.Concat(j.key(), j.names(), j.subject(), j.use(), j.life())
}

// Matches refuses, as a conflict, a certificate of our own authority that is not
// what r asked for: see Differences.
func Matches(r Request, c Certificate) error {
	j := judgement{r: r, c: c, own: true}
	var known bool
	if j.profile, known = r.Profile.Profile(); !known {
		return fmt.Errorf("no profile is called %q", r.Profile)
	}
	switch {
	case len(j.key()) > 0:
		return fault.New(fault.Conflict, "pki.answer.key")
	case len(j.names()) > 0 || len(j.subject()) > 0:
		return fault.New(fault.Conflict, "pki.answer.names")
	case len(j.use()) > 0 || len(j.life()) > 0:
		return fault.New(fault.Conflict, "pki.answer.profile")
	}
	return nil
}

// judgement holds a certificate against a request; the profile of one that is
// unknown allows nothing.
type judgement struct {
	r       Request
	c       Certificate
	profile Profile
	own     bool
	at      time.Time
}

func (j judgement) key() []Difference {
	if j.r.Key.Equal(j.c.Key) {
		return nil
	}
	said := func(k Key) string { return k.Algorithm + " " + Colons(k.Fingerprint[:]) }
	return []Difference{{Code: "pki.answer.key", Wanted: said(j.r.Key), Came: said(j.c.Key), ForeignKey: true}}
}

func (j judgement) names() []Difference {
	if sameTexts(j.r.Emails, j.c.Emails) && sameTexts(j.r.DNS, j.c.DNS) && len(j.c.otherNames) == 0 {
		return nil
	}
	list := func(all ...[]string) string { return strings.Join(slices.Concat(all...), ", ") }
	return []Difference{{Code: "pki.answer.names", Wanted: list(j.r.Emails, j.r.DNS), Came: list(j.c.Emails, j.c.DNS, j.c.otherNames)}}
}

func (j judgement) subject() []Difference {
	want, _ := j.profile.subject(j.r) // one that cannot be written is no certificate's
	if j.own {
		if sameSubject(want, j.c.rawSubject) {
			return nil
		}
		return []Difference{{Code: "pki.answer.subject", Wanted: subjectText(want), Came: j.c.Subject}}
	}
	parts, err := readName(j.c.rawSubject)
	if err == nil && !slices.ContainsFunc(parts, func(p namePart) bool { return !j.bears(p.oid, p.text) }) {
		return nil
	}
	code := "pki.answer.person"
	switch {
	case j.profile.Servers:
		code = "pki.answer.server"
	case j.profile.namesMailbox():
		code = "pki.answer.mailbox"
	}
	return []Difference{{Code: code, Wanted: subjectText(want), Came: j.c.Subject}}
}

// bears tells whether the Subject of an authority outside may hold that.
func (j judgement) bears(oid asn1.ObjectIdentifier, text string) bool {
	r, is := j.r, func(all ...asn1.ObjectIdentifier) bool { return slices.ContainsFunc(all, oid.Equal) }
	same := func(asked ...string) bool {
		return slices.ContainsFunc(asked, func(s string) bool { return strings.TrimSpace(s) == text })
	}
	switch {
	case j.profile.namesMailbox(): // S/MIME BR 7.1.4.2.3; a common name is tolerated where it says the same
		return is(oidCommonName, oidEmail) && same(r.Emails...)
	case is(oidCommonName) && j.profile.Servers:
		return same(r.DNS...)
	case is(oidCommonName):
		return same(r.CommonName, r.GivenName+" "+r.Surname) // some authorities put it together
	case is(oidGivenName):
		return same(r.GivenName)
	case is(oidSurname):
		return same(r.Surname)
	case is(oidEmail):
		return same(r.Emails...)
	}
	return is(oidCountry, oidState, oidLocality, oidOrg, oidOrgID, oidUnit)
}

// namesMailbox tells whether nothing but an address stands in the Subject.
func (p Profile) namesMailbox() bool {
	return len(p.Subject) == 1 && p.Subject[0].oid.Equal(oidEmail)
}

// use is that it is an authority's, or for something else.
func (j judgement) use() (all []Difference) {
	if j.c.isCA {
		all = append(all, Difference{Code: "pki.answer.authority", Wanted: "CA:FALSE", Came: "CA:TRUE"})
	}
	want, came := j.profile.Purposes, j.c.purposes
	fits := sameTexts(purposeTexts(want), purposeTexts(came))
	if !j.own && len(want) > 0 {
		beyond := func(u x509.ExtKeyUsage) bool { return !slices.Contains(want, u) }
		fits = slices.Contains(came, want[0]) && !slices.ContainsFunc(came, beyond)
	}
	if !fits {
		all = append(all, Difference{
			Code: "pki.answer.purposes", Wanted: strings.Join(purposeTexts(want), ", "), Came: strings.Join(purposeTexts(came), ", "),
		})
	}
	return all
}

// late is how long after it came a certificate may begin, for clocks that are
// ahead.
const late = time.Hour

func (j judgement) life() (all []Difference) {
	from, to := j.c.NotBefore, j.c.NotAfter
	if lasts, most := to.Sub(from)+time.Second, j.mostDays(); lasts <= 0 || lasts > time.Duration(most)*day {
		all = append(all, Difference{
			Code: "pki.answer.lasts", Wanted: fmt.Sprintf("≤ %d d", most), Came: fmt.Sprintf("%s – %s", moment(from), moment(to)),
		})
	}
	if j.at.IsZero() {
		return all
	}
	if most := j.at.Add(late); from.After(most) {
		all = append(all, Difference{Code: "pki.answer.begins", Wanted: "≤ " + moment(most), Came: moment(from)})
	}
	if to.Before(j.at) {
		all = append(all, Difference{Code: "pki.answer.ended", Wanted: "≥ " + moment(j.at), Came: moment(to)})
	}
	return all
}

// mostDays is what it may have when it begins and, of our own authority, also
// where the intent says.
func (j judgement) mostDays() int {
	switch {
	case j.profile.mostDays == nil:
		return 0
	case j.own:
		return min(j.profile.mostDays(j.c.NotBefore), j.profile.mostDays(j.r.NotBefore))
	}
	return j.profile.mostDays(j.c.NotBefore)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func purposeTexts(all []x509.ExtKeyUsage) (texts []string) {
	for _, u := range all {
		texts = append(texts, u.String())
	}
	return texts
}

func subjectText(der []byte) string {
	text, _ := NameText(der)
	return text
}

// sameSubject compares by attributes and their text, because an authority
// chooses string types and order itself.
func sameSubject(a, b []byte) bool {
	x, errX := attributes(a)
	y, errY := attributes(b)
	return errX == nil && errY == nil && (bytes.Equal(a, b) || sameTexts(x, y))
}

// sameTexts tells whether both hold the same, in whatever order.
func sameTexts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
