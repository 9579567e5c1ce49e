package pki_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"testing"

	"petschaft/internal/pki"
)

func TestATwinSignsTheSameAndNobodyTrustsIt(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	twin, err := h.mail.Twin()
	if err != nil {
		t.Fatal(err)
	}
	r := personal(t, ecKey(t, elliptic.P256()))
	real, copied := sign(t, h.mail, r), sign(t, twin, r)
	if !pki.SameButSignature(real.DER, copied.DER) || bytes.Equal(real.DER, copied.DER) {
		t.Error("the twin's certificate is not the same but for the signature")
	}
	x, err := x509.ParseCertificate(copied.DER)
	if err != nil {
		t.Fatal(err)
	}
	if x.CheckSignatureFrom(h.mail.Certificate) == nil {
		t.Error("the signature of the twin is that of the authority")
	}
	other := r
	other.Serial = pki.NewSerial()
	if pki.SameButSignature(real.DER, sign(t, twin, other).DER) || pki.SameButSignature(real.DER, []byte("no certificate")) {
		t.Error("another certificate passes for the same")
	}
}

func TestAnIdentifierOfAnOrganisationHasAProperForm(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"NTRDE-DER3306.HRB12345": "DE", "NTRUS+CA-C123": "US", "VATDE-123456789": "DE", "GOVDE": "DE", "GOVDE+BY": "DE", "INTXG": "XG",
		"LEIXG-529900T8BM49AURSDO55": "XG",
		"":                           "", "DE-123": "", "NTRDE": "", "NTRde-1": "", "GOVDE-1": "", "INTDE": "", "LEIDE-529900T8BM49AURSDO55": "", "LEIXG-1": "",
		"PSDDE-BAFIN-1": "", "NTRDE- 1": "", "VATDE-12 34": "", "NTRDE-1\n": "",
	} {
		if got, ok := pki.IdentifierCountry(id); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", id, got, ok, want)
		}
	}
}
