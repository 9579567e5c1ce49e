package lint_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/pki"
)

func TestAFileIsReadInEveryForm(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t, pki.Policy{Arc: arc})
	c, err := a.mail.Sign(request(t, pki.MailMailbox, ecKey(t)), now)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := pki.PKCS7(c.DER, a.mail.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		data   []byte
		issuer bool
	}{
		"DER":                {c.DER, false},
		"PEM":                {pki.PEM(c.DER), false},
		"with its issuer":    {pki.PEM(c.DER, a.tls.Certificate.Raw, a.mail.Certificate.Raw), true},
		"behind its issuer":  {pki.PEM(a.mail.Certificate.Raw, c.DER), true},
		"PKCS#7":             {bundle, true},
		"PKCS#7 as PEM":      {pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: bundle}), true},
		"an odd one behind":  {pki.PEM(c.DER, []byte{0x30, 0}), false},
		"text before it":     {append([]byte("Subject: somebody\n"), pki.PEM(c.DER)...), false},
		"a key in front too": {append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"), pki.PEM(c.DER)...), false},
	} {
		f, err := lint.ReadFile(x.data)
		if err != nil || string(f.DER) != string(c.DER) || (f.Issuer != nil) != x.issuer {
			t.Errorf("%s: got %v and issuer %v, want the certificate", name, err, f.Issuer != nil)
		}
	}
}

// TestWhatIsNoCertificateIsSaid, in words of the catalogs.
func TestWhatIsNoCertificateIsSaid(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t, pki.Policy{Arc: arc})
	c, err := a.mail.Sign(request(t, pki.MailMailbox, ecKey(t)), now)
	if err != nil {
		t.Fatal(err)
	}
	list, err := a.mail.SignCRL(1, nil, now, now.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, ecKey(t))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(ecKey(t))
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	file, err := os.ReadFile("../pki/testdata/51-old-all.pem")
	if err != nil {
		t.Fatal(err)
	}
	_, file, _ = bytes.Cut(file, []byte("-----END CERTIFICATE-----\n")) // the first is as it should be
	underscored, _ := pem.Decode(file)
	odd := underscored.Bytes
	for name, x := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                         {nil, "lint.file.none"},
		"text":                            {[]byte("hello"), "lint.file.none"},
		"half of DER":                     {c.DER[:100], "lint.file.none"},
		"another block":                   {block("X", nil), "lint.file.other"},
		"a request":                       {block("CERTIFICATE REQUEST", csr), "lint.file.request"},
		"a request of an older label":     {block("NEW CERTIFICATE REQUEST", csr), "lint.file.request"},
		"a request in DER":                {csr, "lint.file.request"},
		"a revocation list":               {block("X509 CRL", list.DER), "lint.file.crl"},
		"a revocation list in DER":        {list.DER, "lint.file.crl"},
		"a private key":                   {block("PRIVATE KEY", key), "lint.file.private_key"},
		"a private key in DER":            {key, "lint.file.private_key"},
		"a chain without its certificate": {pki.PEM(a.mail.Certificate.Raw), "lint.file.authority"},
		"an authority in DER":             {a.mail.Certificate.Raw, "lint.file.authority"},
		"no end":                          {pki.PEM(c.DER)[:300], "lint.file.cut_off"},
		"a damaged one":                   {block("CERTIFICATE", c.DER[:100]), "lint.file.damaged"},
		"one of odd form":                 {pki.PEM(odd), "lint.file.odd"},
		"one of odd form, in DER":         {odd, "lint.file.odd"},
		"one of odd form in front":        {pki.PEM(odd, c.DER), "lint.file.odd"},
	} {
		_, err := lint.ReadFile(x.data)
		if f := fault.Of(err); f == nil || f.ID != x.want {
			t.Errorf("%s: got %v, want %s", name, err, x.want)
		}
	}
}

func TestTheProfileOfAFileIsGuessed(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t, pki.Policy{Arc: arc})
	for _, p := range pki.Profiles() {
		c, err := a.of(p.ID).Sign(request(t, p.ID, ecKey(t)), now)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := lint.Guess(c.DER); !ok || got != p.ID {
			t.Errorf("got %q, want %q", got, p.ID)
		}
	}
	if got, ok := lint.Guess(a.mail.Certificate.Raw); ok && got != pki.MailFunctional {
		t.Errorf("an authority: got %q", got)
	}
}
