package pki_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

var now = trial.Today()

// rsaKey is one for all tests: making one takes a while.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func ecKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func keyOf(t testing.TB, s crypto.Signer) pki.Key {
	t.Helper()
	k, err := pki.NewKey(s.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// csr makes a request in DER.
func csr(t testing.TB, key crypto.Signer, change ...func(*x509.CertificateRequest)) []byte {
	t.Helper()
	r := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "mail.garten.example"}}
	for _, f := range change {
		f(r)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, r, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func requestPEM(der []byte) []byte { return asPEM("CERTIFICATE REQUEST", der) }

func wants(t *testing.T, err error, id string) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.ID != id {
		t.Errorf("got %v, want %s", err, id)
	}
}

// openssl runs the command in a directory of the test and returns what it says.
func openssl(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := try(dir, args...)
	if err != nil {
		t.Fatalf("openssl %q: %v\n%s", args, err, out)
	}
	return out
}

func try(dir string, args ...string) (string, error) {
	c := exec.Command("openssl", args...)
	c.Dir = dir
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// hierarchy is a root and an issuing authority under it.
type hierarchy struct {
	root, mail pki.Issuer
}

// yearAgo is when authorities begin: the days on which the longest life turns, in
// March, come after it.
func yearAgo() time.Time { return pki.NotBefore(now.AddDate(-1, 0, 0)) }

func newHierarchy(t testing.TB) hierarchy {
	t.Helper()
	rootKey, key := ecKey(t, elliptic.P384()), ecKey(t, elliptic.P384())
	a := pki.Authority{Organisation: "Botanischer Garten Mühlheim", Country: "DE", Role: "Root CA 2026", Years: 20, NotBefore: yearAgo()}
	root, err := pki.NewRoot(a, rootKey)
	if err != nil {
		t.Fatal(err)
	}
	h := hierarchy{root: pki.Issuer{
		Certificate: root, Signer: rootKey,
		CertificateURL: "http://pki.garten.example/pki/root.crt", CRLURL: "http://pki.garten.example/pki/root.crl",
	}}
	a.Role, a.Years, a.Leaf, a.Purposes = "Mail CA 2026", 8, true, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	mail, err := h.root.SignAuthority(a, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	h.mail = pki.Issuer{
		Certificate: mail, Signer: key,
		CertificateURL: "http://pki.garten.example/pki/mail.crt", CRLURL: "http://pki.garten.example/pki/mail.crl",
	}
	return h
}

// personal is a request that is as it should be.
func personal(t testing.TB, key crypto.Signer) pki.Request {
	t.Helper()
	return pki.Request{
		Intent: 7, Profile: pki.MailPersonal, Key: keyOf(t, key), CommonName: "Jörg Müßig", GivenName: "Jörg", Surname: "Müßig",
		Emails: []string{"joerg.muessig@garten.example", "jm@garten.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}
}

func functional(t testing.TB, key crypto.Signer) pki.Request {
	t.Helper()
	return pki.Request{
		Intent: 8, Profile: pki.MailFunctional, Key: keyOf(t, key), CommonName: "ignored", GivenName: "ignored",
		Emails: []string{"Kasse@garten.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}
}

func sign(t testing.TB, a pki.Issuer, r pki.Request) pki.Certificate {
	t.Helper()
	c, err := a.Sign(r, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func dnsNames(names ...string) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) { r.DNSNames = names }
}

// decoded is the DER of the one block in data.
func decoded(t testing.TB, data []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatal("this is no PEM")
	}
	return block.Bytes
}

// rawRequest is a request that is signed properly, whatever subject and
// attributes are; without attributes it has no field for them.
func rawRequest(t testing.TB, subject, attributes []byte) []byte {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	marshal := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	sequence := func(parts ...[]byte) []byte {
		return marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Join(parts, nil)})
	}
	parts := [][]byte{marshal(0), subject, keyOf(t, key).SPKI}
	if attributes != nil {
		parts = append(parts, marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: attributes}))
	}
	info := sequence(parts...)
	digest := sha256.Sum256(info)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return sequence(info, sequence(marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})), marshal(asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}))
}
