package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"time"
)

// MostDays is how many days a certificate of the profile may have at most that
// is issued at at.
func (p Profile) MostDays(at time.Time) int { return p.mostDays(at) }

// Usage is what a key of that kind may be used for.
func (p Profile) Usage(k Key) x509.KeyUsage { return p.usage(k) }

// NamesKey tells whether certificates of the profile carry the identifier of
// their key.
func (p Profile) NamesKey() bool { return !p.noKeyName }

// OfPerson tells whether a given name or a surname must be in the Subject.
func (p Profile) OfPerson() bool { return p.person }

// Attribute is what may stand in the Subject of a profile.
type Attribute struct {
	OID     asn1.ObjectIdentifier
	Tag     int // the type of its text where it is fixed, else 0: PrintableString or UTF8String
	Longest int // in characters
	Needed  bool
}

// Attributes are all that may stand in the Subject.
func (p Profile) Attributes() []Attribute {
	all := make([]Attribute, len(p.Subject))
	for i, a := range p.Subject {
		all[i] = Attribute{OID: a.oid, Tag: a.tag, Longest: a.longest, Needed: a.needed}
	}
	return all
}

// Server tells whether s is a server's name as certificates carry it, and Mailbox
// whether it is a mailbox's.
func Server(s string) bool  { return canonicalDNS(s) }
func Mailbox(s string) bool { return checkEmails([]string{s}) == nil }

// NameText is the DER of a distinguished name as people read it.
func NameText(der []byte) (string, error) {
	parts, err := attributes(der)
	return strings.Join(parts, ", "), err
}
