package order_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// TestWhatChangesWhileAnApplicationWaitsRefusesIt: the rule is asked again in
// the transaction that writes the intent.
func TestWhatChangesWhileAnApplicationWaitsRefusesIt(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		meanwhile func(t *testing.T, r *rig, row mailbox.ID)
		want      string
	}{
		"the row was deactivated":                       {func(t *testing.T, r *rig, row mailbox.ID) { r.off(t, row) }, "mailbox.apply.inactive"},
		"an alias was added":                            {func(t *testing.T, r *rig, row mailbox.ID) { r.edit(t, row, "a@uni.example", "b@uni.example") }, "mailbox.apply.suspended"},
		"an alias was removed":                          {func(t *testing.T, r *rig, row mailbox.ID) { r.edit(t, row) }, "mailbox.apply.suspended"},
		"somebody else confirmed":                       {func(t *testing.T, r *rig, row mailbox.ID) { r.confirm(t, r.bob, row) }, "mailbox.apply.unlinked"},
		"the link was cut":                              {func(t *testing.T, r *rig, row mailbox.ID) { r.cut(t, row) }, "mailbox.apply.unlinked"},
		"the domain's validation ended":                 {func(_ *testing.T, r *rig, _ mailbox.ID) { r.clock.Advance(300 * day) }, "mailbox.apply.lapsed"},
		"mail validates the domain now, and is too old": {func(t *testing.T, r *rig, _ mailbox.ID) { r.byMail(t, 30*day) }, "mailbox.apply.stale"},
		"the provider has neither given name nor surname": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.claims(t, person.Claims{Subject: "Adler", Name: "Ada Adler", Email: "ada@people.example"})
		}, "pki.request.no_name"},
		"the provider's name is no name": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.claims(t, person.Claims{Subject: "Adler", Name: "x", GivenName: "\ue000", FamilyName: "Adler"})
		}, "pki.request.name_characters"},
		"the account was locked": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.exec(t, `update account set locked = $2, locked_why = 'left' where id = $1`, r.ada.Account, r.Now())
		}, "person.locked"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := awayRig(t)
			row := r.linked(t, r.ada, "ada@uni.example", "a@uni.example")
			id := r.apply(t, r.ada, row)
			c.meanwhile(t, r, row)
			r.ok(t, r.Issue(t.Context(), id))
			r.ended(t, id, order.Refused, c.want)
			r.ok(t, r.Issue(t.Context(), id)) // again, as after a crash
			if calls, kept := r.away.Calls(), r.campus.Scalar(`select count(*) from certificate`); calls != 0 || kept != 0 {
				t.Errorf("got %d calls of the authority and %d certificates, want none", calls, kept)
			}
			if n := r.campus.Scalar(`select count(*) from audit_line where action = 'order.refused' and detail->>'why' = $1`, c.want); n != 1 {
				t.Errorf("got %d audit lines of the refusal, want 1", n)
			}
		})
	}
}

func (r *rig) cut(t *testing.T, row mailbox.ID) {
	t.Helper()
	r.off(t, row)
	r.ok(t, r.Mailbox.Unlink(t.Context(), r.contact, "uni.example", row))
	r.ok(t, r.Mailbox.Activate(t.Context(), r.contact, "uni.example", row))
}

func (r *rig) byMail(t *testing.T, later time.Duration) {
	t.Helper()
	r.ok(t, r.Mailbox.Org.EditDomain(t.Context(), r.officer, r.domain, r.domainInput(org.ByMailbox)))
	r.clock.Advance(later)
}

func TestAPersonWithOneNameGetsACertificate(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	r.claims(t, person.Claims{Subject: "Adler", Name: "Adler", FamilyName: "Adler"})
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	r.ok(t, r.Issue(t.Context(), id))
	if got := r.one(t, id).Subject; got != "CN=Adler, SN=Adler" {
		t.Errorf("got subject %q, want CN=Adler, SN=Adler", got)
	}
}

func TestTwoTabsMakeOneApplicationAndOneCertificate(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	row, request := r.linked(t, r.ada, "ada@uni.example"), csr(t, ecKey(t))
	got := trial.Race(50, campus.Said, func(int) error {
		made, err := r.Apply(t.Context(), r.ada, row, order.Input{CSR: request, Terms: r.Terms})
		if err != nil {
			return err
		}
		return r.Issue(t.Context(), made.ID)
	})
	if got[""] != 1 || got["schema.application_one_open"]+got["mailbox.apply.have"] != 49 {
		t.Errorf("got %v, want one certificate and 49 told that there is an application or a certificate", got)
	}
	if n := r.campus.Scalar(`select count(*) from application`); n != 1 {
		t.Errorf("got %d applications, want 1", n)
	}
	if n := r.campus.Scalar(`select count(*) from certificate`); n != 1 {
		t.Errorf("got %d certificates, want 1", n)
	}
}

