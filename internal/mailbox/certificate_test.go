package mailbox_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// certify leaves what issuing a certificate leaves here, and returns its number.
func (r *rig) certify(t testing.TB, holder person.Actor, id mailbox.ID, until time.Time, addresses ...string) int64 {
	t.Helper()
	n := r.certificates.Add(1)
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		return r.NoteCertificate(t.Context(), tx, mailbox.Certified{
			Certificate: n, Row: id, Account: holder.Account, Issued: r.Now(), Ends: until, Addresses: addresses,
		})
	}))
	return n
}

func (r *rig) revoke(t testing.TB, id mailbox.ID, certificate int64) {
	t.Helper()
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error { return r.NoteRevocation(t.Context(), tx, id, certificate, r.Now()) }))
}

// certify is an issuance to the row's person, for the addresses that the row has
// now or for some of them.
func (m *walker) certify() did {
	_, _, r := m.row()
	if r == nil || !r.challenged {
		m.idle = true
		return did{nil, "", nil}
	}
	holder := m.ada
	if r.link != nil && !m.rarely() {
		holder = person.Actor{Account: r.link.account}
	}
	c := &refCert{account: holder.Account, names: r.addresses(), ends: m.w.now.Add(pick(m, []time.Duration{-time.Hour, 48 * time.Hour, 60 * 24 * time.Hour}))}
	if m.rarely() {
		c.names = c.names[:1]
	}
	given := append([]string{strings.ToUpper(c.names[0][:1]) + c.names[0][1:]}, c.names[1:]...)
	c.id = m.rig.certify(m.t, holder, r.id, c.ends, given...)
	r.certs = append(r.certs, c)
	m.say("%v until %v", given, c.ends)
	return did{nil, "", r}
}

func (m *walker) revoke() did {
	_, _, r := m.row()
	if r == nil || len(r.certs) == 0 {
		m.idle = true
		return did{nil, "", nil}
	}
	c := pick(m, r.certs)
	c.revoked = true
	m.rig.revoke(m.t, r.id, c.id)
	return did{nil, "", r}
}

// apply is why the account that the row is linked to may not apply.
func (w *world) apply(r *refRow) string {
	byMail := slices.ContainsFunc(r.addresses(), func(a string) bool { return w.byMail[domainOf(a)] })
	proven := slices.ContainsFunc(r.addresses(), func(a string) bool { return !w.byMail[domainOf(a)] })
	var newest *refCert
	for _, c := range r.certs {
		if c.account == r.link.account {
			newest = c
		}
	}
	switch {
	case !r.active:
		return "mailbox.apply.inactive"
	case r.link.suspended:
		return "mailbox.apply.suspended"
	case byMail && r.kind == mailbox.Functional:
		return "mailbox.kind.mailbox_domain"
	case byMail && w.now.Sub(r.link.since) >= 30*24*time.Hour:
		return "mailbox.apply.stale"
	case proven && !w.now.Before(w.provenUntil):
		return "mailbox.apply.lapsed"
	case newest == nil || newest.revoked || newest.ends.Sub(w.now) <= 28*24*time.Hour:
		return ""
	case !slices.Equal(sorted(newest.names), sorted(r.addresses())):
		return ""
	}
	return "mailbox.apply.have"
}

func TestARevokedCertificateHoldsNoAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old, id := r.AddRow(t, "ada"), r.AddRow(t, "bob")
	r.SwitchOff(t, old)
	n := r.certify(t, r.ada, old, r.Now().Add(time.Hour), "ada@uni.example")
	campus.Wants(t, r.TryEdit(t, id, aliases("ada@uni.example")), "mailbox.address.held")
	r.revoke(t, old, n)
	r.EditRow(t, id, aliases("ada@uni.example"))
}

func TestACertificateHoldsOnlyTheAddressesItNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old, id := r.AddRow(t, "ada", "a.adler@uni.example"), r.AddRow(t, "bob")
	r.SwitchOff(t, old)
	r.certify(t, r.ada, old, r.Now().Add(time.Hour), "ada@uni.example")
	r.EditRow(t, id, aliases("a.adler@uni.example"))
	campus.Wants(t, r.TryEdit(t, id, aliases("ada@uni.example")), "mailbox.address.held")
}

