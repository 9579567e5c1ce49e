package lint_test

import (
	"testing"

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
	for name, x := range map[string]struct {
		data   []byte
		issuer bool
	}{
		"DER":                {c.DER, false},
		"PEM":                {pki.PEM(c.DER), false},
		"with its issuer":    {pki.PEM(c.DER, a.tls.Certificate.Raw, a.mail.Certificate.Raw), true},
		"text before it":     {append([]byte("Subject: somebody\n"), pki.PEM(c.DER)...), false},
		"a key in front too": {append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"), pki.PEM(c.DER)...), false},
	} {
		f, err := lint.ReadFile(x.data)
		if err != nil || string(f.DER) != string(c.DER) || (f.Issuer != nil) != x.issuer {
			t.Errorf("%s: got %v and issuer %v, want the certificate", name, err, f.Issuer != nil)
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "no certificate": []byte("-----BEGIN X-----\n-----END X-----\n"), "half": c.DER[:100]} {
		if _, err := lint.ReadFile(data); err == nil {
			t.Errorf("%s: it was read", name)
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
