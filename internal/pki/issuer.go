package pki

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Issuer is a certificate authority that can sign. With an ECDSA key of the
// standard library or an RSA key its signatures are deterministic (RFC 6979):
// the same request gives the same bytes, unless the longest life that is allowed
// changed between.
type Issuer struct {
	Certificate    *x509.Certificate
	Signer         crypto.Signer
	CertificateURL string // where Certificate is fetched; plain http, empty: left out
	CRLURL         string // where its revocation list is fetched
	OCSPURL        string // where it is asked whether a certificate counts
	Policy         Policy
}

// ErrIssuerEnds says that the authority's own certificate is not valid for as
// long as it takes to issue another.
var ErrIssuerEnds = errors.New("the certificate of the authority is not valid at the time the new one begins")

// Sign makes the certificate for r at at. It ends with its authority at the
// latest, and lives no longer than is allowed at at and where it begins.
func (a Issuer) Sign(r Request, at time.Time) (Certificate, error) {
	if err := r.Check(); err != nil {
		return Certificate{}, err
	}
	template, err := a.template(r, at)
	if err != nil {
		return Certificate{}, err
	}
	der, err := x509.CreateCertificate(nil, template, a.Certificate, r.Key.public, a.Signer)
	if err != nil {
		return Certificate{}, fmt.Errorf("sign certificate: %w", err)
	}
	c, err := ParseCertificate(der)
	if err != nil {
		return Certificate{}, err
	}
	if err := Matches(r, c); err != nil {
		return Certificate{}, fmt.Errorf("check what was signed: %w", err)
	}
	return c, nil
}

// template is everything in the certificate but the key and the signature. The
// request has passed Check.
func (a Issuer) template(r Request, at time.Time) (*x509.Certificate, error) {
	p, _ := r.Profile.Profile()
	subject, err := p.subject(r)
	if err != nil {
		return nil, err
	}
	days := p.Days
	if r.Days > 0 {
		days = r.Days
	}
	end := lastSecond(r.NotBefore, min(days, p.mostDays(r.NotBefore), p.mostDays(at)))
	if end.After(a.Certificate.NotAfter) {
		end = a.Certificate.NotAfter
	}
	if !end.After(r.NotBefore) || r.NotBefore.Before(a.Certificate.NotBefore) {
		return nil, ErrIssuerEnds
	}
	t := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(r.Serial),
		RawSubject:            subject,
		NotBefore:             r.NotBefore.UTC(),
		NotAfter:              end.UTC(),
		KeyUsage:              p.usage(r.Key),
		ExtKeyUsage:           p.Purposes,
		BasicConstraintsValid: true,
		EmailAddresses:        r.Emails,
		DNSNames:              r.DNS,
	}
	if !p.noKeyName {
		t.SubjectKeyId = keyID(r.Key.public)
	}
	if oid, named := a.Policy.OID(p); named {
		t.Policies = []x509.OID{oid}
	}
	a.point(t)
	return t, nil
}

// point tells where the authority's certificate and list are fetched, and where
// it is asked.
func (a Issuer) point(t *x509.Certificate) {
	if a.CertificateURL != "" {
		t.IssuingCertificateURL = []string{a.CertificateURL}
	}
	if a.CRLURL != "" {
		t.CRLDistributionPoints = []string{a.CRLURL}
	}
	if a.OCSPURL != "" {
		t.OCSPServer = []string{a.OCSPURL}
	}
}

// keyID is a subject key identifier: the first 160 bits of the SHA-256 of the
// public key's bits (RFC 7093, 2, method 1).
func keyID(public crypto.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil // CreateCertificate says the same, with an error
	}
	bits, err := publicBits(der)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(bits)
	return sum[:20]
}
