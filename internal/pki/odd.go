package pki

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/net/idna"
)

// readCertificate reads a DER certificate. One that breaks a rule which OpenSSL
// does not mind is read, too: what it lacks is left at zero.
func readCertificate(der []byte) (*x509.Certificate, error) {
	x, err := x509.ParseCertificate(der)
	if err == nil {
		return x, nil
	}
	if x, ok := readOdd(der); ok {
		return x, nil
	}
	return nil, err
}

// readOdd reads as much of a certificate as tells whose it is, until when, what
// for, and who signed it (RFC 5280, 4.1).
func readOdd(der []byte) (*x509.Certificate, bool) {
	in := cryptobyte.String(der)
	var whole, raw, algorithm cryptobyte.String
	var signature asn1.BitString
	if !in.ReadASN1(&whole, tag.SEQUENCE) || !in.Empty() || !whole.ReadASN1Element(&raw, tag.SEQUENCE) || !whole.ReadASN1(&algorithm, tag.SEQUENCE) ||
		!whole.ReadASN1BitString(&signature) || !whole.Empty() {
		return nil, false
	}
	x := &x509.Certificate{
		Raw: der, RawTBSCertificate: raw, Signature: signature.RightAlign(), SignatureAlgorithm: signatureAlgorithm(algorithm), SerialNumber: new(big.Int),
	}
	return x, readOddTBS(x, raw) && readOddKey(x)
}

func readOddTBS(x *x509.Certificate, raw cryptobyte.String) bool {
	context := func(n uint8) tag.Tag { return tag.Tag(n).ContextSpecific() }
	var tbs, version, issuer, validity, subject, key, extensions cryptobyte.String
	var versioned, extended bool
	if !raw.ReadASN1(&tbs, tag.SEQUENCE) || !tbs.ReadOptionalASN1(&version, &versioned, context(0).Constructed()) ||
		!tbs.ReadASN1Integer(x.SerialNumber) || !tbs.SkipASN1(tag.SEQUENCE) || !tbs.ReadASN1Element(&issuer, tag.SEQUENCE) ||
		!tbs.ReadASN1(&validity, tag.SEQUENCE) || !tbs.ReadASN1Element(&subject, tag.SEQUENCE) || !tbs.ReadASN1Element(&key, tag.SEQUENCE) ||
		!tbs.SkipOptionalASN1(context(1)) || !tbs.SkipOptionalASN1(context(2)) ||
		!tbs.ReadOptionalASN1(&extensions, &extended, context(3).Constructed()) || !tbs.Empty() {
		return false
	}
	x.RawIssuer, x.RawSubject, x.RawSubjectPublicKeyInfo = issuer, subject, key
	if versioned && !version.ReadASN1Integer(&x.Version) || x.Version < 0 || x.Version > 2 {
		return false
	}
	x.Version++ // 0 stands for the first
	return readTime(&validity, &x.NotBefore) && readTime(&validity, &x.NotAfter) && validity.Empty() && (!extended || readOddExtensions(x, extensions))
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(tag.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}

// readOddExtensions keeps all and understands those that say what it is for.
func readOddExtensions(x *x509.Certificate, s cryptobyte.String) bool {
	var all, one, value cryptobyte.String
	if !s.ReadASN1(&all, tag.SEQUENCE) || !s.Empty() {
		return false
	}
	for !all.Empty() {
		var e pkix.Extension
		if !all.ReadASN1(&one, tag.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&e.Id) || !readFlag(&one, &e.Critical) ||
			!one.ReadASN1(&value, tag.OCTET_STRING) || !one.Empty() {
			return false
		}
		e.Value = value
		x.Extensions = append(x.Extensions, e)
		if e.Id.Equal(oidBasic) && !readOddBasic(x, value) || e.Id.Equal(oidPurposes) && !readOddPurposes(x, value) {
			return false
		}
	}
	return true
}

// readFlag reads a BOOLEAN that may be left out; everything but zero is true.
func readFlag(s *cryptobyte.String, flag *bool) bool {
	if !s.PeekASN1Tag(tag.BOOLEAN) {
		return true
	}
	var b cryptobyte.String
	ok := s.ReadASN1(&b, tag.BOOLEAN) && len(b) == 1
	*flag = ok && b[0] != 0
	return ok
}

func readOddBasic(x *x509.Certificate, s cryptobyte.String) bool {
	var basic cryptobyte.String
	x.BasicConstraintsValid = s.ReadASN1(&basic, tag.SEQUENCE) && readFlag(&basic, &x.IsCA)
	return x.BasicConstraintsValid
}

func readOddPurposes(x *x509.Certificate, s cryptobyte.String) bool {
	var all cryptobyte.String
	if !s.ReadASN1(&all, tag.SEQUENCE) {
		return false
	}
	for !all.Empty() {
		var oid asn1.ObjectIdentifier
		if !all.ReadASN1ObjectIdentifier(&oid) {
			return false
		}
		known := false
		for _, p := range []x509.ExtKeyUsage{x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection} {
			if p.OID().String() == oid.String() {
				x.ExtKeyUsage, known = append(x.ExtKeyUsage, p), true
			}
		}
		if !known {
			x.UnknownExtKeyUsage = append(x.UnknownExtKeyUsage, oid)
		}
	}
	return true
}

// readOddKey takes the key, so that an authority's signatures can be checked.
func readOddKey(x *x509.Certificate) bool {
	var err error
	x.PublicKey, err = x509.ParsePKIXPublicKey(x.RawSubjectPublicKeyInfo)
	switch x.PublicKey.(type) {
	case *rsa.PublicKey:
		x.PublicKeyAlgorithm = x509.RSA
	case *ecdsa.PublicKey:
		x.PublicKeyAlgorithm = x509.ECDSA
	}
	return err == nil
}

// signatureAlgorithm is unknown for all but the usual ones; then nobody is seen
// to have signed.
func signatureAlgorithm(s cryptobyte.String) x509.SignatureAlgorithm {
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&oid) {
		return x509.UnknownSignatureAlgorithm
	}
	switch oid.String() {
	case "1.2.840.113549.1.1.11":
		return x509.SHA256WithRSA
	case "1.2.840.113549.1.1.12":
		return x509.SHA384WithRSA
	case "1.2.840.113549.1.1.13":
		return x509.SHA512WithRSA
	case "1.2.840.10045.4.3.2":
		return x509.ECDSAWithSHA256
	case "1.2.840.10045.4.3.3":
		return x509.ECDSAWithSHA384
	case "1.2.840.10045.4.3.4":
		return x509.ECDSAWithSHA512
	}
	return x509.UnknownSignatureAlgorithm
}

