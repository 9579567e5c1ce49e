package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Authority describes a certificate authority that is to be made.
type Authority struct {
	Organisation string // O, at most 64 characters
	Country      string // C, two capital letters
	Role         string // "Root CA 2026": CN is O and this, or this alone where both are too long
	Purposes     []x509.ExtKeyUsage
	Years        int
	Leaf         bool // it signs no further authorities (pathLen 0)
	NotBefore    time.Time
}

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// Check refuses names that no authority may have.
func (a Authority) Check() error {
	if !countryCode.MatchString(a.Country) {
		return fmt.Errorf("the country %q is not two capital letters, as in DE", a.Country)
	}
	n := utf8.RuneCountInString(a.Organisation)
	if !utf8.ValidString(a.Organisation) || strings.TrimSpace(a.Organisation) != a.Organisation || n == 0 || n > 64 {
		return fmt.Errorf("the organisation %q needs 1 to 64 characters and no blanks around them", a.Organisation)
	}
	return nil
}

func (a Authority) template(public crypto.PublicKey) *x509.Certificate {
	name := a.Organisation + " " + a.Role
	if utf8.RuneCountInString(name) > 64 {
		name = a.Role
	}
	return &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(NewSerial()),
		Subject:               pkix.Name{Country: []string{a.Country}, Organization: []string{a.Organisation}, CommonName: name},
		NotBefore:             a.NotBefore.UTC(),
		NotAfter:              a.NotBefore.UTC().AddDate(a.Years, 0, 0).Add(-time.Second),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           a.Purposes,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            -1,
		SubjectKeyId:          keyID(public),
	}
}

// NewRoot makes the authority a of key, signed by itself.
func NewRoot(a Authority, key crypto.Signer) (*x509.Certificate, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	if err := checkAuthorityKey(key.Public()); err != nil {
		return nil, err
	}
	t := a.template(key.Public())
	return create(t, t, key.Public(), key)
}

// SignAuthority makes the authority a of the key public, below this one.
func (i Issuer) SignAuthority(a Authority, public crypto.PublicKey) (*x509.Certificate, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	if err := checkAuthorityKey(public); err != nil {
		return nil, err
	}
	t := a.template(public)
	if t.NotAfter.After(i.Certificate.NotAfter) {
		t.NotAfter = i.Certificate.NotAfter
	}
	if a.Leaf {
		t.MaxPathLen, t.MaxPathLenZero = 0, true
	}
	i.point(t)
	return create(t, i.Certificate, public, i.Signer)
}

// checkAuthorityKey asks for more than of a holder: 4,096 bits of RSA, as ballot
// SMC017 does of new authorities.
func checkAuthorityKey(public crypto.PublicKey) error {
	if err := CheckKey(public); err != nil {
		return fmt.Errorf("the key of an authority: %w", err)
	}
	if k, ok := public.(*rsa.PublicKey); ok && k.N.BitLen() < 4096 {
		return fmt.Errorf("the RSA key of an authority has %d bits, want at least 4096", k.N.BitLen())
	}
	return nil
}

func create(t, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(nil, t, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate of an authority: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of an authority: %w", err)
	}
	return c, nil
}

// publicBits are the bits of the key inside a SubjectPublicKeyInfo.
func publicBits(der []byte) ([]byte, error) {
	var s spki
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		return nil, err
	}
	return s.Public.Bytes, nil
}
