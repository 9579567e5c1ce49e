package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"net"
	"slices"
	"strings"
)

var (
	oidCommonName  = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSurname     = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidGivenName   = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidEmail       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	oidCountry     = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrg         = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOrgID       = asn1.ObjectIdentifier{2, 5, 4, 97}
	oidUnit        = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidLocality    = asn1.ObjectIdentifier{2, 5, 4, 7}
	oidState       = asn1.ObjectIdentifier{2, 5, 4, 8}
	oidSubjectKey  = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidAlternative = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasic       = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidPurposes    = asn1.ObjectIdentifier{2, 5, 29, 37}

	oidChallengePassword   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}
	oidExtensionRequest    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	oidExtensionsMicrosoft = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14} // the same, before RFC 2985
)

// attributeNames are the usual short names of what stands in a Subject.
var attributeNames = []struct {
	oid  asn1.ObjectIdentifier
	name string
}{
	{oidCommonName, "CN"},
	{oidGivenName, "GN"},
	{oidSurname, "SN"},
	{oidEmail, "E"},
	{oidCountry, "C"},
	{oidOrg, "O"},
	{oidOrgID, "organizationIdentifier"},
	{oidUnit, "OU"},
	{oidLocality, "L"},
	{oidState, "ST"},
}

func attributeName(oid asn1.ObjectIdentifier) string {
	for _, a := range attributeNames {
		if a.oid.Equal(oid) {
			return a.name
		}
	}
	return oid.String()
}

// elements are the values one after the other in der; whole is false where
// something is no value, and what follows it is lost.
func elements(der []byte) (all []asn1.RawValue, whole bool) {
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return all, false
		}
		all, der = append(all, v), rest
	}
	return all, true
}

// pair is what Subjects, attributes and extensions consist of: a type, and its
// value at the end.
func pair(v asn1.RawValue) (oid asn1.ObjectIdentifier, value asn1.RawValue, ok bool) {
	all, whole := elements(v.Bytes)
	if !whole || len(all) < 2 {
		return nil, value, false
	}
	_, err := asn1.Unmarshal(all[0].FullBytes, &oid)
	return oid, all[len(all)-1], err == nil
}

// odd notes that a part of the request could not be read.
func (c *CSR) odd(part string) { c.drop("pki.dropped.odd", "part", part) }

// readSubject takes the first common name and notes what else was asked for.
func (c *CSR) readSubject(subject asn1.RawValue) {
	var rest []string
	seen := false
	sets, fine := elements(subject.Bytes)
	for _, set := range sets {
		parts, whole := elements(set.Bytes)
		fine = fine && whole
		for _, part := range parts {
			oid, value, ok := pair(part)
			switch text := shown(plainText(value)); {
			case !ok:
				fine = false
			case oid.Equal(oidCommonName) && seen:
				c.drop("pki.dropped.second_common_name", "name", text)
			case oid.Equal(oidCommonName):
				c.CommonName, seen = text, true
			case oid.Equal(oidEmail):
				c.drop("pki.dropped.subject_email", "name", text)
			default:
				rest = add(rest, attributeName(oid))
			}
		}
	}
	if len(rest) > 0 {
		c.drop("pki.dropped.subject", "attributes", strings.Join(rest, ", "))
	}
	if !fine {
		c.odd("Subject")
	}
}

// readAttributes reads the extensions asked for, wherever they stand, and notes
// a password.
func (c *CSR) readAttributes(field asn1.RawValue) {
	all, fine := elements(field.Bytes)
	for _, a := range all {
		oid, values, ok := pair(a)
		switch {
		case !ok:
			fine = false
		case oid.Equal(oidChallengePassword):
			c.drop("pki.dropped.challenge_password")
		case oid.Equal(oidExtensionRequest), oid.Equal(oidExtensionsMicrosoft):
			lists, whole := elements(values.Bytes)
			for _, list := range lists {
				extensions, sound := elements(list.Bytes)
				whole = whole && sound && c.readExtensions(extensions)
			}
			fine = fine && whole
		}
	}
	if !fine {
		c.odd("Attributes")
	}
}

// readExtensions takes the names asked for and notes what else was; fine is
// false where one is no extension.
func (c *CSR) readExtensions(extensions []asn1.RawValue) (fine bool) {
	fine = true
	for _, e := range extensions {
		oid, value, ok := pair(e)
		if !ok || value.Tag != asn1.TagOctetString {
			fine = false
			continue
		}
		var err error
		switch {
		case oid.Equal(oidAlternative):
			err = c.readNames(value.Bytes)
		case oid.Equal(oidBasic):
			err = c.readBasic(value.Bytes)
		case oid.Equal(oidKeyUsage):
			err = c.readUsage(value.Bytes)
		case oid.Equal(oidPurposes):
			err = c.readPurposes(value.Bytes)
		case oid.Equal(oidSubjectKey):
		default:
			c.drop("pki.dropped.extension", "oid", oid.String())
		}
		if err != nil {
			c.odd(extensionNames[oid.String()])
		}
	}
	return fine
}