// oddities are messages about what breaks a rule in a certificate.
func oddities(x *x509.Certificate, subject []namePart) (all []string) {
	issuer, _ := readName(x.RawIssuer)
	if slices.ContainsFunc(slices.Concat(subject, issuer), func(p namePart) bool { return p.odd }) {
		all = append(all, "pki.odd.text")
	}
	if x.Version < 3 {
		all = append(all, "pki.odd.version")
	}
	switch n := x.SerialNumber; {
	case n.Sign() < 0:
		all = append(all, "pki.odd.serial_negative")
	case n.Sign() == 0:
		all = append(all, "pki.odd.serial_zero")
	case n.BitLen() >= 8*mostSerial:
		all = append(all, "pki.odd.serial_long")
	}
	return all
}

// mostSerial is how long a serial number may be in bytes, its sign included
// (RFC 5280, 4.1.2.2).
const mostSerial = 20

// withALabels is the name of a server as it stands in a certificate, whose
// letters beyond ASCII nobody may write there but some do (RFC 5280, 7.2); false
// for what is no name.
func withALabels(name string) (string, bool) {
	if !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return name, true
	}
	rest, wildcard := strings.CutPrefix(name, "*.")
	a, err := idna.Lookup.ToASCII(rest)
	if wildcard {
		a = "*." + a
	}
	return a, err == nil
}

// serialBytes is a serial number as it stands in a certificate, without leading
// zeros: one that is negative, which no rule allows, in two's complement.
func serialBytes(n *big.Int) []byte {
	switch n.Sign() {
	case 1:
		return n.Bytes()
	case 0:
		return []byte{0}
	}
	bits := uint(new(big.Int).Not(n).BitLen()/8+1) * 8
	return new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), bits)).Bytes()
}