func TestAnOlderValidCertificateHoldsItsAddressesBesideANewerOneThatEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old, id, third := r.AddRow(t, "ada"), r.AddRow(t, "bob"), r.AddRow(t, "eve")
	r.SwitchOff(t, old)
	r.SwitchOff(t, third)
	r.EditRow(t, third, aliases("ada@uni.example"))
	r.certify(t, r.ada, old, r.Now().Add(time.Hour), "ada@uni.example")
	r.certify(t, r.ada, old, r.Now().Add(-time.Hour), "ada@uni.example")
	campus.Wants(t, r.TryEdit(t, id, aliases("ada@uni.example")), "mailbox.address.held")
	campus.Wants(t, r.Activate(t.Context(), r.contact, r.uni, third), "mailbox.address.held")
}

func TestNotingACertificateLeavesTheCallersAddressesAsTheyAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine := []string{"Ada@uni.example"}
	r.certify(t, r.ada, r.AddRow(t, "ada"), r.Now().Add(time.Hour), mine...)
	if mine[0] != "Ada@uni.example" {
		t.Errorf("got %v, want the spelling of the certificate: the letter to its holder shows it", mine)
	}
}

func TestTheTableShowsTheEndOfTheNewestCertificateThatIsNotRevoked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id, end := r.AddRow(t, "ada"), r.Now().Add(100*time.Hour)
	r.certify(t, r.ada, id, end, "ada@uni.example")
	n := r.certify(t, r.bob, id, end.Add(time.Hour), "ada@uni.example")
	if got := r.ReadRow(t, id).CertificateEnd; got == nil || !got.Equal(end.Add(time.Hour)) {
		t.Errorf("got end %v, want that of the newest, %v", got, end.Add(time.Hour))
	}
	r.revoke(t, id, n)
	if got := r.ReadRow(t, id).CertificateEnd; got == nil || !got.Equal(end) {
		t.Errorf("after the newest was revoked: got end %v, want that of the one before, %v", got, end)
	}
}

// mayApply asks the rule as the page does.
func (r *rig) mayApply(t testing.TB, by person.Actor, id mailbox.ID) error {
	t.Helper()
	l, err := r.LinkedRow(t.Context(), by, id)
	if err != nil {
		return err
	}
	return mailbox.MayApply(l, r.Now())
}

const day = 24 * time.Hour

