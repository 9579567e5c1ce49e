package order_test

import (
	"crypto/x509"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

const policyArc = "1.3.6.1.4.1.99999.7"

// obeying lets the portal's own authority issue by other rules, as after a
// restart with other settings.
func (r *rig) obeying(t testing.TB, rules ca.Rules) {
	t.Helper()
	sealer := trial.Must(r.db.Sealer(t.Context(), make([]byte, 32)))
	r.local = trial.Must(ca.Open(t.Context(), r.db, sealer, r.Now, trial.Must(url.Parse("http://pki.example")), rules))
	r.use(r.local)
	r.Cert.Authority = r.local
}

// vouching makes an organisation vouch for uni.example.
func (r *rig) vouching(t testing.TB, identifier, country string) {
	t.Helper()
	orgs := r.Mailbox.Org
	o, err := orgs.AddOrganisation(t.Context(), r.officer, org.OrganisationInput{
		Name: "Universität Beispiel", Identifier: identifier, Country: country, Contact: r.contact.Account,
	})
	r.ok(t, err)
	in := r.domainInput(org.ByDomain)
	in.Vouching = o
	r.ok(t, orgs.EditDomain(t.Context(), r.officer, r.domain, in))
}

func (r *rig) issued(t testing.TB, by person.Actor, address string) (cert.Certificate, *x509.Certificate) {
	t.Helper()
	id := r.apply(t, by, r.linked(t, by, address))
	r.ok(t, r.Issue(t.Context(), id))
	c := r.one(t, id)
	return c, trial.Must(x509.ParseCertificate(c.DER))
}

func TestACertificateNamesTheOrganisationThatVouchesForItsDomain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		identifier, country string
		want                string
		policy              string
	}{
		"with an identifier":              {"NTRDE-DER3306.HRB12345", "DE", "C=DE, O=Universität Beispiel, organizationIdentifier=NTRDE-DER3306.HRB12345, CN=Ada Adler, GN=Ada, SN=Adler", ".5.3.3"},
		"a public body":                   {"GOVDE+BY", "DE", "C=DE, O=Universität Beispiel, organizationIdentifier=GOVDE+BY, CN=Ada Adler, GN=Ada, SN=Adler", ".5.3.3"},
		"without one":                     {"", "DE", "CN=Ada Adler, GN=Ada, SN=Adler", ".5.4.3"},
		"with one of another country":     {"NTRAT-12345", "DE", "CN=Ada Adler, GN=Ada, SN=Adler", ".5.4.3"},
		"with one of a scheme unheard of": {"XYZDE-12345", "DE", "CN=Ada Adler, GN=Ada, SN=Adler", ".5.4.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := localRig(t)
			r.obeying(t, ca.Rules{Mail: pki.Policy{Arc: policyArc}})
			r.vouching(t, c.identifier, c.country)
			got, x := r.issued(t, r.ada, "ada@uni.example")
			if got.Subject != c.want {
				t.Errorf("got the Subject %q, want %q", got.Subject, c.want)
			}
			if len(x.Policies) != 1 || x.Policies[0].String() != policyArc+c.policy {
				t.Errorf("got the policies %v, want %s%s", x.Policies, policyArc, c.policy)
			}
		})
	}
}

func TestAFunctionsCertificateNamesItsMailboxAlone(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	r.obeying(t, ca.Rules{Mail: pki.Policy{Arc: policyArc}})
	r.vouching(t, "GOVDE", "DE")
	row, err := r.Mailbox.Add(t.Context(), r.contact, "uni.example", mailbox.Input{
		Kind: mailbox.Functional, Name: "Kasse", Primary: "kasse@uni.example", Applicant: "ada@people.example",
	})
	r.ok(t, err)
	r.confirm(t, r.ada, row.ID)
	id := r.apply(t, r.ada, row.ID)
	r.ok(t, r.Issue(t.Context(), id))
	if got := r.one(t, id).Subject; got != "E=kasse@uni.example" {
		t.Errorf("got the Subject %q, want the mailbox alone", got)
	}
}

