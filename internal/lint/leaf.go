package lint

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"time"

	"petschaft/internal/pki"
)

// leaf is a certificate that was read for the rules to look at.
type leaf struct {
	Case
	x       *x509.Certificate
	subject []attribute
	names   []asn1.RawValue // of the subjectAltName
	key     pki.Key
	keyErr  error // what is wrong with the key
}

// attribute is one value in the Subject. Of an RDN with more than one all are
// joined.
type attribute struct {
	oid    asn1.ObjectIdentifier
	value  asn1.RawValue
	joined bool
}

func (a attribute) text() string { return string(a.value.Bytes) }

func (c Case) read() (leaf, error) {
	l := leaf{Case: c}
	var err error
	if l.x, err = x509.ParseCertificate(c.DER); err != nil {
		return l, err
	}
	if l.At.IsZero() {
		l.At = l.x.NotBefore
	}
	if l.subject, err = readSubject(l.x.RawSubject); err != nil {
		return l, err
	}
	for _, e := range l.x.Extensions {
		if e.Id.Equal(oidAlternative) {
			if _, err := asn1.Unmarshal(e.Value, &l.names); err != nil {
				return l, err
			}
		}
	}
	if l.key, l.keyErr = pki.ReadKey(l.x.RawSubjectPublicKeyInfo); l.keyErr == nil {
		l.keyErr = l.key.Check()
	}
	return l, nil
}

func readSubject(der []byte) (all []attribute, err error) {
	var sets []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &sets); err != nil {
		return nil, err
	}
	for _, set := range sets {
		rest, n := set.Bytes, 0
		for len(rest) > 0 {
			var one struct {
				Type  asn1.ObjectIdentifier
				Value asn1.RawValue
			}
			if rest, err = asn1.Unmarshal(rest, &one); err != nil {
				return nil, err
			}
			all = append(all, attribute{oid: one.Type, value: one.Value, joined: n > 0})
			n++
		}
		if n == 0 {
			return nil, errors.New("an empty RDN")
		}
	}
	return all, nil
}

// of are the values of one type.
func (l leaf) of(oid asn1.ObjectIdentifier) (texts []string) {
	for _, a := range l.subject {
		if a.oid.Equal(oid) {
			texts = append(texts, a.text())
		}
	}
	return texts
}

// The tags of GeneralName (RFC 5280, 4.2.1.6).
const (
	tagMailbox = 1
	tagServer  = 2
)

// named are the names of one kind in the subjectAltName.
func (l leaf) named(tag int) (texts []string) {
	for _, n := range l.names {
		if n.Tag == tag && n.Class == asn1.ClassContextSpecific {
			texts = append(texts, string(n.Bytes))
		}
	}
	return texts
}

// kind is the kind of names that the profile is for.
func (l leaf) kind() int {
	if l.Profile.Servers {
		return tagServer
	}
	return tagMailbox
}

// days is how many days the certificate lives; a part of one counts as one.
func (l leaf) days() int {
	const day = 24 * time.Hour
	lasts := l.x.NotAfter.Sub(l.x.NotBefore) + time.Second
	return int((lasts + day - 1) / day)
}

// extension is the one called oid, nil when there is none.
func (l leaf) extension(oid asn1.ObjectIdentifier) (found []byte, critical, ok bool) {
	for _, e := range l.x.Extensions {
		if e.Id.Equal(oid) {
			return e.Value, e.Critical, true
		}
	}
	return nil, false, false
}

var (
	oidCommonName  = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSurname     = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidGivenName   = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidCountry     = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrgID       = asn1.ObjectIdentifier{2, 5, 4, 97}
	oidEmail       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	oidKeyName     = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidUsage       = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidAlternative = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasic       = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidCRL         = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies    = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidIssuerKey   = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidPurposes    = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidAccess      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
)
