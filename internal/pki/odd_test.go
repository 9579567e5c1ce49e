package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"petschaft/internal/pki"
)

func sampleFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestOddCertificatesAreRead: those that somebody brings along and OpenSSL reads,
// each with what is odd in it.
func TestOddCertificatesAreRead(t *testing.T) {
	t.Parallel()
	want := []struct {
		name, subject, serial string
		odd                   []string
	}{
		{"good1.institut.example", "CN=good1.institut.example", "07:D1", nil},
		{"old1.institut.example", "CN=old1.institut.example, OU=IT_Dienste", "03:E9", []string{"pki.odd.text"}},
		{"old2.institut.example", "CN=old2.institut.example", "90:01", []string{"pki.odd.serial_negative"}},
		{"old3.institut.example", "CN=old3.institut.example, O=Universität", "03:EB", []string{"pki.odd.text"}},
		{"xn--prfstand-sd-uhbi.example", "CN=prüfstand-süd.example", "03:EC", []string{"pki.odd.letters"}},
		{"old5.institut.example", "CN=old5.institut.example", "03:ED", []string{"pki.odd.version", "pki.odd.subject"}},
		{"old6.institut.example", "CN=old6.institut.example", "03:EE", []string{"pki.odd.subject"}},
		{"old7.institut.example", "CN=old7.institut.example", "03:EF", []string{"pki.odd.text"}},
		{"old8.institut.example", "CN=old8.institut.example", pki.Colons(slices.Repeat([]byte{0x7f}, 21)), []string{"pki.odd.serial_long"}},
		{"old9.institut.example", "CN=old9.institut.example", "00", []string{"pki.odd.serial_zero"}},
		{"mary.obrien@institut.example", "CN=Mary O’Brien, E=mary.obrien@institut.example", "03:F2", []string{"pki.odd.text", "pki.odd.subject"}},
		{"good2.institut.example", "CN=good2.institut.example", "07:D2", nil},
	}
	all, err := pki.EarlierFile(sampleFile(t, "51-old-all.pem"))
	if err != nil || len(all) != len(want) {
		t.Fatalf("got %d certificates, %v, want %d", len(all), err, len(want))
	}
	for i, w := range want {
		g, err := pki.ParseEarlier(all[i])
		if err != nil {
			t.Errorf("%s: got %v, want it read", w.name, err)
			continue
		}
		if names := slices.Concat(g.Emails, g.DNS); !slices.Equal(names, []string{w.name}) || g.Mail == g.Server || g.Mail != (i == 10) {
			t.Errorf("%s: got %v, mail %v, server %v", w.name, names, g.Mail, g.Server)
		}
		if g.Subject != w.subject || g.SerialText() != w.serial || !slices.Equal(g.Odd, w.odd) {
			t.Errorf("%s: got %q, serial %s, odd %v, want %q, %s, %v", w.name, g.Subject, g.SerialText(), g.Odd, w.subject, w.serial, w.odd)
		}
		if g.NotAfter.Format("2006-01-02") != "2027-09-01" || g.Key.Algorithm != "EC P-256" || pki.Distinguished(g.Issuer) != "CN=Old Issuing 2" {
			t.Errorf("%s: got until %v, %s, by %s", w.name, g.NotAfter, g.Key.Algorithm, pki.Distinguished(g.Issuer))
		}
		if kept, err := pki.ParseKept(all[i]); err != nil || kept.Subject != w.subject || kept.Key.Algorithm != "EC P-256" {
			t.Errorf("%s: once kept got %q, %v, want it read as before", w.name, kept.Subject, err)
		}
	}
}

