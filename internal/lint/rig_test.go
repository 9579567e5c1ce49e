package lint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync"
	"testing"

	"petschaft/internal/lint"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

var now = trial.Today()

const arc = "1.3.6.1.4.1.99999.7"

// rsaKey is one for all tests: making one takes a while.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		panic(err)
	}
	return k
})

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// authorities are an issuer for mail and one for servers under one root.
type authorities struct{ mail, tls pki.Issuer }

func newAuthorities(t testing.TB, p pki.Policy) authorities {
	t.Helper()
	a := pki.Authority{Organisation: "Botanischer Garten", Country: "DE", Role: "Root CA 2026", Years: 20, NotBefore: pki.NotBefore(now.AddDate(-1, 0, 0))}
	issuer := func(name string, c *x509.Certificate, k crypto.Signer) pki.Issuer {
		return pki.Issuer{
			Certificate: c, Signer: k, Policy: p,
			CertificateURL: "http://pki.garten.de/pki/" + name + ".crt", CRLURL: "http://pki.garten.de/pki/" + name + ".crl",
		}
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	rootKey := key()
	c, err := pki.NewRoot(a, rootKey)
	if err != nil {
		t.Fatal(err)
	}
	root := issuer("root", c, rootKey)
	below := func(name, role string, purposes ...x509.ExtKeyUsage) pki.Issuer {
		k := key()
		a.Role, a.Years, a.Leaf, a.Purposes = role, 8, true, purposes
		c, err := root.SignAuthority(a, k.Public())
		if err != nil {
			t.Fatal(err)
		}
		return issuer(name, c, k)
	}
	return authorities{
		mail: below("mail", "Mail CA 2026", x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageClientAuth),
		tls:  below("tls", "TLS CA 2026", x509.ExtKeyUsageServerAuth),
	}
}

var sponsor = pki.Sponsor{Organisation: "Botanischer Garten Mühlheim", Identifier: "NTRDE-DER3306.HRB12345", Country: "DE"}

// request is one for id that is as it should be.
func request(t testing.TB, id pki.ProfileID, key crypto.Signer) pki.Request {
	t.Helper()
	k, err := pki.NewKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	r := pki.Request{Intent: 7, Profile: id, Key: k, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now)}
	p, _ := id.Profile()
	switch {
	case p.Servers:
		r.DNS = []string{"www.garten.example", "garten.example"}
	case len(p.Subject) == 1:
		r.Emails = []string{"Kasse@garten.example"}
	default:
		r.CommonName, r.GivenName, r.Surname = "Jörg Müßig", "Jörg", "Müßig"
		r.Emails = []string{"joerg.muessig@garten.example", "jm@garten.example"}
		if id == pki.MailSponsored || id == pki.MailMulti {
			r.Sponsor = sponsor
		}
	}
	return r
}

func (a authorities) of(id pki.ProfileID) pki.Issuer {
	if p, _ := id.Profile(); p.Servers {
		return a.tls
	}
	return a.mail
}

// checked is what the rules say of der, made for r by a.
func (a authorities) checked(r pki.Request, der []byte, change ...func(*lint.Case)) lint.Report {
	p, _ := r.Profile.Profile()
	by := a.of(r.Profile)
	c := lint.Case{
		DER: der, Profile: p, Policy: by.Policy, Issuer: by.Certificate, At: now, Given: &pki.Names{Emails: r.Emails, DNS: r.DNS},
	}
	for _, f := range change {
		f(&c)
	}
	return c.Check()
}

// forge signs what a certificate for r would be after change; key nil: that of
// the good one.
func (a authorities) forge(t testing.TB, r pki.Request, change func(*x509.Certificate), key crypto.PublicKey) []byte {
	t.Helper()
	by := a.of(r.Profile)
	good, err := by.Sign(r, now)
	if err != nil {
		t.Fatal(err)
	}
	x, err := x509.ParseCertificate(good.DER)
	if err != nil {
		t.Fatal(err)
	}
	x.ExtraExtensions, x.SignatureAlgorithm = nil, 0
	if key == nil {
		key = x.PublicKey
	}
	parent := *by.Certificate
	if change != nil {
		change(x)
	}
	if x.Issuer.CommonName == "Eve" {
		parent.RawSubject = x.RawIssuer
	}
	if x.AuthorityKeyId != nil && string(x.AuthorityKeyId) == "eve" {
		parent.SubjectKeyId = x.AuthorityKeyId
	}
	der, err := x509.CreateCertificate(rand.Reader, x, &parent, key, by.Signer)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func has(found []lint.Finding, name string) bool {
	return slices.Contains(lint.Rules(found), name)
}

// sequence is DER of a Subject: attributes, each in an RDN of its own.
func sequence(t testing.TB, pairs ...any) []byte {
	t.Helper()
	type one struct {
		Type  asn1.ObjectIdentifier
		Value any
	}
	var sets []asn1.RawValue
	for i := 0; i < len(pairs); i += 2 {
		der, err := asn1.Marshal(one{pairs[i].(asn1.ObjectIdentifier), pairs[i+1]})
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: der})
	}
	der, err := asn1.Marshal(sets)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func number(n int64) *big.Int { return big.NewInt(n) }
