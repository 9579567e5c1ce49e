package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/ocsp"
)

// ErrNoResponder says that nobody at hand may answer for an authority.
var ErrNoResponder = errors.New("nobody at hand may answer for this authority")

// Status is what is known of one certificate.
type Status struct {
	Serial  []byte
	Revoked *time.Time // nil: it is not
	Reason  Reason
}

// Response is a signed status (RFC 6960, 4.2) for those who name the authority by
// digests of either kind: a response names it as the question does, so there are
// two.
type Response struct{ SHA1, SHA256 []byte }

// Responder answers for an authority with a key of its own (RFC 6960, 4.2.2.2).
type Responder struct {
	Authority   *x509.Certificate
	Certificate *x509.Certificate
	Signer      crypto.Signer
}

var (
	oidNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	noCheck    = pkix.Extension{Id: oidNoCheck, Value: []byte{asn1.TagNull, 0}}
)

// SignResponder makes the certificate of who answers for the authority: for
// nothing else, and without a status of its own (id-pkix-ocsp-nocheck), so
// give it a short life.
func (a Issuer) SignResponder(public crypto.PublicKey, from, until time.Time) (*x509.Certificate, error) {
	if err := CheckKey(public); err != nil {
		return nil, fmt.Errorf("the key of a responder: %w", err)
	}
	if until.After(a.Certificate.NotAfter) {
		until = a.Certificate.NotAfter
	}
	name := a.Certificate.Subject.CommonName + " OCSP"
	if len(name) > subjectCommonName.longest {
		name = "OCSP"
	}
	return create(&x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(NewSerial()),
		Subject:               pkix.Name{Country: a.Certificate.Subject.Country, Organization: a.Certificate.Subject.Organization, CommonName: name},
		NotBefore:             from.UTC(),
		NotAfter:              until.UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions:       []pkix.Extension{noCheck},
		BasicConstraintsValid: true,
		SubjectKeyId:          keyID(public),
	}, a.Certificate, public, a.Signer)
}

// Sign answers what s says, true at thisUpdate and good until nextUpdate. A
// responder whose own certificate ends before that is ErrNoResponder. Write
// thisUpdate to the minute, as producedAt is: NSS takes a good certificate for
// revoked where producedAt lies before it.
func (r Responder) Sign(s Status, thisUpdate, nextUpdate time.Time) (Response, error) {
	if !thisUpdate.Equal(thisUpdate.Truncate(time.Minute)) {
		return Response{}, fmt.Errorf("sign status: %v is not a whole minute", thisUpdate)
	}
	if nextUpdate.After(r.Certificate.NotAfter) {
		return Response{}, ErrNoResponder
	}
	t := ocsp.Response{
		Status: ocsp.Good, SerialNumber: new(big.Int).SetBytes(s.Serial), ThisUpdate: thisUpdate, NextUpdate: nextUpdate, Certificate: r.Certificate,
	}
	if s.Revoked != nil {
		if _, known := s.Reason.Facts(); !known {
			return Response{}, fmt.Errorf("sign status: %d is no reason to revoke", s.Reason)
		}
		t.Status, t.RevokedAt, t.RevocationReason = ocsp.Revoked, *s.Revoked, int(s.Reason)
	}
	var a Response
	for hash, der := range map[crypto.Hash]*[]byte{crypto.SHA1: &a.SHA1, crypto.SHA256: &a.SHA256} {
		var err error
		t.IssuerHash = hash
		if *der, err = ocsp.CreateResponse(r.Authority, r.Certificate, t, r.Signer); err != nil {
			return Response{}, fmt.Errorf("sign status: %w", err)
		}
	}
	return a, nil
}