// extensionNames are what the trade calls those that are read here.
var extensionNames = map[string]string{
	oidAlternative.String(): "subjectAltName", oidBasic.String(): "basicConstraints",
	oidKeyUsage.String(): "keyUsage", oidPurposes.String(): "extendedKeyUsage",
}

// readNames adds what a subjectAltName holds. Blanks and commas divide the names
// of servers: some programs write a whole list into one.
func (c *CSR) readNames(der []byte) error {
	a, err := readAlternatives(der)
	if err != nil {
		return err
	}
	for _, text := range a.DNS {
		c.Asked.DNS = append(c.Asked.DNS, strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;", r) })...)
	}
	c.Asked.Emails = append(c.Asked.Emails, a.Emails...)
	c.Asked.IPs = append(c.Asked.IPs, a.IPs...)
	for _, uri := range a.uris {
		c.drop("pki.dropped.uri", "name", uri)
	}
	for _, kind := range a.others {
		c.drop("pki.dropped.other_name", "kind", kind)
	}
	return nil
}

// nameFromCommonName takes a common name that looks like an address or a server
// for a name asked for: old tools write no subjectAltName, or not all into it.
func (c *CSR) nameFromCommonName() {
	first := func(list []string) []string {
		cn := c.CommonName
		if slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, cn) }) {
			return list
		}
		c.Added = true
		return slices.Insert(list, 0, cn)
	}
	switch cn := c.CommonName; {
	case strings.ContainsAny(cn, " \t/") || !strings.ContainsAny(cn, ".:"):
	case net.ParseIP(cn) != nil:
		c.Asked.IPs = first(c.Asked.IPs)
	case !strings.Contains(cn, "."):
	case strings.Contains(cn, "@"):
		c.Asked.Emails = first(c.Asked.Emails)
	default:
		c.Asked.DNS = first(c.Asked.DNS)
	}
}

// bound cuts lists of names that no certificate carries.
func (c *CSR) bound() {
	for _, list := range []*[]string{&c.Asked.DNS, &c.Asked.Emails, &c.Asked.IPs} {
		if more := len(*list) - mostAsked; more > 0 {
			*list = (*list)[:mostAsked]
			c.drop("pki.dropped.more", "n", more)
		}
	}
}

func (c *CSR) readBasic(der []byte) error {
	var b struct {
		CA   bool `asn1:"optional"`
		Path int  `asn1:"optional,default:-1"`
	}
	if _, err := asn1.Unmarshal(der, &b); err != nil {
		return err
	}
	if b.CA {
		c.drop("pki.dropped.ca")
	}
	return nil
}

// readUsage notes only the signing of certificates and lists: which of the
// others a certificate gets follows from the key.
func (c *CSR) readUsage(der []byte) error {
	var bits asn1.BitString
	if _, err := asn1.Unmarshal(der, &bits); err != nil {
		return err
	}
	const certSign, crlSign = 5, 6
	if bits.At(certSign) == 1 || bits.At(crlSign) == 1 {
		c.drop("pki.dropped.ca_usage")
	}
	return nil
}

// commonPurposes are asked for by everyday tools; one of them says nothing.
var commonPurposes = []string{
	x509.ExtKeyUsageServerAuth.OID().String(),
	x509.ExtKeyUsageClientAuth.OID().String(),
	x509.ExtKeyUsageEmailProtection.OID().String(),
}

func (c *CSR) readPurposes(der []byte) error {
	var all []asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(der, &all); err != nil {
		return err
	}
	for _, oid := range all {
		if !slices.Contains(commonPurposes, oid.String()) {
			c.drop("pki.dropped.purpose", "oid", purposeName(oid))
		}
	}
	return nil
}

func purposeName(oid asn1.ObjectIdentifier) string {
	switch oid.String() {
	case "1.3.6.1.5.5.7.3.3":
		return "codeSigning"
	case "1.3.6.1.5.5.7.3.8":
		return "timeStamping"
	case "1.3.6.1.5.5.7.3.9":
		return "OCSPSigning"
	case "2.5.29.37.0":
		return "anyExtendedKeyUsage"
	}
	return oid.String()
}
