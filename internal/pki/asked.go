package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
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

	oidChallengePassword = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}
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

// readSubject takes the first common name and notes what else was asked for.
func (c *CSR) readSubject(subject pkix.Name) {
	var rest []string
	seen := false
	for _, a := range subject.Names {
		text, _ := a.Value.(string)
		switch text = shown(text); {
		case a.Type.Equal(oidCommonName) && seen:
			c.drop("pki.dropped.second_common_name", "name", text)
		case a.Type.Equal(oidCommonName):
			c.CommonName, seen = text, true
		case a.Type.Equal(oidEmail):
			c.drop("pki.dropped.subject_email", "name", text)
		default:
			rest = add(rest, attributeName(a.Type))
		}
	}
	if len(rest) > 0 {
		c.drop("pki.dropped.subject", "attributes", strings.Join(rest, ", "))
	}
}

// readExtensions takes the names asked for and notes what else was.
func (c *CSR) readExtensions(extensions []pkix.Extension) error {
	named := false
	for _, e := range extensions {
		var err error
		switch {
		case e.Id.Equal(oidAlternative):
			named, err = true, c.readNames(e.Value)
		case e.Id.Equal(oidBasic):
			err = c.readBasic(e.Value)
		case e.Id.Equal(oidKeyUsage):
			err = c.readUsage(e.Value)
		case e.Id.Equal(oidPurposes):
			err = c.readPurposes(e.Value)
		case e.Id.Equal(oidSubjectKey):
		default:
			c.drop("pki.dropped.extension", "oid", e.Id.String())
		}
		if err != nil {
			return err
		}
	}
	if !named {
		c.nameFromCommonName()
	}
	return nil
}

func (c *CSR) readNames(der []byte) error {
	a, err := readAlternatives(der)
	if err != nil {
		return err
	}
	c.Asked = a.Names
	for _, uri := range a.uris {
		c.drop("pki.dropped.uri", "name", uri)
	}
	for _, kind := range a.others {
		c.drop("pki.dropped.other_name", "kind", kind)
	}
	return nil
}

// nameFromCommonName takes a common name that looks like an address or a server
// for the name asked for: old tools write no subjectAltName.
func (c *CSR) nameFromCommonName() {
	switch cn := c.CommonName; {
	case strings.ContainsAny(cn, " \t/") || !strings.Contains(cn, "."):
	case strings.Contains(cn, "@"):
		c.Asked.Emails = []string{cn}
	default:
		c.Asked.DNS = []string{cn}
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
