package pki_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/pki"
)

func TestAListHoldsItsEntriesNumberAndAuthority(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	var revoked []pki.Revocation
	for _, f := range pki.Reasons(true) {
		revoked = append(revoked, pki.Revocation{Serial: pki.NewSerial(), At: now.Add(-time.Minute), Reason: f.Reason})
	}
	list, err := h.mail.SignCRL(4711, revoked, now, now.AddDate(0, 0, 7))
	if err != nil {
		t.Fatal(err)
	}
	if list.Number != 4711 || !list.ThisUpdate.Equal(now) || !list.NextUpdate.Equal(now.AddDate(0, 0, 7)) {
		t.Errorf("got %+v, want number 4711 from now for a week", list)
	}
	x, err := x509.ParseRevocationList(list.DER)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.CheckSignatureFrom(h.mail.Certificate); err != nil || !bytes.Equal(x.AuthorityKeyId, h.mail.Certificate.SubjectKeyId) {
		t.Errorf("got the key identifier %x and %v, want the authority's, %x", x.AuthorityKeyId, err, h.mail.Certificate.SubjectKeyId)
	}
	if len(x.RevokedCertificateEntries) != len(revoked) {
		t.Fatalf("got %d entries, want %d", len(x.RevokedCertificateEntries), len(revoked))
	}
	for _, e := range x.RevokedCertificateEntries {
		i := slices.IndexFunc(revoked, func(r pki.Revocation) bool { return bytes.Equal(r.Serial, e.SerialNumber.Bytes()) })
		if i < 0 || int(revoked[i].Reason) != e.ReasonCode || !e.RevocationTime.Equal(revoked[i].At) {
			t.Errorf("got %+v, want one of %v", e, revoked)
		}
		for _, x := range e.Extensions {
			if x.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 21}) && (e.ReasonCode == 0 || x.Critical) {
				t.Errorf("reason %d is written as %+v, want none for 0 and never critical", e.ReasonCode, x)
			}
		}
	}
	if again, err := h.mail.SignCRL(4711, revoked, now, now.AddDate(0, 0, 7)); err != nil || !bytes.Equal(again.DER, list.DER) {
		t.Errorf("signed again: got other bytes or %v, want the same", err)
	}
	dir := t.TempDir()
	write(t, dir, "l.crl", list.DER)
	text := openssl(t, dir, "crl", "-inform", "DER", "-in", "l.crl", "-noout", "-text")
	for _, want := range []string{"Version 2 (0x1)", "X509v3 CRL Number", "4711", "Key Compromise", "Privilege Withdrawn", "X509v3 Authority Key Identifier"} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl says\n%s\nwant %q in it", text, want)
		}
	}
	if strings.Contains(text, "Unspecified") {
		t.Errorf("openssl says\n%s\nwant no reason where there is none", text)
	}
}

func TestListsThatWouldBeWrongAreNotSigned(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	serial := pki.NewSerial()
	one := func(r pki.Reason) []pki.Revocation { return []pki.Revocation{{Serial: serial, At: now, Reason: r}} }
	cases := map[string]struct {
		number  int64
		revoked []pki.Revocation
		next    time.Time
	}{
		"the number 0":           {0, nil, now.Add(time.Hour)},
		"an end before it began": {1, nil, now},
		"a hold":                 {1, one(6), now.Add(time.Hour)},
		"no reason there is":     {1, one(7), now.Add(time.Hour)},
		"a serial twice":         {1, append(one(1), one(4)...), now.Add(time.Hour)},
		"an empty serial":        {1, []pki.Revocation{{At: now}}, now.Add(time.Hour)},
	}
	for name, c := range cases {
		if _, err := h.mail.SignCRL(c.number, c.revoked, now, c.next); err == nil {
			t.Errorf("%s: got a list, want an error", name)
		}
	}
}

func TestReasonsAreOfferedToWhomTheyFit(t *testing.T) {
	t.Parallel()
	codes := func(officer bool) (all []pki.Reason) {
		for _, f := range pki.Reasons(officer) {
			all = append(all, f.Reason)
		}
		return all
	}
	if got, want := codes(false), []pki.Reason{0, 1, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("a holder: got %v, want %v", got, want)
	}
	if got, want := codes(true), []pki.Reason{0, 1, 3, 4, 5, 9}; !slices.Equal(got, want) {
		t.Errorf("an officer: got %v, want %v", got, want)
	}
	for r := pki.Reason(-1); r < 12; r++ {
		if got, want := r.Allowed(false), slices.Contains(codes(false), r); got != want {
			t.Errorf("reason %d for a holder: got %v, want %v", r, got, want)
		}
		if got, want := r.Allowed(true), slices.Contains(codes(true), r); got != want {
			t.Errorf("reason %d for an officer: got %v, want %v", r, got, want)
		}
	}
}

