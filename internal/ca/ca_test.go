package ca_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

func TestOpenSSLAcceptsAndRefusesWhatItShould(t *testing.T) {
	t.Parallel()
	elsewhere := options
	elsewhere.RootKey = newKey(t)
	for name, o := range map[string]ca.Options{"the root's key sealed here": options, "the root's key elsewhere": elsewhere} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, _ := newLocal(t, o)
			c, err := campus.Signed(t.Context(), l, request(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			if out, err := verify(t, l, c.DER, lists(t, l)...); err != nil || !strings.Contains(out, "leaf: OK") {
				t.Errorf("openssl says %v\n%s\nwant OK", err, out)
			}
			out, err := verify(t, l, c.DER, lists(t, l, pki.Revocation{Serial: c.Serial, At: now, Reason: pki.Superseded})...)
			if err == nil || !strings.Contains(out, "certificate revoked") {
				t.Errorf("after revocation openssl says %v\n%s\nwant it revoked", err, out)
			}
		})
	}
}

func TestOneIntentHasOneCertificate(t *testing.T) {
	t.Parallel()
	l, db := newLocal(t, options)
	r := request(t, 42)
	url := db.Config().ConnString()
	got := make([][]byte, 50)
	var all sync.WaitGroup
	others := []*ca.Local{l, open(t, pgtest.Open(t, url)), open(t, pgtest.Open(t, url))} // as three processes
	for i := range got {
		all.Go(func() {
			c, err := campus.Signed(t.Context(), others[i%len(others)], r)
			if err != nil {
				t.Error(err)
			}
			got[i] = c.DER
		})
	}
	all.Wait()
	again, err := campus.Signed(t.Context(), open(t, pgtest.Open(t, url)), r)
	if err != nil {
		t.Fatal(err)
	}
	for i, der := range got {
		if !bytes.Equal(der, again.DER) {
			t.Fatalf("call %d got other bytes than a call after reopening: %x, want %x", i, der, again.DER)
		}
	}
	var n int
	if err := db.QueryRow(t.Context(), "select count(*) from ca_issued").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d certificates are recorded (%v), want one", n, err)
	}
}

func TestAnIntentThatAsksForSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	l, db := newLocal(t, options)
	r := request(t, 1)
	first, err := campus.Signed(t.Context(), l, r)
	if err != nil {
		t.Fatal(err)
	}
	otherKey, otherName, otherSerial := r, r, r
	otherKey.Key = request(t, 1).Key
	otherName.CommonName = "Eve"
	otherSerial.Serial = pki.NewSerial()
	for _, q := range []pki.Request{otherKey, otherName, otherSerial} {
		if _, err := campus.Signed(t.Context(), l, q); !fault.Is(err, fault.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		} else {
			wants(t, err, "ca.intent")
		}
	}
	if again, err := campus.Signed(t.Context(), l, r); err != nil || !bytes.Equal(again.DER, first.DER) {
		t.Errorf("the first request again: got %v, want its certificate", err)
	}
	sameSerial := request(t, 2)
	sameSerial.Serial = r.Serial
	_, err = campus.Signed(t.Context(), l, sameSerial)
	wants(t, err, "schema.ca_issued_serial")
	for _, sql := range []string{"delete from ca_issued", "update ca_issued set der = ''"} {
		if _, err := db.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: it worked, want what was signed to stay", sql)
		}
	}
}

func TestWhatMayNotBeSignedIsNot(t *testing.T) {
	t.Parallel()
	l, db := newLocal(t, options)
	r := request(t, 1)
	r.Emails = nil
	_, err := campus.Signed(t.Context(), l, r)
	wants(t, err, "pki.request.no_address")
	late := request(t, 2)
	late.NotBefore = pki.NotBefore(now.AddDate(9, 0, 0))
	_, err = campus.Signed(t.Context(), l, late)
	wants(t, err, "ca.ended")
	var n int
	if err := db.QueryRow(t.Context(), "select count(*) from ca_issued").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d certificates are recorded (%v), want none", n, err)
	}
	if _, err := l.SignCRL(t.Context(), "web", 1, nil, now, now.Add(time.Hour)); err == nil {
		t.Error("a list of an authority that is not there was signed")
	}
}