func TestTheSameApplicationIssuedByManyProcessesGivesOneCertificate(t *testing.T) {
	t.Parallel()
	for name, rig := range map[string]func(testing.TB) *rig{"by the own authority": localRig, "by one far away": awayRig} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig(t)
			id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
			got := trial.Race(20, campus.Said, func(int) error { return r.Issue(t.Context(), id) })
			if got[""] != 20 {
				t.Errorf("got %v, want all well", got)
			}
			c := r.one(t, id)
			if serial := fmt.Sprintf("%x", c.Serial); serial != r.intended(t, id) {
				t.Errorf("got serial %s, want the intent's %s", serial, r.intended(t, id))
			}
			if n := r.campus.Scalar(`select count(*) from letter where kind = 'issued'`); n != 1 {
				t.Errorf("got %d letters to the holder, want 1", n)
			}
			if n := r.campus.Scalar(`select count(*) from audit_line where action = 'cert.issued'`); n != 1 {
				t.Errorf("got %d audit lines of the issuance, want 1", n)
			}
		})
	}
}

// TestAnAuthorityThatMisbehavesNeverMakesTwoOrLosesOne goes through what an
// authority does to the first call; the second finds it well again.
func TestAnAuthorityThatMisbehavesNeverMakesTwoOrLosesOne(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		first []catest.Mode
		again int // calls that leave the application issuing
	}{
		"it answers two times":                      {[]catest.Mode{catest.Twice}, 0},
		"it fails and is well again":                {[]catest.Mode{catest.Broken}, 1},
		"it fails for long and is well again":       {[]catest.Mode{catest.Broken, catest.Broken, catest.Broken}, 3},
		"it signs and cuts the connection":          {[]catest.Mode{catest.Cut}, 1},
		"it cuts, fails, cuts":                      {[]catest.Mode{catest.Cut, catest.Broken, catest.Cut}, 3},
		"it never answers and is well again":        {[]catest.Mode{catest.Hanging}, 1},
		"it signs, answers too late and then again": {[]catest.Mode{catest.Slow}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := awayRig(t)
			r.Issuance.Patience = 400 * time.Millisecond
			id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
			r.away.Next(c.first...)
			var serial string
			for i := range c.again {
				begun := time.Now()
				r.ok(t, r.Issue(t.Context(), id)) // trouble of the authority is noted, and no error
				if took := time.Since(begun); took > 20*time.Second {
					t.Errorf("got an end after %v, want the patience to bound it", took)
				}
				r.ended(t, id, order.Issuing, "")
				if now := r.intended(t, id); i > 0 && now != serial {
					t.Errorf("got another intent at attempt %d: serial %s, want %s", i+1, now, serial)
				}
				serial = r.intended(t, id)
			}
			r.Issuance.Patience = 0
			r.ok(t, r.Issue(t.Context(), id))
			kept := r.one(t, id)
			if got := fmt.Sprintf("%x", kept.Serial); got != r.intended(t, id) || serial != "" && got != serial {
				t.Errorf("got serial %s, want the intent's, %s", got, r.intended(t, id))
			}
			if n := r.away.Signed(int64(id)); n != 1 {
				t.Errorf("got %d certificates signed for the intent, want 1", n)
			}
		})
	}
}

func TestAnAnswerThatWasNotAskedForIsKeptButNoCertificate(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]catest.Mode{"another key": catest.OtherKey, "another name": catest.OtherName} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := awayRig(t)
			row := r.linked(t, r.ada, "ada@uni.example")
			id := r.apply(t, r.ada, row)
			r.away.Always(mode)
			r.ok(t, r.Issue(t.Context(), id))
			r.ended(t, id, order.Failed, "order.failed.mismatch")
			if n := r.campus.Scalar(`select count(*) from certificate where unexpected is not null and account is null`); n != 1 {
				t.Errorf("got %d certificates recorded as unexpected, want 1", n)
			}
			if n := r.campus.Scalar(`select count(*) from certificate where unexpected is null`) + r.campus.Scalar(`select count(*) from address_certificate`); n != 0 {
				t.Errorf("got %d certificates offered, want none", n)
			}
			if n := r.campus.Scalar(`select count(*) from application where length(answer) > 0`); n != 1 {
				t.Error("the answer is gone, want it kept for the registration office")
			}
			if n := r.campus.Scalar(`select count(*) from audit_line where action = 'order.failed' and length(detail->>'answer') > 60`); n != 1 {
				t.Error("the audit line has no fingerprint of the answer")
			}
			if n := r.campus.Scalar(`select count(*) from letter`); n != 0 {
				t.Errorf("got %d letters, want none", n)
			}
			failed := trial.Must(r.Failures(t.Context(), r.officer, 10))
			if len(failed) != 1 || failed[0].ID != id {
				t.Errorf("got failures %v, want this one", failed)
			}
			r.ok(t, r.Retry(t.Context(), r.officer, id))
			r.ok(t, r.Issue(t.Context(), id)) // it answers so again
			r.ended(t, id, order.Failed, "order.failed.mismatch")
			if n := r.campus.Scalar(`select count(*) from application where length(answer) > 0`); n != 1 {
				t.Error("after another attempt the answer is gone, want it kept")
			}
			r.away.Always(catest.Good)
			second := r.apply(t, r.ada, row)
			r.ok(t, r.Issue(t.Context(), second))
			if a := r.application(t, second); a.State != order.Issued {
				t.Errorf("got %s, want the next application issued", a.State)
			}
			if known := r.campus.Scalar(`select count(*) from certificate`); known != r.away.All() {
				t.Errorf("got %d certificates known, want every one of the %d that were signed", known, r.away.All())
			}
		})
	}
}

