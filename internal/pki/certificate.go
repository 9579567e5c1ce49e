package pki

import (
	"crypto/sha1" // only for people who compare with what old programs show
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Certificate is an issued certificate, read. It is identified by Issuer and
// Serial together.
type Certificate struct {
	DER       []byte
	Issuer    []byte // DER of the issuer's distinguished name
	Serial    []byte // big endian, no leading zeros
	NotBefore time.Time
	NotAfter  time.Time // inclusive
	Subject   string    // "CN=Ada Lovelace, GN=Ada, SN=Lovelace"
	Emails    []string  // in the subjectAltName, in its order
	DNS       []string
	Key       Key

	rawSubject []byte
	otherNames []string // what else the subjectAltName holds, as text
	purposes   []x509.ExtKeyUsage
	isCA       bool
}

// ParseCertificate reads one DER certificate that an authority answered with.
// It refuses one whose key is weak, whoever signed it.
func ParseCertificate(der []byte) (Certificate, error) {
	x, err := x509.ParseCertificate(der)
	if err != nil {
		return Certificate{}, fmt.Errorf("read certificate: %w", err)
	}
	return read(x)
}

// ParseKept is ParseCertificate for one that the portal keeps: its own, or one
// that somebody brought along and that ParseEarlier took, with its oddities.
func ParseKept(der []byte) (Certificate, error) {
	x, err := readCertificate(der)
	if err != nil {
		return Certificate{}, fmt.Errorf("read certificate: %w", err)
	}
	return read(x)
}

func read(x *x509.Certificate) (Certificate, error) {
	key, err := ReadKey(x.RawSubjectPublicKeyInfo)
	if err != nil {
		return Certificate{}, fmt.Errorf("read the certificate's key: %w", err)
	}
	if len(x.UnknownExtKeyUsage) > 0 {
		x.ExtKeyUsage = append(x.ExtKeyUsage, x509.ExtKeyUsageAny) // whatever it is, no profile has it
	}
	subject, err := attributes(x.RawSubject)
	if err != nil {
		return Certificate{}, fmt.Errorf("read subject: %w", err)
	}
	c := Certificate{
		DER: x.Raw, Issuer: x.RawIssuer, Serial: serialBytes(x.SerialNumber), NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC(),
		Subject: strings.Join(subject, ", "), Key: key, rawSubject: x.RawSubject, purposes: x.ExtKeyUsage, isCA: x.IsCA,
	}
	for _, e := range x.Extensions {
		if e.Id.Equal(oidAlternative) {
			a, err := readAlternatives(e.Value)
			if err != nil {
				return Certificate{}, err
			}
			c.Emails, c.DNS = a.Emails, a.DNS
			c.otherNames = slices.Concat(a.IPs, a.uris, a.others)
		}
	}
	return c, nil
}

// attributes are the parts of a distinguished name as people read them.
func attributes(der []byte) ([]string, error) {
	name, err := readName(der)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range name {
		all = append(all, attributeName(p.oid)+"="+shown(p.text))
	}
	return all, nil
}

// Fingerprints are digests of a certificate as people compare them: upper case
// hexadecimal with colons.
type Fingerprints struct{ SHA256, SHA1 string }

// Fingerprints of the whole certificate.
func (c Certificate) Fingerprints() Fingerprints {
	long, short := sha256.Sum256(c.DER), sha1.Sum(c.DER)
	return Fingerprints{SHA256: Colons(long[:]), SHA1: Colons(short[:])}
}

// SerialText is the serial number as OpenSSL and mail programs show it.
func (c Certificate) SerialText() string { return Colons(c.Serial) }

// Colons writes b in hexadecimal, "0A:FF".
func Colons(b []byte) string {
	text := strings.ToUpper(hex.EncodeToString(b))
	var pairs []string
	for pair := range slices.Chunk([]byte(text), 2) {
		pairs = append(pairs, string(pair))
	}
	return strings.Join(pairs, ":")
}