// TestWhoMayApply goes through the mission's sentence ("Client certificates")
// word by word.
func TestWhoMayApply(t *testing.T) {
	t.Parallel()
	own := []string{"Ada@uni.example", "A.Adler@uni.example"}
	cases := map[string]struct {
		before func(t *testing.T, r *rig, id mailbox.ID)
		want   string
	}{
		"linked, active, covered, no certificate yet": {func(*testing.T, *rig, mailbox.ID) {}, ""},
		"the row is inactive":                         {func(t *testing.T, r *rig, id mailbox.ID) { r.SwitchOff(t, id) }, "mailbox.apply.inactive"},
		"the row was inactive and is active again": {func(t *testing.T, r *rig, id mailbox.ID) {
			r.SwitchOff(t, id)
			r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
		}, ""},
		"the link was cut": {func(t *testing.T, r *rig, id mailbox.ID) {
			r.SwitchOff(t, id)
			r.ok(t, r.Unlink(t.Context(), r.contact, r.uni, id))
			r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
		}, "fault.missing"},
		"somebody else confirmed the next round": {func(t *testing.T, r *rig, id mailbox.ID) { r.ConfirmRow(t, r.bob, id) }, "fault.missing"},
		"an alias was edited":                    {func(t *testing.T, r *rig, id mailbox.ID) { r.EditRow(t, id, aliases("x@uni.example")) }, "mailbox.apply.suspended"},
		"an alias was removed":                   {func(t *testing.T, r *rig, id mailbox.ID) { r.EditRow(t, id, aliases()) }, "mailbox.apply.suspended"},
		"an alias was edited and confirmed": {func(t *testing.T, r *rig, id mailbox.ID) {
			r.EditRow(t, id, aliases("x@uni.example"))
			r.ConfirmRow(t, r.ada, id)
		}, ""},
		"a new round waits, the link is as before": {func(t *testing.T, r *rig, id mailbox.ID) { r.ChallengeRow(t, id) }, ""},
		"the domain's validation ended":            {func(_ *testing.T, r *rig, _ mailbox.ID) { r.clock.Advance(300 * day) }, "mailbox.apply.lapsed"},
		"the domain's validation ends in a second": {func(_ *testing.T, r *rig, _ mailbox.ID) {
			r.clock.Advance(trial.Today().Add(300*day - time.Second).Sub(r.Now()))
		}, ""},
		"the domain's validation has not begun": {func(t *testing.T, r *rig, _ mailbox.ID) { // as an earlier version let it be entered
			trial.Must(r.db.Exec(t.Context(), `update email_domain set proof_from = $2, proof_until = $3 where id = $1`, r.uniID, r.Now().Add(day), r.Now().Add(20*day)))
		}, "mailbox.apply.lapsed"},
		"the mail is the validation, 30 days ago": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.ok(t, r.Org.EditDomain(t.Context(), r.officer, r.uniID, org.DomainInput{Group: r.group, Validation: org.ByMailbox}))
			r.clock.Advance(30 * day)
		}, "mailbox.apply.stale"},
		"the mail is the validation, a second less ago": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.ok(t, r.Org.EditDomain(t.Context(), r.officer, r.uniID, org.DomainInput{Group: r.group, Validation: org.ByMailbox}))
			r.clock.Advance(30*day - time.Second)
		}, ""},
		"there is a valid one":             {certified(own, 28*day+time.Second, false), "mailbox.apply.have"},
		"it has 28 days left":              {certified(own, 28*day, false), ""},
		"it has less than 28 days left":    {certified(own, 27*day, false), ""},
		"it ended":                         {certified(own, -time.Second, false), ""},
		"it was revoked":                   {certified(own, 700*day, true), ""},
		"it lacks an alias":                {certified(own[:1], 700*day, false), ""},
		"it names one alias too many":      {certified(append(slices.Clone(own), "x@uni.example"), 700*day, false), ""},
		"it names them in another order":   {certified([]string{own[1], own[0]}, 700*day, false), "mailbox.apply.have"},
		"another account's does not count": {func(t *testing.T, r *rig, id mailbox.ID) { r.certify(t, r.bob, id, r.Now().Add(700*day), own...) }, ""},
		"one for another row does not count": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.certify(t, r.ada, r.AddRow(t, "bob"), r.Now().Add(700*day), own...)
		}, ""},
		"the newest counts, not the longest": {func(t *testing.T, r *rig, id mailbox.ID) {
			r.certify(t, r.ada, id, r.Now().Add(700*day), own...)
			r.certify(t, r.ada, id, r.Now().Add(day), own...)
		}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.LinkRow(t, r.ada, "ada", "a.adler@uni.example")
			c.before(t, r, id)
			if got := said(r.mayApply(t, r.ada, id)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func certified(names []string, left time.Duration, revoked bool) func(*testing.T, *rig, mailbox.ID) {
	return func(t *testing.T, r *rig, id mailbox.ID) {
		n := r.certify(t, r.ada, id, r.Now().Add(left), names...)
		if revoked {
			r.revoke(t, id, n)
		}
	}
}

func TestAFunctionalAddressOfADomainThatMailValidatesHasNoCertificate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddFunctional(t, "office", "ada@elsewhere.example")
	r.ConfirmRow(t, r.ada, id)
	r.ok(t, r.mayApply(t, r.ada, id))
	r.ok(t, r.Org.EditDomain(t.Context(), r.officer, r.uniID, org.DomainInput{Group: r.group, Validation: org.ByMailbox}))
	campus.Wants(t, r.mayApply(t, r.ada, id), "mailbox.kind.mailbox_domain")
}

// TestWhatCameUnwantedIsNeverTheNewest: whoever has a good one may not apply again
// because of it, neither while it is being revoked nor after.
func TestWhatCameUnwantedIsNeverTheNewest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id, end, since := r.LinkRow(t, r.ada, "ada"), r.Now().Add(100*24*time.Hour), r.Now()
	good := r.certify(t, r.ada, id, end, "ada@uni.example")
	late := r.certificates.Add(1)
	note := func(f func(tx pgx.Tx) error) { t.Helper(); r.ok(t, r.db.Tx(t.Context(), f)) }
	is := func(when string) {
		t.Helper()
		l := trial.Must(r.LinkedRow(t.Context(), r.ada, id))
		if got := r.ReadRow(t, id).CertificateEnd; l.Newest == nil || *l.Newest != good || l.Revoked != nil || got == nil || !got.Equal(end) {
			t.Errorf("%s: got newest %v, revoked %v, end %v; want the good one", when, l.Newest, l.Revoked, got)
		}
	}
	note(func(tx pgx.Tx) error {
		return r.NoteCertificate(t.Context(), tx, mailbox.Certified{
			Certificate: late, Row: id, Account: r.ada.Account, Issued: since, Begins: since.Add(time.Hour), Ends: end.Add(time.Hour),
			Addresses: []string{"ada@uni.example"}, Revoking: &since,
		})
	})
	is("being revoked")
	note(func(tx pgx.Tx) error { return r.NoteRevoking(t.Context(), tx, late, nil) })
	is("refused")
	other := r.certify(t, r.bob, id, end, "ada@uni.example")
	r.revoke(t, id, other)
	is("another one came and was revoked")
}
