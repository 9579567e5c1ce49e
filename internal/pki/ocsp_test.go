package pki_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"petschaft/internal/pki"
)

// responder answers for the authority.
func responder(t *testing.T, a pki.Issuer) pki.Responder { t.Helper(); return responderOf(t, a, now) }

func responderOf(t *testing.T, a pki.Issuer, at time.Time) pki.Responder {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	c, err := a.SignResponder(key.Public(), at.Add(-time.Hour), at.AddDate(0, 0, 30))
	if err != nil {
		t.Fatal(err)
	}
	return pki.Responder{Authority: a.Certificate, Certificate: c, Signer: key}
}

func TestAResponderMayAnswerAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	c := responder(t, h.mail).Certificate
	if c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature || !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}) ||
		len(c.UnknownExtKeyUsage) > 0 || len(c.DNSNames)+len(c.EmailAddresses)+len(c.OCSPServer)+len(c.CRLDistributionPoints) > 0 {
		t.Errorf("got usage %b, purposes %v, CA %v, want signatures and OCSP alone", c.KeyUsage, c.ExtKeyUsage, c.IsCA)
	}
	at := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}) })
	if at < 0 || !bytes.Equal(c.Extensions[at].Value, []byte{5, 0}) || c.Extensions[at].Critical {
		t.Errorf("got extensions %v, want id-pkix-ocsp-nocheck among them", c.Extensions)
	}
	if err := c.CheckSignatureFrom(h.mail.Certificate); err != nil {
		t.Error(err)
	}
	late, err := h.mail.SignResponder(responder(t, h.mail).Signer.Public(), now, h.mail.Certificate.NotAfter.AddDate(1, 0, 0))
	if err != nil || !late.NotAfter.Equal(h.mail.Certificate.NotAfter) {
		t.Errorf("got %v, want it to end with its authority", err)
	}
}

func TestAnAnswerSaysWhatIsSoAndIsSignedByWhoMay(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	r, serial, until := responder(t, h.mail), pki.NewSerial(), now.Add(24*time.Hour)
	statuses := []pki.Status{{Serial: serial}}
	for _, f := range pki.Reasons(true) {
		statuses = append(statuses, pki.Status{Serial: serial, Revoked: &now, Reason: f.Reason})
	}
	for _, s := range statuses {
		a, err := r.Sign(s, now, until)
		if err != nil {
			t.Fatal(err)
		}
		for hash, der := range map[crypto.Hash][]byte{crypto.SHA1: a.SHA1, crypto.SHA256: a.SHA256} {
			got, err := ocsp.ParseResponse(der, h.mail.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			if got.IssuerHash != hash || !got.ThisUpdate.Equal(now) || !got.NextUpdate.Equal(until) || !bytes.Equal(got.SerialNumber.Bytes(), serial) {
				t.Errorf("got %+v, want serial %x from %v until %v", got, serial, now, until)
			}
			if s.Revoked == nil && got.Status != ocsp.Good {
				t.Errorf("got status %d, want good", got.Status)
			}
			if s.Revoked != nil && (got.Status != ocsp.Revoked || got.RevocationReason != int(s.Reason) || !got.RevokedAt.Equal(now)) {
				t.Errorf("got status %d for %d at %v, want revoked for %d", got.Status, got.RevocationReason, got.RevokedAt, s.Reason)
			}
		}
	}
	if _, err := r.Sign(pki.Status{Serial: serial, Revoked: &now, Reason: 6}, now, until); err == nil {
		t.Error("a hold was answered, want an error")
	}
	if _, err := r.Sign(pki.Status{Serial: serial}, now, r.Certificate.NotAfter.Add(time.Second)); !errors.Is(err, pki.ErrNoResponder) {
		t.Errorf("an answer that outlives its responder: got %v, want that nobody may give it", err)
	}
}

// TestAnAnswerIsNotProducedBeforeItIsTrue: NSS takes a good certificate for
// revoked whose answer says so.
func TestAnAnswerIsNotProducedBeforeItIsTrue(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	from := time.Now().UTC().Truncate(time.Minute) // the machine's, by which an answer says when it was produced
	r, s := responderOf(t, h.mail, from), pki.Status{Serial: pki.NewSerial()}
	a, err := r.Sign(s, from, from.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ocsp.ParseResponse(a.SHA1, h.mail.Certificate)
	if err != nil || got.ProducedAt.Before(got.ThisUpdate) {
		t.Errorf("got it produced at %v, true at %v (%v), want the latter no later", got.ProducedAt, got.ThisUpdate, err)
	}
	if _, err := r.Sign(s, from.Add(time.Second), from.Add(time.Hour)); err == nil {
		t.Error("an answer that is true from a second on was signed, want whole minutes only")
	}
}