func TestAChainGoesFromLeafToRootOrNotAtAll(t *testing.T) {
	t.Parallel()
	h, stranger := newHierarchy(t), newHierarchy(t) // of the same names, with other keys
	leaf := sign(t, h.mail, personal(t, rsaKey())).DER
	mail, root := h.mail.Certificate.Raw, h.root.Certificate.Raw
	way, err := pki.Chain(leaf, stranger.root.Certificate.Raw, root, stranger.mail.Certificate.Raw, mail, leaf)
	if err != nil || len(way) != 3 || !bytes.Equal(way[0], leaf) || !bytes.Equal(way[1], mail) || !bytes.Equal(way[2], root) {
		t.Errorf("got %d certificates and %v, want leaf, issuing authority, root", len(way), err)
	}
	for name, certs := range map[string][][]byte{
		"nothing":           nil,
		"no root":           {mail},
		"no issuer":         {root},
		"another authority": {stranger.mail.Certificate.Raw, root, stranger.root.Certificate.Raw},
	} {
		if way, err := pki.Chain(leaf, certs...); !errors.Is(err, pki.ErrChain) {
			t.Errorf("%s: got %d certificates and %v, want ErrChain", name, len(way), err)
		}
	}
	if way, err := pki.Chain(root); err != nil || len(way) != 1 {
		t.Errorf("a root alone: got %d and %v, want itself", len(way), err)
	}
}

func TestAPEMFileHoldsCertificatesAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	file := string(pki.PEM(h.mail.Certificate.Raw, h.root.Certificate.Raw))
	if strings.Count(file, "-----BEGIN CERTIFICATE-----\n") != 2 || strings.Count(file, "-----END CERTIFICATE-----\n") != 2 {
		t.Errorf("got\n%s\nwant two blocks", file)
	}
	for line := range strings.Lines(file) {
		if len(line) > 65 || strings.ContainsAny(line, " \r") && !strings.HasPrefix(line, "-----") {
			t.Errorf("got the line %q, want at most 64 characters of base64", line)
		}
	}
}

func TestACertificateIsShownAsOpenSSLShowsIt(t *testing.T) {
	t.Parallel()
	c := sign(t, newHierarchy(t).mail, personal(t, rsaKey()))
	dir := t.TempDir()
	write(t, dir, "c.der", c.DER)
	said := openssl(t, dir, "x509", "-inform", "DER", "-in", "c.der", "-noout", "-serial", "-fingerprint", "-sha256")
	for _, want := range []string{"serial=" + strings.ReplaceAll(c.SerialText(), ":", ""), "Fingerprint=" + c.Fingerprints().SHA256} {
		if !strings.Contains(said, want) {
			t.Errorf("openssl says\n%s\nwant %q in it", said, want)
		}
	}
	if said := openssl(t, dir, "x509", "-inform", "DER", "-in", "c.der", "-noout", "-fingerprint", "-sha1"); !strings.Contains(said, c.Fingerprints().SHA1) {
		t.Errorf("openssl says %s, want %s", said, c.Fingerprints().SHA1)
	}
}

func TestAuthoritiesAreMadeByTheRules(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	dir := t.TempDir()
	write(t, dir, "root.pem", pki.PEM(h.root.Certificate.Raw))
	write(t, dir, "mail.pem", pki.PEM(h.mail.Certificate.Raw))
	text := func(file string) string {
		return strings.Join(strings.Fields(openssl(t, dir, "x509", "-in", file, "-noout", "-text")), " ")
	}
	for file, want := range map[string][]string{
		"root.pem": {"X509v3 Key Usage: critical Certificate Sign, CRL Sign", "X509v3 Basic Constraints: critical CA:TRUE X509v3", "NIST CURVE: P-384"},
		"mail.pem": {
			"X509v3 Key Usage: critical Certificate Sign, CRL Sign", "CA:TRUE, pathlen:0", "X509v3 Extended Key Usage: E-mail Protection X509v3",
			"URI:http://pki.garten.example/pki/root.crl", "URI:http://pki.garten.example/pki/root.crt",
		},
	} {
		for _, w := range want {
			if got := text(file); !strings.Contains(got, w) {
				t.Errorf("%s: openssl says\n%s\nwant %q in it", file, got, w)
			}
		}
	}
	if got := text("root.pem"); strings.Contains(got, "Extended Key Usage") {
		t.Errorf("root: openssl says\n%s\nwant no limit of purpose", got)
	}
	a := pki.Authority{Organisation: strings.Repeat("O", 64), Country: "DE", Role: "Root CA 2026", Years: 1, NotBefore: now}
	if c, err := pki.NewRoot(a, ecKey(t, elliptic.P384())); err != nil || c.Subject.CommonName != "Root CA 2026" {
		t.Errorf("a long organisation: got %v, want the role alone as common name", err)
	}
	for name, change := range map[string]func(*pki.Authority){
		"a small country":   func(a *pki.Authority) { a.Country = "de" },
		"no organisation":   func(a *pki.Authority) { a.Organisation = "" },
		"a long one":        func(a *pki.Authority) { a.Organisation += "O" },
		"blanks around it":  func(a *pki.Authority) { a.Organisation = " O" },
		"a country of none": func(a *pki.Authority) { a.Country = "" },
	} {
		b := a
		change(&b)
		if _, err := pki.NewRoot(b, ecKey(t, elliptic.P384())); err == nil {
			t.Errorf("%s: got an authority, want an error", name)
		}
	}
	if _, err := pki.NewRoot(a, rsaKey()); err == nil {
		t.Error("an authority with RSA 2048: got one, want an error")
	}
}
