package pki_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"petschaft/internal/pki"
)

// responder answers for the authority.
func responder(t *testing.T, a pki.Issuer) pki.Responder {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	c, err := a.SignResponder(key.Public(), now.Add(-time.Hour), now.AddDate(0, 0, 30))
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

func TestAQuestionIsReadAndMeansOneAuthority(t *testing.T) {
	t.Parallel()
	h, stranger := newHierarchy(t), newHierarchy(t) // of the same names, with other keys
	leaf := sign(t, h.mail, personal(t, rsaKey()))
	c, err := x509.ParseCertificate(leaf.DER)
	if err != nil {
		t.Fatal(err)
	}
	for hash, own := range map[crypto.Hash]bool{crypto.SHA1: true, crypto.SHA256: true, crypto.SHA384: false} {
		der, err := ocsp.CreateRequest(c, h.mail.Certificate, &ocsp.RequestOptions{Hash: hash})
		if err != nil {
			t.Fatal(err)
		}
		q, err := pki.ParseQuestion(der)
		if err != nil || !bytes.Equal(q.Serial, leaf.Serial) || q.SHA256 != (hash == crypto.SHA256) {
			t.Errorf("%v: got %+v, %v, want serial %x", hash, q, err, leaf.Serial)
		}
		for name, a := range map[string]pki.Issuer{"its own": h.mail, "the root": h.root, "a stranger of the same name": stranger.mail} {
			if got, want := pki.NewAddressee(a.Certificate).Means(q), own && name == "its own"; got != want {
				t.Errorf("%v, %s: got %v, want %v", hash, name, got, want)
			}
		}
		for i := range der {
			if _, err := pki.ParseQuestion(der[:i]); err == nil {
				t.Errorf("the first %d of %d bytes are read as a question", i, len(der))
			}
		}
	}
}

func TestAQuestionWithANonceOrASerialThatCannotBeIsRead(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	dir := t.TempDir()
	write(t, dir, "ca.crt", pki.PEM(h.mail.Certificate.Raw))
	for _, c := range []struct {
		serial, nonce string
		known         bool
	}{{"0x1234", "-nonce", true}, {"0x1234", "-no_nonce", true}, {"-5", "-nonce", false}, {"0x" + strings.Repeat("f", 42), "-nonce", false}, {"0", "-nonce", false}} {
		openssl(t, dir, "ocsp", "-issuer", "ca.crt", "-serial", c.serial, c.nonce, "-reqout", "q.der")
		der, err := os.ReadFile(filepath.Join(dir, "q.der"))
		if err != nil {
			t.Fatal(err)
		}
		q, err := pki.ParseQuestion(der)
		if err != nil || len(q.Serial) > 0 != c.known || !pki.NewAddressee(h.mail.Certificate).Means(q) {
			t.Errorf("serial %s, %s: got %x, %v", c.serial, c.nonce, q.Serial, err)
		}
	}
}

// FuzzReadQuestion: whatever comes, it is read or refused.
func FuzzReadQuestion(f *testing.F) {
	f.Add([]byte{})
	der, err := (&ocsp.Request{HashAlgorithm: crypto.SHA1, IssuerNameHash: make([]byte, 20), IssuerKeyHash: make([]byte, 20), SerialNumber: big.NewInt(7)}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		if q, err := pki.ParseQuestion(der); err == nil && len(q.Serial) > 20 {
			t.Errorf("got a serial of %d bytes, want at most 20", len(q.Serial))
		}
	})
}