func TestAnAuthorityThatForgetsLeavesNoCertificateUnknown(t *testing.T) {
	t.Parallel()
	r := newHouse(t, awayRig(t))
	r.Cert.Officers = officersGroup
	r.away.Always(catest.Forgetful)
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	got := trial.Race(6, campus.Said, func(int) error { return r.Issue(t.Context(), id) })
	if got[""] != 6 {
		t.Errorf("got %v, want all well", got)
	}
	if a := r.application(t, id); a.State != order.Issued || a.Certificate == nil {
		t.Fatalf("got %s with certificate %v, want it issued", a.State, a.Certificate)
	}
	if known := r.campus.Scalar(`select count(*) from certificate`); known != r.away.All() {
		t.Errorf("got %d certificates known, want every one of the %d that were signed", known, r.away.All())
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'order.surplus'`); n != r.away.All()-1 {
		t.Errorf("got %d audit lines of surplus certificates, want %d", n, r.away.All()-1)
	}
	r.onlyOneIsGood(t)
}

// onlyOneIsGood fails unless all but one of the certificates that came are revoked as
// surplus, and of each both sides are told.
func (h *house) onlyOneIsGood(t *testing.T) {
	t.Helper()
	surplus := h.away.All() - 1
	for what, sql := range map[string]string{
		"certificates that are revoked": `select count(*) from certificate where revoked is not null and unwanted`,
		"lines of surplus ones":         `select count(*) from audit_line where action = 'cert.unwanted' and detail->>'why' = 'surplus'`,
		"letters to an officer":         `select count(*) from letter where kind = 'unwanted' and recipient = 'otto@people.example'`,
		"letters to whom it is for":     `select count(*) from letter where kind = 'unwanted' and recipient not in ('otto@people.example', 'rita@people.example')`,
	} {
		if n := h.campus.Scalar(sql); n != surplus {
			t.Errorf("got %d %s, want %d", n, what, surplus)
		}
	}
	if n := h.campus.Scalar(`select count(*) from letter where kind in ('issued', 'server_issued')`); n != 1 {
		t.Errorf("got %d letters that offer one, want 1", n)
	}
}

// TestANameThatNoCertificateHoldsIsToldBeforeAnythingIsSent, with the character
// and its place; what only looks odd is made right.
func TestANameThatNoCertificateHoldsIsToldBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given, family, want string
		args                []any
	}{
		"private use":            {"Ada", "Adl\ue000er", "order.name.character", []any{"code", "U+E000", "after", "Adl"}},
		"what could not be read": {"\ufffdda", "Adler", "order.name.character_first", []any{"code", "U+FFFD"}},
		"too long":               {strings.Repeat("A", 65), "Adler", "pki.request.name_long", []any{"most", 64}},
		"no name":                {"-", ".", "pki.request.no_name", nil},
		"zero-width, decomposed": {"A\u200bda", "A\u0308dler\u00a0", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := awayRig(t)
			row := r.linked(t, r.ada, "ada@uni.example")
			r.claims(t, person.Claims{Subject: "Adler", Name: "Ada", GivenName: c.given, FamilyName: c.family})
			_, err := r.Apply(t.Context(), r.ada, row, order.Input{CSR: csr(t, ecKey(t)), Terms: r.Terms})
			f := fault.Of(err)
			if c.want == "" {
				if err != nil {
					t.Errorf("got %v, want it taken", err)
				}
				return
			}
			if f == nil || f.Kind != fault.Conflict || f.ID != c.want || !slices.Equal(f.Args, c.args) {
				t.Errorf("got %v with %v, want %s with %v", err, f, c.want, c.args)
			}
			if n := r.campus.Scalar(`select count(*) from application`); n != 0 {
				t.Errorf("%d applications were made", n)
			}
		})
	}
}