func TestInitMakesAnAuthorityOnceAndChangesNothingAfter(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	if _, err := ca.Open(ctx, db, sealer(t, db), clock, base); !errors.Is(err, ca.ErrNone) {
		t.Errorf("an empty database: got %v, want ErrNone", err)
	}
	var all sync.WaitGroup
	made := make([]error, 8)
	s := sealer(t, db)
	for i := range made {
		all.Go(func() { made[i] = ca.Init(ctx, db, s, options) })
	}
	all.Wait()
	good := 0
	for _, err := range made {
		if err == nil {
			good++
		} else if !errors.Is(err, ca.ErrExists) {
			t.Errorf("got %v, want ErrExists", err)
		}
	}
	if good != 1 {
		t.Fatalf("%d of %d made an authority, want one", good, len(made))
	}
	before := open(t, db).Certificates()
	if err := ca.Init(ctx, db, s, options); !errors.Is(err, ca.ErrExists) {
		t.Errorf("later: got %v, want ErrExists", err)
	}
	for i, f := range open(t, db).Certificates() {
		if !bytes.Equal(f.DER, before[i].DER) || f.Offline {
			t.Errorf("%s is another one after a refused Init", f.Name)
		}
	}
	for i, want := range []string{"root", "mail", "tls"} {
		if before[i].Name != want {
			t.Errorf("authority %d is %q, want %q", i, before[i].Name, want)
		}
	}
}

