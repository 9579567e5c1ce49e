package ca_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

var now = trial.Today()

func clock() time.Time { return now }

var (
	secret  = bytes.Repeat([]byte{7}, 32)
	base, _ = url.Parse("http://pki.garten.example")
	options = ca.Options{Organisation: "Botanischer Garten", Country: "DE", Now: now, PKIURL: base}
)

func sealer(t *testing.T, db *postgres.DB) *postgres.Sealer {
	t.Helper()
	s, err := db.Sealer(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T, db *postgres.DB) *ca.Local {
	t.Helper()
	l, err := ca.Open(t.Context(), db, sealer(t, db), clock, base)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// newLocal is an authority in a database of its own.
func newLocal(t *testing.T, o ca.Options) (*ca.Local, *postgres.DB) {
	t.Helper()
	db := pgtest.New(t)
	if err := ca.Init(t.Context(), db, sealer(t, db), o); err != nil {
		t.Fatal(err)
	}
	return open(t, db), db
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func request(t *testing.T, intent int64) pki.Request {
	t.Helper()
	k, err := pki.NewKey(newKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return pki.Request{
		Intent: intent, Profile: pki.MailPersonal, Key: k, CommonName: "Ada Lovelace", GivenName: "Ada", Surname: "Lovelace",
		Emails: []string{"ada@garten.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}
}

func wants(t *testing.T, err error, id string) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.ID != id {
		t.Errorf("got %v, want %s", err, id)
	}
}

func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// verify asks OpenSSL about a certificate with every list on its way.
func verify(t *testing.T, l *ca.Local, leaf []byte, lists ...pki.CRL) (string, error) {
	t.Helper()
	dir := t.TempDir()
	chain := l.Chain(ca.Mail)
	if len(chain) != 2 {
		t.Fatalf("the chain of mail has %d certificates, want it and the root", len(chain))
	}
	var all []byte
	for _, list := range lists {
		all = append(all, asPEM("X509 CRL", list.DER)...)
	}
	for name, data := range map[string][]byte{"leaf": pki.PEM(leaf), "mail": pki.PEM(chain[0]), "root": pki.PEM(chain[1]), "lists": all} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("openssl", "verify", "-x509_strict", "-attime", fmt.Sprint(now.Add(time.Minute).Unix()), "-CAfile", "root", "-untrusted", "mail",
		"-CRLfile", "lists", "-crl_check_all", "-purpose", "smimesign", "leaf")
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}

func lists(t *testing.T, l *ca.Local, revoked ...pki.Revocation) []pki.CRL {
	t.Helper()
	var all []pki.CRL
	for _, name := range l.Names() {
		of := revoked
		if name != ca.Mail {
			of = nil
		}
		list, err := l.SignCRL(t.Context(), name, 2, of, now, now.AddDate(0, 0, 7))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list)
	}
	if list, ok, err := l.RootCRL(t.Context()); err != nil {
		t.Fatal(err)
	} else if ok {
		all = append(all, list)
	}
	return all
}
