package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// Twin is the issuer with a throw-away key of the same kind in the place of its
// own: what it signs is what the issuer would sign but for the signature, and
// nobody trusts it. Checks look at such a copy before the issuer's key is used.
func (a Issuer) Twin() (Issuer, error) {
	var key crypto.Signer
	var err error
	switch k := a.Signer.Public().(type) {
	case *ecdsa.PublicKey:
		key, err = ecdsa.GenerateKey(k.Curve, rand.Reader)
	case *rsa.PublicKey:
		key, err = rsa.GenerateKey(rand.Reader, k.N.BitLen())
	default:
		err = fmt.Errorf("keys of the kind %T do not sign certificates", k)
	}
	if err != nil {
		return Issuer{}, fmt.Errorf("make a throw-away key: %w", err)
	}
	certificate := *a.Certificate // its names and identifiers stay, also the one of the key
	certificate.PublicKey = key.Public()
	a.Certificate, a.Signer = &certificate, key
	return a, nil
}

// SameButSignature tells whether two certificates say the same, byte by byte.
func SameButSignature(a, b []byte) bool {
	x, errX := x509.ParseCertificate(a)
	y, errY := x509.ParseCertificate(b)
	return errX == nil && errY == nil && bytes.Equal(x.RawTBSCertificate, y.RawTBSCertificate)
}