func TestIssuingAuthoritiesAreLimitedToTheirPurpose(t *testing.T) {
	t.Parallel()
	l, _ := newLocal(t, options)
	for name, want := range map[string]x509.ExtKeyUsage{ca.Mail: x509.ExtKeyUsageEmailProtection, ca.TLS: x509.ExtKeyUsageServerAuth} {
		c, err := x509.ParseCertificate(l.Chain(name)[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != want || !c.MaxPathLenZero || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
			t.Errorf("%s: got purposes %v, path %d, usage %b", name, c.ExtKeyUsage, c.MaxPathLen, c.KeyUsage)
		}
		if c.CRLDistributionPoints[0] != "http://pki.garten.example/pki/root.crl" || c.IssuingCertificateURL[0] != "http://pki.garten.example/pki/root.crt" {
			t.Errorf("%s: got %v and %v, want the root's files", name, c.CRLDistributionPoints, c.IssuingCertificateURL)
		}
		if got, want := c.NotAfter, pki.NotBefore(now).AddDate(8, 0, 0).Add(-time.Second); !got.Equal(want) {
			t.Errorf("%s: ends %s, want %s", name, got, want)
		}
	}
	if l.Chain("web") != nil {
		t.Error("there is a chain of an authority that is not there")
	}
	c, err := campus.Signed(t.Context(), l, request(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if way, err := pki.Chain(c.DER, l.Chain(ca.Mail)...); err != nil || len(way) != 3 {
		t.Errorf("the chain file has %d certificates (%v), want three", len(way), err)
	}
}

func TestAnotherSecretOpensNothingAndChangesNothing(t *testing.T) {
	t.Parallel()
	_, db := newLocal(t, options)
	if _, err := db.Sealer(t.Context(), bytes.Repeat([]byte{8}, 32)); !errors.Is(err, postgres.ErrWrongSecret) {
		t.Errorf("got %v, want ErrWrongSecret", err)
	}
	other := pgtest.New(t)
	foreign, err := other.Sealer(t.Context(), bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(t.Context(), db, foreign, clock, base); err == nil {
		t.Error("keys opened under another secret")
	}
	if _, err := campus.Signed(t.Context(), open(t, db), request(t, 1)); err != nil {
		t.Errorf("with the right secret again: got %v, want it to issue", err)
	}
}

func TestKeysLieSealedAndEachOpensOnlyForItsAuthority(t *testing.T) {
	t.Parallel()
	_, db := newLocal(t, options)
	var keys int
	err := db.QueryRow(t.Context(), "select count(*) from authority where key is not null and position('\\x2b81040022'::bytea in key) = 0").Scan(&keys)
	if err != nil || keys != 3 {
		t.Errorf("%d keys lie sealed (%v), want 3 and nothing of a P-384 key in clear", keys, err)
	}
	if _, err := db.Exec(t.Context(), "update authority a set key = b.key from authority b where a.name = 'mail' and b.name = 'tls'"); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(t.Context(), db, sealer(t, db), clock, base); err == nil {
		t.Error("the key of tls opened for mail")
	}
}

func TestARootKeyElsewhereIsUsedAndNotKept(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		t.Fatal(err)
	}
	o := options
	o.RootKey = key
	l, db := newLocal(t, o)
	var kept bool
	if err := db.QueryRow(t.Context(), "select key is not null from authority where name = 'root'").Scan(&kept); err != nil || kept {
		t.Errorf("the root's key is in the database: %v (%v)", kept, err)
	}
	if got := l.Names(); len(got) != 2 || !l.Certificates()[0].Offline {
		t.Errorf("got lists of %v and %+v, want the root offline", got, l.Certificates()[0])
	}
	if _, err := l.SignCRL(t.Context(), ca.Root, 2, nil, now, now.Add(time.Hour)); !errors.Is(err, ca.ErrOffline) {
		t.Errorf("got %v, want ErrOffline", err)
	}
	if err := ca.RenewRootCRL(t.Context(), db, newKey(t), now); err == nil {
		t.Error("another key signed the root's list")
	}
	later := now.AddDate(0, 6, 0)
	if err := ca.RenewRootCRL(t.Context(), db, key, later); err != nil {
		t.Fatal(err)
	}
	list, ok, err := l.RootCRL(t.Context())
	if err != nil || !ok || list.Number != 2 || !list.NextUpdate.Equal(later.AddDate(0, 0, 360)) {
		t.Errorf("got %+v, %v, %v, want number 2 for 360 days", list, ok, err)
	}
}

func TestARootKeyIsReadFromItsFile(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	p8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"PKCS#8":             asPEM("PRIVATE KEY", p8),
		"SEC 1":              asPEM("EC PRIVATE KEY", sec1),
		"parameters with it": append(asPEM("EC PARAMETERS", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}), asPEM("EC PRIVATE KEY", sec1)...),
	} {
		if got, err := ca.ReadRootKey(file); err != nil || !key.Equal(got) {
			t.Errorf("%s: got %v, want the key", name, err)
		}
	}
	for name, file := range map[string][]byte{"nothing": nil, "parameters": asPEM("EC PARAMETERS", nil), "encrypted": asPEM("ENCRYPTED PRIVATE KEY", p8[:40])} {
		if _, err := ca.ReadRootKey(file); err == nil {
			t.Errorf("%s: got a key, want an error", name)
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	db := pgtest.New(b)
	s, err := db.Sealer(b.Context(), secret)
	if err != nil {
		b.Fatal(err)
	}
	if err := ca.Init(b.Context(), db, s, options); err != nil {
		b.Fatal(err)
	}
	l, err := ca.Open(b.Context(), db, s, clock, base)
	if err != nil {
		b.Fatal(err)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	key, err := pki.NewKey(signer.Public())
	if err != nil {
		b.Fatal(err)
	}
	for i := int64(1); b.Loop(); i++ {
		_, err := campus.Signed(b.Context(), l, pki.Request{
			Intent: i, Profile: pki.MailIndividual, Key: key, CommonName: "Ada", Surname: "Lovelace", Emails: []string{"ada@garten.example"},
			Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
