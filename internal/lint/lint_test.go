package lint_test

import (
	"crypto"
	"testing"
	"time"

	"petschaft/internal/lint"
	"petschaft/internal/pki"
)

var policies = map[string]pki.Policy{"private, no arc": {}, "private, an arc": {Mode: pki.Private, Arc: arc}, "public": {Mode: pki.PublicBR}}

func TestTheGoodTemplateOfEveryProfilePassesEveryRule(t *testing.T) {
	t.Parallel()
	for name, p := range policies {
		a := newAuthorities(t, p)
		for _, known := range pki.Profiles() {
			for _, key := range []crypto.Signer{rsaKey(), ecKey(t)} {
				r := request(t, known.ID, key)
				if p.Public() && known.Servers {
					r.DNS = []string{"www.garten.de"} // nobody may have .example
				}
				if p.Public() && known.Silent {
					continue // what names no policy is none of a public authority
				}
				c, err := a.of(known.ID).Sign(r, now)
				if err != nil {
					t.Fatal(err)
				}
				report := a.checked(r, c.DER)
				for _, f := range report.Findings {
					t.Errorf("%s, %s, %s: got %s %v, want nothing", name, known.ID, r.Key.Algorithm, f.Rule, f.Args)
				}
				if report.Zlint.Passed < 40 {
					t.Errorf("%s, %s: zlint has %d rules for it, want many: by the policy it knows what it looks at", name, known.ID, report.Zlint.Passed)
				}
				if oid, named := p.OID(known); named != (report.Policy != "") || named && report.Policy != oid.String() {
					t.Errorf("%s, %s: got the policy %q, want %v", name, known.ID, report.Policy, oid)
				}
			}
		}
	}
}

func TestEveryRuleThatIsOverlookedOrSwitchedOffIsARule(t *testing.T) {
	t.Parallel()
	if err := lint.CheckNames(lint.Overlooked()); err != nil {
		t.Errorf("got %v: zlint has no such rule any more", err)
	}
	if err := lint.CheckNames([]string{"validity", "e_dnsname_not_valid_tld"}); err != nil {
		t.Errorf("got %v, want both known", err)
	}
	if err := lint.CheckNames([]string{"validty"}); err == nil {
		t.Error("a rule that nobody has can be switched off")
	}
}

func TestAPublicAuthorityHeedsNoRuleThatIsOff(t *testing.T) {
	t.Parallel()
	for name, p := range policies {
		a := newAuthorities(t, p)
		r := request(t, pki.MailIndividual, ecKey(t))
		der := a.forge(t, r, longLife, nil)
		report := a.checked(r, der, func(c *lint.Case) { c.Off = []string{"validity"} })
		if has(report.Findings, "validity") != p.Public() {
			t.Errorf("%s: got %v with validity off, want it found by a public authority only", name, lint.Rules(report.Findings))
		}
		if !p.Public() && (len(report.Off) != 1 || report.Off[0] != "validity") {
			t.Errorf("%s: got %v as off, want it written down", name, report.Off)
		}
	}
}

func TestWhatIsNoCertificateIsNotReadable(t *testing.T) {
	t.Parallel()
	p, _ := pki.MailMailbox.Profile()
	for _, der := range [][]byte{nil, {0x30, 0}, []byte("-----BEGIN"), make([]byte, 1000)} {
		got := lint.Case{DER: der, Profile: p}.Check()
		if !has(got.Findings, "readable") || got.Err() == nil {
			t.Errorf("%x: got %v, want it unreadable", der[:min(len(der), 4)], lint.Rules(got.Findings))
		}
	}
}

func TestFactsOfTheDatabaseRefuse(t *testing.T) {
	t.Parallel()
	r := request(t, pki.MailIndividual, ecKey(t))
	for want, f := range map[string]lint.Facts{
		"key-blocked":     {Validated: r.Emails, Blocked: true},
		"key-shared":      {Validated: r.Emails, Shared: true},
		"names-validated": {Validated: r.Emails[:1]},
	} {
		if got := f.Check(r); len(got) != 1 || got[0].Rule != want {
			t.Errorf("got %v, want %s alone", lint.Rules(got), want)
		}
	}
	if got := (lint.Facts{Validated: r.Emails}).Check(r); len(got) > 0 {
		t.Errorf("got %v, want nothing", lint.Rules(got))
	}
}

// TestTheLongestLifeOfEachDayPasses: the product's days are cut to it, so it must
// not be refused.
func TestTheLongestLifeOfEachDayPasses(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t, pki.Policy{})
	for _, at := range []time.Time{now, time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(2029, 3, 15, 1, 0, 0, 0, time.UTC)} {
		r := request(t, pki.TLSDomain, ecKey(t))
		r.Days, r.NotBefore = 398, pki.NotBefore(at)
		c, err := a.tls.Sign(r, at)
		if err != nil {
			t.Fatal(err)
		}
		got := a.checked(r, c.DER, func(c *lint.Case) { c.At = at })
		if !got.Clean() {
			t.Errorf("at %v: got %v, want nothing", at, lint.Rules(got.Findings))
		}
	}
}
