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
	text, request := filepath.Join(dir, "text.pem"), filepath.Join(dir, "request.pem")
	for path, data := range map[string][]byte{good: certificate(t, pki.Policy{Arc: arc}), text: []byte("hello"), request: []byte("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n")} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		lint   lintFile
		config portal.Config
		want   int
		says   string
	}{
		"a good one":           {lintFile{File: good}, portal.Config{PolicyArc: arc}, 0, ""},
		"in German":            {lintFile{File: good, Language: "de"}, portal.Config{PolicyArc: arc}, 0, ""},
		"of another policy":    {lintFile{File: good}, portal.Config{}, 1, ""},
		"as another profile":   {lintFile{File: good, Profile: "tls-domain"}, portal.Config{PolicyArc: arc}, 1, ""},
		"as a profile unheard": {lintFile{File: good, Profile: "tls"}, portal.Config{}, 2, ""},
		"no certificate":       {lintFile{File: text, Language: "en"}, portal.Config{}, 2, "The file contains no certificate, neither as PEM nor as DER or PKCS#7."},
		"a request, in German": {lintFile{File: request, Language: "de"}, portal.Config{}, 2, "Das ist ein Zertifikatsantrag (CSR). Geprüft werden Zertifikate, die daraus ausgestellt wurden."},
		"no file":              {lintFile{File: filepath.Join(dir, "none")}, portal.Config{}, 2, ""},
		"a rule unheard of":    {lintFile{File: good}, portal.Config{LintOff: []string{"x"}}, 2, ""},
	} {
		got := 0
		err := c.lint.Run(c.config)
		if s, ok := errors.AsType[exitStatus](err); ok {
			got = s.status
		}
		if c.says != "" && (err == nil || err.Error() != c.lint.File+": "+c.says) {
			t.Errorf("%s: got %q, want the words %q", name, err, c.says)
		}
		if got != c.want {
			t.Errorf("%s: got status %d, want %d", name, got, c.want)
		}
	}
}
