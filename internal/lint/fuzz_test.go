package lint_test

import (
	"testing"

	"petschaft/internal/lint"
	"petschaft/internal/pki"
)

// FuzzCheck: no bytes make the rules fall over, and none but a whole certificate
// pass them.
func FuzzCheck(f *testing.F) {
	a := newAuthorities(f, pki.Policy{Arc: arc})
	r := request(f, pki.MailSponsored, ecKey(f))
	good, err := a.mail.Sign(r, now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.DER)
	f.Add(good.DER[:len(good.DER)-1])
	f.Fuzz(func(t *testing.T, der []byte) {
		report := a.checked(r, der)
		if _, err := pki.ParseCertificate(der); err != nil && report.Clean() {
			t.Fatalf("%x passes every rule and cannot be read: %v", der, err)
		}
		_, _ = lint.ReadFile(der)
		_, _ = lint.Guess(der)
	})
}
