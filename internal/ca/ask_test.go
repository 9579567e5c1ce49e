package ca_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"petschaft/internal/ca"
	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// recorded is how many certificates were signed in all.
func recorded(t *testing.T, db *postgres.DB) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "select count(*) from ca_issued").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheOwnAuthorityAnswersAtOnceAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	l, db := newLocal(t, options)
	r := request(t, 1)
	r.Profile, r.Reference = pki.MailIndividual, "A-1"
	a, err := l.Ask(t.Context(), r)
	if err != nil || a.Kind() != pki.AnswerYes {
		t.Fatalf("got %+v and %v, want a certificate", a, err)
	}
	if different := pki.Differences(r, *a.Certificate, true, now); len(different) > 0 {
		t.Errorf("it is not what was asked for: %+v", different)
	}
	if way, err := pki.Chain(a.Certificate.DER, a.Chain...); err != nil || len(way) != 3 || bytes.Equal(a.Chain[0], a.Certificate.DER) {
		t.Errorf("the chain has %d certificates (%v), want the issuer and the root, and the leaf apart", len(a.Chain), err)
	}
	again := open(t, pgtest.Open(t, db.Config().ConnString()))
	for name, ask := range map[string]func() (pki.Answer, error){
		"asked again":                func() (pki.Answer, error) { return l.Ask(t.Context(), r) },
		"asked elsewhere":            func() (pki.Answer, error) { return again.Ask(t.Context(), r) },
		"collected":                  func() (pki.Answer, error) { return l.Collect(t.Context(), r, "") },
		"collected by any reference": func() (pki.Answer, error) { return again.Collect(t.Context(), r, "T-1") },
	} {
		b, err := ask()
		if err != nil || b.Kind() != pki.AnswerYes || !bytes.Equal(b.Certificate.DER, a.Certificate.DER) || len(b.Chain) != 2 {
			t.Errorf("%s: got %+v and %v, want the same", name, b, err)
		}
		for _, checks := range [][]byte{a.Checks, b.Checks} {
			var report lint.Report
			if err := json.Unmarshal(checks, &report); err != nil || !report.Clean() || report.Version != lint.Version || report.Profile != string(r.Profile) {
				t.Errorf("%s: got the checks %s (%v), want what was checked", name, checks, err)
			}
		}
	}
	if n := recorded(t, db); n != 1 {
		t.Errorf("%d certificates are recorded, want one", n)
	}
	if a, err := l.Revoke(t.Context(), *a.Certificate, pki.KeyCompromise); err != nil || a.Kind() != pki.AnswerNothing {
		t.Errorf("got %+v and %v, want revoking done", a, err)
	}
}

func TestTheOwnAuthoritySaysNoForGoodOrNotAtAll(t *testing.T) {
	t.Parallel()
	l, db := newLocal(t, options)
	hard := strict(t, db.Config().ConnString(), "w_smime_aia_contains_internal_names")
	r := request(t, 1)
	r.Profile = pki.MailIndividual
	a, err := hard.Ask(t.Context(), r)
	refusal, ok := errors.AsType[*lint.Refusal](a.No)
	if err != nil || a.Kind() != pki.AnswerNo || !ok || lint.Rules(refusal.Findings)[0] != "w_smime_aia_contains_internal_names" {
		t.Errorf("against a rule: got %+v and %v, want a no that names it", a, err)
	}
	if a, err := l.Collect(t.Context(), r, ""); err != nil || !errors.Is(a.No, pki.ErrUnasked) {
		t.Errorf("collected: got %+v and %v, want ErrUnasked", a, err)
	}
	if n := recorded(t, db); n != 0 {
		t.Fatalf("%d certificates are recorded, want none", n)
	}
	if _, err := l.Ask(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if a, err := hard.Ask(t.Context(), r); err != nil || a.Kind() != pki.AnswerYes || a.Checks == nil {
		t.Errorf("signed before the rule: got %+v and %v, want the certificate that there is, with its checks", a, err)
	}
	other, twin := r, request(t, 2)
	other.CommonName = "Eve"
	twin.Serial = r.Serial
	broken := request(t, 3)
	broken.Emails = nil
	for name, c := range map[string]struct {
		id  string
		ask func() (pki.Answer, error)
	}{
		"another name":            {"ca.intent", func() (pki.Answer, error) { return l.Ask(t.Context(), other) }},
		"another name, collected": {"ca.intent", func() (pki.Answer, error) { return l.Collect(t.Context(), other, "") }},
		"a serial that is taken":  {"schema.ca_issued_serial", func() (pki.Answer, error) { return l.Ask(t.Context(), twin) }},
		"no address":              {"pki.request.no_address", func() (pki.Answer, error) { return l.Ask(t.Context(), broken) }},
	} {
		a, err := c.ask()
		if f := fault.Of(a.No); err != nil || f == nil || f.ID != c.id {
			t.Errorf("%s: got %+v and %v, want a no, %s", name, a, err, c.id)
		}
	}
	late := request(t, 4)
	late.NotBefore = pki.NotBefore(now.AddDate(9, 0, 0))
	if a, err := l.Ask(t.Context(), late); a.Kind() != pki.AnswerNothing || fault.Of(err).ID != "ca.ended" {
		t.Errorf("an authority that has ended: got %+v and %v, want an error", a, err)
	}
	if n := recorded(t, db); n != 1 {
		t.Errorf("%d certificates are recorded, want one", n)
	}
}

func TestTheCallerOfChainMayChangeWhatItGot(t *testing.T) {
	t.Parallel()
	l, _ := newLocal(t, options)
	l.Chain(ca.Mail)[0] = nil
	if l.Chain(ca.Mail)[0] == nil {
		t.Error("the chain of the authority is not its own any more")
	}
}