// TestCertificatesInPKCS7AreRead, in every frame they come in; an odd one among
// them spoils nothing.
func TestCertificatesInPKCS7AreRead(t *testing.T) {
	t.Parallel()
	file := sampleFile(t, "50c-old.p7b")
	all, err := pki.EarlierFile(file)
	if err != nil || len(all) != 3 {
		t.Fatalf("got %d certificates, %v, want 3", len(all), err)
	}
	leaf, err := pki.ParseEarlier(all[1])
	if err != nil || !slices.Equal(leaf.DNS, []string{"dst-autumn.institut.example"}) || len(leaf.Odd) != 0 {
		t.Errorf("got %v with %v, %v, want dst-autumn.institut.example and nothing odd", leaf.DNS, leaf.Odd, err)
	}
	if above, _, err := pki.Above(all[1], all...); err != nil || len(above) != 1 {
		t.Errorf("got %d above it, %v, want its issuer from the same file", len(above), err)
	}

	odd, err := pki.EarlierFile(sampleFile(t, "51-old-all.pem"))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := pki.PKCS7(odd...)
	if err != nil {
		t.Fatal(err)
	}
	trusted := append(slices.Clone(odd[0]), 0x30, 0x02, 0x0c, 0x00)
	for name, c := range map[string]struct {
		file []byte
		want int
	}{
		"DER":                                {bundle, len(odd)},
		"PEM":                                {asPEM("PKCS7", bundle), len(odd)},
		"another label":                      {asPEM("PKCS #7 SIGNED DATA", bundle), len(odd)},
		"the label of a certificate":         {asPEM("CERTIFICATE", bundle), len(odd)},
		"certificates before and behind it":  {slices.Concat(pki.PEM(odd[0]), file, pki.PEM(odd[1])), 5},
		"one that OpenSSL writes as trusted": {asPEM("TRUSTED CERTIFICATE", trusted), 1},
		"an odd one alone, in DER":           {odd[1], 1},
	} {
		if got, err := pki.EarlierFile(c.file); err != nil || len(got) != c.want {
			t.Errorf("%s: got %d certificates, %v, want %d", name, len(got), err, c.want)
		}
	}
	_, err = pki.EarlierFile(asPEM("PKCS7", bundle[:len(bundle)-1]))
	wants(t, err, "pki.given.other")
	_, err = pki.EarlierFile(asPEM("CRL", bundle))
	wants(t, err, "pki.given.other")
	none, err := pki.PKCS7()
	if err != nil {
		t.Fatal(err)
	}
	_, err = pki.EarlierFile(none)
	wants(t, err, "pki.given.none")
	_, err = pki.EarlierFile(slices.Concat(file, asPEM("PRIVATE KEY", []byte{0x30, 0})))
	wants(t, err, "pki.given.private_key")
}

// TestTheChainOfAnOddCertificateIsFound, also through an odd authority, and only
// where the signature is good.
func TestTheChainOfAnOddCertificateIsFound(t *testing.T) {
	t.Parallel()
	name := func(cn string) []byte { // as no type of string may have it
		der, err := asn1.Marshal(pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: asn1.RawValue{Tag: asn1.TagPrintableString, Bytes: []byte(cn)}}}})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	key, other := ecKey(t, elliptic.P384()), ecKey(t, elliptic.P384())
	root := &x509.Certificate{RawSubject: name("Old_Root"), IsCA: true, BasicConstraintsValid: true}
	leaf := &x509.Certificate{RawSubject: name("alt_1"), DNSNames: []string{"alt.institut.example"}}
	sign := func(c *x509.Certificate, by *ecdsa.PrivateKey) []byte {
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(7), now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
		der, err := x509.CreateCertificate(rand.Reader, c, root, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x509.ParseCertificate(der); err == nil {
			t.Fatal("the library reads what this test takes for odd")
		}
		return der
	}
	above := sign(root, key)
	if g, err := pki.ParseEarlier(above); err != nil || !g.Authority {
		t.Errorf("got %+v, %v, want an authority", g, err)
	}
	chain, whole, err := pki.Above(sign(leaf, key), above)
	if err != nil || !whole || len(chain) != 1 || !bytes.Equal(chain[0], above) || !pki.SelfSigned(above) {
		t.Errorf("got %d above it, whole %v, %v, want the odd root", len(chain), whole, err)
	}
	if chain, whole, err = pki.Above(sign(leaf, other), above); err != nil || whole || len(chain) != 0 {
		t.Errorf("signed by another key: got %d above it, whole %v, %v, want nobody", len(chain), whole, err)
	}
}