// TestWhatWouldBreakARuleIsNotSigned: a public authority has nothing for
// .example, which nobody can have, nor for addresses of its own below it.
func TestWhatWouldBreakARuleIsNotSigned(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	r.obeying(t, ca.Rules{Mail: pki.Policy{Mode: pki.PublicBR}, Off: []string{"w_smime_aia_contains_internal_names"}})
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	r.ok(t, r.Issue(t.Context(), id))
	r.ended(t, id, order.Failed, "order.failed.rules_office")
	if got := r.application(t, id).Findings; !slices.Equal(lint.Rules(got), []string{"w_smime_aia_contains_internal_names"}) || got[0].ID != "lint.zlint" {
		t.Errorf("the office sees %+v, want the rule of zlint", got)
	}
	if n := r.campus.Scalar(`select count(*) from ca_issued`) + r.campus.Scalar(`select count(*) from certificate`); n != 0 {
		t.Errorf("%d certificates were signed, want none", n)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'order.failed' and detail ->> 'rules' like '%internal_names%'`); n != 1 {
		t.Errorf("%d audit lines name the rule, want one", n)
	}

	before := r.intended(t, id)
	r.obeying(t, ca.Rules{Mail: pki.Policy{Arc: policyArc}})
	r.clock.Advance(3 * day)
	r.ok(t, r.Retry(t.Context(), r.officer, id))
	r.ok(t, r.Issue(t.Context(), id))
	c := r.one(t, id)
	if r.intended(t, id) == before || c.NotBefore.Before(r.Now().Add(-2*time.Hour)) {
		t.Errorf("it begins at %v with the serial of before, want another intent: nothing was signed for the first", c.NotBefore)
	}
}

func TestAnOrderThatWouldBreakARuleTellsTheOffice(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	h.obeying(t, ca.Rules{TLS: pki.Policy{Mode: pki.PublicBR}})
	o := h.approved(t, "www.uni.example")
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	failed := h.is(t, o.Reference, order.Failed)
	if failed.Reason != "order.failed.rules_office" || !slices.Contains(lint.Rules(failed.Findings), "e_dnsname_not_valid_tld") {
		t.Errorf("got %q with %v, want the rule about names that nobody can have", failed.Reason, lint.Rules(failed.Findings))
	}
	h.obeying(t, ca.Rules{})
	h.ok(t, h.RetryOrder(t.Context(), h.otto, o.Reference))
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	if again := h.is(t, o.Reference, order.Issued); slices.Equal(again.Serial, failed.Serial) {
		t.Error("the second intent has the serial of the first, for which nothing was signed")
	}
}

// TestAnIntentFromBeforeThePoliciesIsSignedAsItWasMeant: it names none.
func TestAnIntentFromBeforeThePoliciesIsSignedAsItWasMeant(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	r.obeying(t, ca.Rules{Mail: pki.Policy{Arc: policyArc}})
	r.vouching(t, "GOVDE", "DE")
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	r.exec(t, `delete from intent`) // the version before knows none
	r.exec(t, `update application set state = 'issuing', organisation = '', identifier = '', country = '', proof = '[]', profile = 'mail-personal', common_name = 'Ada Adler', given_name = 'Ada', surname = 'Adler',
		emails = '{ada@uni.example}', serial = $2, not_before = $3 where id = $1`, id, pki.NewSerial(), pki.NotBefore(r.Now()))
	r.clock.Advance(3 * day)
	r.ok(t, r.Issue(t.Context(), id))
	c := r.one(t, id)
	if x := trial.Must(x509.ParseCertificate(c.DER)); c.Subject != "CN=Ada Adler, GN=Ada, SN=Adler" || len(x.Policies) > 0 {
		t.Errorf("got %q with policies %v, want what the intent meant", c.Subject, x.Policies)
	}
	if e := trial.Must(r.Cert.Evidence(t.Context(), r.ada, c.ID)); len(e.Addresses) != 0 || !e.Checks.Clean() || e.Checks.Profile != "mail-personal" {
		t.Errorf("got the evidence %+v, want the checks, and of addresses what is known: nothing", e)
	}
}

func TestAKeyBelongsToOnePerson(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	in := order.Input{CSR: csr(t, ecKey(t)), Terms: r.Terms}
	mine, other := r.linked(t, r.ada, "ada@uni.example"), r.linked(t, r.bob, "bob@uni.example")
	id := trial.Must(r.Apply(t.Context(), r.ada, mine, in)).ID
	r.ok(t, r.Issue(t.Context(), id))
	r.one(t, id)
	second := trial.Must(r.Apply(t.Context(), r.bob, other, in)).ID
	r.ok(t, r.Issue(t.Context(), second))
	r.ended(t, second, order.Refused, "lint.key_shared")
}

func TestTheEvidenceSaysWhoConfirmedWhatWhen(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	row := r.linked(t, r.ada, "ada@uni.example", "ada.adler@uni.example")
	confirmed := r.Now()
	r.clock.Advance(time.Hour)
	id := r.apply(t, r.ada, row)
	applied := r.Now()
	r.clock.Advance(time.Hour)
	r.ok(t, r.Issue(t.Context(), id))
	c := r.one(t, id)
	r.off(t, row) // what happens later changes nothing
	e := trial.Must(r.Cert.Evidence(t.Context(), r.ada, c.ID))
	if len(e.Addresses) != 2 {
		t.Fatalf("got evidence of %d addresses, want 2: %+v", len(e.Addresses), e.Addresses)
	}
	for i, want := range []string{"ada@uni.example", "ada.adler@uni.example"} {
		a := e.Addresses[i]
		if a.Address != want || a.Account != r.ada.Account || a.By != "Ada Adler" || a.Confirmed == nil || !a.Confirmed.Equal(confirmed) || a.Challenge == 0 || a.Round == 0 {
			t.Errorf("got %+v, want %s confirmed by Ada Adler at %v", a, want, confirmed)
		}
		if a.ProofMethod != "DNS TXT" || a.ProofBy != "Rita Amt" || a.ProofUntil == nil {
			t.Errorf("%s: got %+v, want how the domain was validated", want, a)
		}
	}
	if e.Terms.Version != r.Terms || !e.Terms.Accepted.Equal(applied) || e.Holder.Name != "Ada Adler" || e.Serial != pki.Colons(c.Serial) {
		t.Errorf("got terms %+v, holder %+v, serial %s", e.Terms, e.Holder, e.Serial)
	}
	if !e.Checks.Clean() || e.Checks.Version != lint.Version || e.Checks.Profile != string(pki.MailIndividual) || len(e.Checks.Passed) < 30 || e.Checks.Zlint.Passed < 40 {
		t.Errorf("got the checks %+v, want all of them passed", e.Checks)
	}
	for name, by := range map[string]person.Actor{"the contact": r.contact, "an officer": r.officer} {
		if _, err := r.Cert.Evidence(t.Context(), by, c.ID); err != nil {
			t.Errorf("%s: got %v, want the evidence", name, err)
		}
	}
	if _, err := r.Cert.Evidence(t.Context(), r.bob, c.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("somebody else: got %v, want it missing", err)
	}
	for _, sql := range []string{`delete from evidence`, `update evidence set rules = ''`} {
		if _, err := r.db.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "evidence stays") {
			t.Errorf("%s: got %v, want it refused", sql, err)
		}
	}
}

func TestTheEvidenceOfAServerSaysWhoApprovedAndWhatWasProven(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	c := h.issued(t, "www.uni.example", "uni.example")
	e := trial.Must(h.Cert.ServerEvidence(t.Context(), h.tina, c.Reference))
	if len(e.Names) != 2 || e.Names[0].Name != "www.uni.example" || e.Names[0].Domain != "uni.example" || e.Names[0].Method != "DNS TXT" || e.Names[0].Until == nil {
		t.Errorf("got %+v, want how uni.example was validated", e.Names)
	}
	if e.Order == nil || e.Order.SubmittedBy.Name != "Tina Technik" || e.Order.ApprovedBy == nil || e.Order.ApprovedBy.Name != "Otto Ober" || e.Order.Approved == nil {
		t.Errorf("got %+v, want Tina's order as Otto approved it", e.Order)
	}
	if !e.Checks.Clean() || e.Checks.Profile != string(pki.TLSDomain) {
		t.Errorf("got %+v, want every rule passed", e.Checks)
	}
	h.rule(t, true)
	reference := h.submit(t, "mail.uni.example")
	h.ok(t, h.Fulfil(t.Context(), h.see(t, reference).ID))
	if e := trial.Must(h.Cert.ServerEvidence(t.Context(), h.otto, reference)); e.Order.ApprovedBy != nil {
		t.Errorf("got %+v, want it approved by the rule, by nobody", e.Order)
	}
	if _, err := h.Cert.ServerEvidence(t.Context(), h.ada, reference); !fault.Is(err, fault.Missing) {
		t.Errorf("somebody else: got %v, want it missing", err)
	}
}

// TestWhatAnAuthorityElsewhereSignsIsCheckedToo: what is found is written down.
func TestWhatAnAuthorityElsewhereSignsIsCheckedToo(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	c, _ := r.issued(t, r.ada, "ada@uni.example")
	e := trial.Must(r.Cert.Evidence(t.Context(), r.ada, c.ID))
	if e.Checks == nil || !slices.Contains(lint.Rules(e.Checks.Findings), "list-address") {
		t.Errorf("got %+v, want it to say that the certificate names no list", e.Checks)
	}
}
