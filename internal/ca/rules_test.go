package ca_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/lint"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// strict is an authority that is bound by rules which request does not keep: its
// addresses lie below .example.
func strict(t *testing.T, url string, off ...string) *ca.Local {
	t.Helper()
	db := pgtest.Open(t, url)
	l, err := ca.Open(t.Context(), db, sealer(t, db), clock, base, ca.Rules{Mail: pki.Policy{Mode: pki.PublicBR}, Off: off})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNothingIsSignedThatBreaksARule(t *testing.T) {
	t.Parallel()
	l, db := newLocal(t, options)
	hard := strict(t, db.Config().ConnString(), "w_smime_aia_contains_internal_names")
	r := request(t, 1)
	r.Profile = pki.MailIndividual
	_, err := campus.Signed(t.Context(), hard, r)
	wants(t, err, "ca.rules")
	if refusal, ok := errors.AsType[*lint.Refusal](err); !ok || lint.Rules(refusal.Findings)[0] != "w_smime_aia_contains_internal_names" {
		t.Errorf("got %v, want it to name the rule", err)
	}
	var n int
	if err := db.QueryRow(t.Context(), "select count(*) from ca_issued").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d certificates are recorded (%v), want none", n, err)
	}
	c := trial.Must(campus.Signed(t.Context(), l, r))
	var report lint.Report
	err = json.Unmarshal(trial.Must(l.Collect(t.Context(), r, "")).Checks, &report)
	if err != nil || !report.Clean() || report.Version != lint.Version || report.Profile != string(pki.MailIndividual) {
		t.Errorf("got the checks %+v, %v; want them written down", report, err)
	}
	if again, err := campus.Signed(t.Context(), hard, r); err != nil || !bytes.Equal(again.DER, c.DER) {
		t.Errorf("asked again under harder rules: got %v, want the certificate that there is", err)
	}
}

func TestRulesThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]ca.Rules{
		"an unknown mode":                 {Mail: pki.Policy{Mode: "public"}},
		"no arc":                          {TLS: pki.Policy{Arc: "petschaft"}},
		"half an arc":                     {TLS: pki.Policy{Arc: "1.3"}},
		"the arc of the CA/Browser Forum": {Mail: pki.Policy{Arc: "2.23.140.1"}},
		"an unknown rule":                 {Off: []string{"w_aia"}},
	} {
		if r.Check() == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	if err := (ca.Rules{Mail: pki.Policy{Mode: pki.PublicBR, Arc: "1.3.6.1.4.1.1"}, Off: []string{"validity"}}).Check(); err != nil {
		t.Errorf("got %v, want good rules taken", err)
	}
}

func TestOnlyAnAuthorityMadeForItGivesSignIn(t *testing.T) {
	t.Parallel()
	plain, _ := newLocal(t, options)
	o := options
	o.Multipurpose = true
	multi, _ := newLocal(t, o)
	if plain.Gives(pki.MailMulti) || !multi.Gives(pki.MailMulti) || !plain.Gives(pki.MailSponsored) || !plain.Gives(pki.TLSDomain) || plain.Gives("nothing") {
		t.Error("what the authorities give is not what they were made for")
	}
	r := request(t, 1)
	r.Profile, r.Sponsor = pki.MailMulti, pki.Sponsor{Organisation: "Botanischer Garten", Identifier: "GOVDE", Country: "DE"}
	_, err := campus.Signed(t.Context(), plain, r)
	wants(t, err, "ca.rules")
	if _, err := campus.Signed(t.Context(), multi, r); err != nil {
		t.Errorf("got %v, want it signed", err)
	}
}
