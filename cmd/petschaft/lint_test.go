package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"petschaft/internal/pki"
	"petschaft/internal/portal"
)

// certificate is one for a mailbox, with its issuer behind it, as PEM.
func certificate(t *testing.T, p pki.Policy) []byte {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	now, rootKey, leaf := time.Now(), key(), key()
	root, err := pki.NewRoot(pki.Authority{
		Organisation: "Botanischer Garten", Country: "DE", Role: "Root CA", Years: 9, NotBefore: pki.NotBefore(now),
		Purposes: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}, rootKey)
	if err != nil {
		t.Fatal(err)
	}
	k, err := pki.NewKey(leaf.Public())
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.Issuer{
		Certificate: root, Signer: rootKey, Policy: p, CertificateURL: "http://pki.garten.de/a.crt", CRLURL: "http://pki.garten.de/a.crl",
	}.Sign(pki.Request{
		Intent: 1, Profile: pki.MailMailbox, Key: k, Emails: []string{"kasse@garten.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	return pki.PEM(c.DER, root.Raw)
}

func TestLintEndsWithAStatusThatScriptsUnderstand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const arc = "1.3.6.1.4.1.99999.7"
	good := filepath.Join(dir, "good.pem")
	text := filepath.Join(dir, "text.pem")
	for path, data := range map[string][]byte{good: certificate(t, pki.Policy{Arc: arc}), text: []byte("hello")} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		lint   lintFile
		config portal.Config
		want   int
	}{
		"a good one":           {lintFile{File: good}, portal.Config{PolicyArc: arc}, 0},
		"in German":            {lintFile{File: good, Language: "de"}, portal.Config{PolicyArc: arc}, 0},
		"of another policy":    {lintFile{File: good}, portal.Config{}, 1},
		"as another profile":   {lintFile{File: good, Profile: "tls-domain"}, portal.Config{PolicyArc: arc}, 1},
		"as a profile unheard": {lintFile{File: good, Profile: "tls"}, portal.Config{}, 2},
		"no certificate":       {lintFile{File: text}, portal.Config{}, 2},
		"no file":              {lintFile{File: filepath.Join(dir, "none")}, portal.Config{}, 2},
		"a rule unheard of":    {lintFile{File: good}, portal.Config{LintOff: []string{"x"}}, 2},
	} {
		got := 0
		if s, ok := errors.AsType[exitStatus](c.lint.Run(c.config)); ok {
			got = s.status
		}
		if got != c.want {
			t.Errorf("%s: got status %d, want %d", name, got, c.want)
		}
	}
}
