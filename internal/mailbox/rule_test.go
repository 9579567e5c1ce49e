package mailbox_test

import (
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/trial"
)

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func aliases(as ...string) func(*mailbox.Input) { return func(in *mailbox.Input) { in.Aliases = as } }

func TestAnEditLeavesThePrimaryAsItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	r.EditRow(t, id, func(in *mailbox.Input) { in.Primary, in.Comment = "eve@uni.example", "x" })
	if got := r.ReadRow(t, id); got.Primary != "ada@uni.example" || got.Comment != "x" {
		t.Errorf("got primary %q and comment %q, want the old primary and the new comment", got.Primary, got.Comment)
	}
}

func TestTheKindIsFixedByTheFirstChallenge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	functional := func(in *mailbox.Input) { in.Kind = mailbox.Functional }
	r.EditRow(t, id, functional)
	r.EditRow(t, id, func(in *mailbox.Input) { in.Kind = mailbox.Personal })
	r.ChallengeRow(t, id)
	campus.Wants(t, r.TryEdit(t, id, functional), "mailbox.kind.fixed")
	r.SwitchOff(t, id)
	campus.Wants(t, r.TryEdit(t, id, functional), "mailbox.kind.fixed")
}

func TestOnlyAnUnchallengedRowIsDeletedAndItsAddressIsFreeAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "a.adler@uni.example")
	r.ok(t, r.Delete(t.Context(), r.contact, r.uni, id))
	id = r.AddRow(t, "ada", "a.adler@uni.example")
	r.ChallengeRow(t, id)
	campus.Wants(t, r.Delete(t.Context(), r.contact, r.uni, id), "mailbox.delete.challenged")
	r.SwitchOff(t, id)
	campus.Wants(t, r.Delete(t.Context(), r.contact, r.uni, id), "mailbox.delete.challenged")
}

func TestAnAliasIsUniqueAmongActiveRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old, id := r.AddRow(t, "ada", "Shared@uni.example"), r.AddRow(t, "bob")
	campus.Wants(t, r.TryEdit(t, id, aliases("shared@uni.example")), "mailbox.address.taken")
	campus.Wants(t, r.TryEdit(t, id, aliases("ADA@uni.example")), "mailbox.address.taken")
	campus.Wants(t, r.TryEdit(t, id, aliases("x@uni.example", "X@uni.example")), "mailbox.alias.twice")
	campus.Wants(t, r.TryEdit(t, id, aliases("BOB@uni.example")), "mailbox.alias.twice")
	campus.Wants(t, r.TryEdit(t, id, aliases("a@uni.example", "b@uni.example", "c@uni.example")), "mailbox.alias.many")
	campus.Wants(t, r.TryEdit(t, id, aliases("ada@institut.example")), "mailbox.alias.domain")
	campus.Wants(t, r.TryEdit(t, id, aliases("ada@sub.uni.example")), "mailbox.alias.domain")
	campus.Wants(t, r.TryEdit(t, id, aliases("ada@evil-uni.example")), "mailbox.alias.domain")
	r.SwitchOff(t, old)
	r.EditRow(t, id, aliases("ada@uni.example", "shared@uni.example"))
	campus.Wants(t, r.Activate(t.Context(), r.contact, r.uni, old), "schema.address_active_once")
	if got := r.ReadRow(t, old).Status; got != mailbox.Inactive {
		t.Errorf("after the conflict: got status %q, want inactive", got)
	}
	r.SwitchOff(t, id)
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, old))
}

func TestAPrimaryIsUniqueForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.SwitchOff(t, r.AddRow(t, "ada"))
	_, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: "x", Primary: "ADA@uni.example"})
	campus.Wants(t, err, "mailbox.address.taken")
}

func TestAnAliasOfAnInactiveRowOfAnotherGroupStaysRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "ada@labor.example")
	r.SwitchOff(t, id)
	labs := trial.Must(r.Org.Domain(t.Context(), r.officer, r.labs))
	r.ok(t, r.Org.EditDomain(t.Context(), r.officer, labs.ID, org.DomainInput{Group: r.other, Validation: org.ByMailbox}))
	_, err := r.Add(t.Context(), r.stranger, r.institute, mailbox.Input{
		Kind: mailbox.Personal, Name: "x", Primary: "x@institut.example", Aliases: []string{"ada@labor.example"},
	})
	campus.Wants(t, err, "mailbox.address.taken")
}

func TestACertificateOfAnInactiveRowHoldsItsAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old, id := r.AddRow(t, "ada", "a.adler@uni.example"), r.AddRow(t, "bob")
	r.SwitchOff(t, old)
	r.certify(t, r.ada, old, r.Now().Add(time.Hour), "Ada@uni.example", "A.Adler@uni.example")
	campus.Wants(t, r.TryEdit(t, id, aliases("a.adler@uni.example")), "mailbox.address.held")
	_, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: "x", Primary: "A.Adler@uni.example"})
	campus.Wants(t, err, "mailbox.address.held")
	r.clock.Advance(time.Hour)
	r.EditRow(t, id, aliases("a.adler@uni.example"))
}

func TestActivatingARowWhoseAddressACertificateHoldsIsAConflict(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old, id := r.AddRow(t, "ada"), r.AddRow(t, "bob")
	r.SwitchOff(t, old)
	r.SwitchOff(t, id)
	r.EditRow(t, id, aliases("ada@uni.example"))
	r.certify(t, r.ada, old, r.Now().Add(time.Hour), "ada@uni.example")
	campus.Wants(t, r.Activate(t.Context(), r.contact, r.uni, id), "mailbox.address.held")
	r.clock.Advance(time.Hour)
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
}

func TestAnyAliasEditSuspendsTheLinkUntilARoundCompletes(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*mailbox.Input){
		"one is removed":  aliases("one@uni.example"),
		"all are removed": aliases(),
		"one is replaced": aliases("one@uni.example", "three@uni.example"),
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.LinkRow(t, r.ada, "ada", "one@uni.example", "two@uni.example")
			r.EditRow(t, id, change)
			row := r.ReadRow(t, id)
			if row.Linked == nil || !*row.Suspended || row.Status != mailbox.None {
				t.Fatalf("got linked %v, suspended %v, status %q; want a suspended link and status none", row.Linked, row.Suspended, row.Status)
			}
			r.ConfirmRow(t, r.ada, id)
			if row = r.ReadRow(t, id); *row.Suspended || row.Status != mailbox.Confirmed || len(row.Covered) != len(row.Addresses()) {
				t.Errorf("after a new round: got suspended %v, status %q, covering %v; want the link whole again", *row.Suspended, row.Status, row.Covered)
			}
		})
	}
}

func TestAnAliasThatOnlyChangesItsCaseOrPlaceIsNotEdited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.LinkRow(t, r.ada, "ada", "one@uni.example", "two@uni.example")
	digests := r.ChallengeRow(t, id)
	r.EditRow(t, id, aliases("TWO@uni.example", "One@uni.example"))
	row := r.ReadRow(t, id)
	if *row.Suspended || row.Status != mailbox.Open || row.Aliases[0] != "TWO@uni.example" {
		t.Errorf("got suspended %v, status %q, aliases %v; want the link and the round untouched and the new spelling", *row.Suspended, row.Status, row.Aliases)
	}
	if _, err := r.Confirm(t.Context(), r.ada, digests["one@uni.example"]); err != nil {
		t.Errorf("confirm after a change of case: %v", err)
	}
}

func TestEditsEndPendingChallenges(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		end  func(t *testing.T, r *rig, id mailbox.ID)
		want string
	}{
		"editing the aliases": {func(t *testing.T, r *rig, id mailbox.ID) { r.EditRow(t, id, aliases("x@uni.example")) }, "mailbox.link.invalidated"},
		"deactivating":        {func(t *testing.T, r *rig, id mailbox.ID) { r.SwitchOff(t, id) }, "mailbox.link.invalidated"},
		"the next round":      {func(t *testing.T, r *rig, id mailbox.ID) { r.ChallengeRow(t, id) }, "mailbox.link.replaced"},
		"editing the comment": {func(t *testing.T, r *rig, id mailbox.ID) {
			r.EditRow(t, id, func(in *mailbox.Input) { in.Comment = "x" })
		}, ""},
		"editing the name": {func(t *testing.T, r *rig, id mailbox.ID) {
			r.EditRow(t, id, func(in *mailbox.Input) { in.Name = "x" })
		}, ""},
		"saving the same again": {func(t *testing.T, r *rig, id mailbox.ID) { r.EditRow(t, id, func(*mailbox.Input) {}) }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.AddRow(t, "ada", "one@uni.example")
			digest := r.ChallengeRow(t, id)["ada@uni.example"]
			c.end(t, r, id)
			_, err := r.Confirm(t.Context(), r.ada, digest)
			if got := said(err); got != c.want {
				t.Errorf("confirm afterwards: got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSavingWhatIsThereChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "one@uni.example")
	before := r.ReadRow(t, id)
	lines := r.campus.Scalar(`select count(*) from audit_line`)
	r.clock.Advance(time.Hour)
	r.EditRow(t, id, func(*mailbox.Input) {})
	if after := r.ReadRow(t, id); after.Version != before.Version || !after.Changed.Equal(before.Changed) {
		t.Errorf("got version %d changed at %v, want %d and %v", after.Version, after.Changed, before.Version, before.Changed)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line`); n != lines {
		t.Errorf("got %d more audit lines, want none", n-lines)
	}
}

func TestARowThatChangedMeanwhileIsAConflict(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	in := mailbox.Input{Kind: mailbox.Personal, Name: "Ada"}
	r.ok(t, r.Edit(t.Context(), r.contact, r.uni, id, 1, in))
	in.Name = "Eve"
	err := r.Edit(t.Context(), r.contact, r.uni, id, 1, in)
	campus.Wants(t, err, "mailbox.changed_meanwhile")
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestTextThatTheDatabaseCannotHoldIsNoInternalError(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, s := range []string{"Ada\x00Adler", "Ada \xff\xfe", "Ada\r\nBcc: x"} {
		row, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: s, Comment: s, Primary: "ada@uni.example"})
		if err != nil {
			t.Errorf("add a row called %q: got %v, want it cleaned", s, err)
			continue
		}
		r.ok(t, r.Delete(t.Context(), r.contact, r.uni, row.ID))
	}
	_, err := r.Row(t.Context(), r.contact, "uni.example\x00", 1)
	campus.Wants(t, err, "fault.missing")
	_, err = r.Org.Domain(t.Context(), r.contact, "\xff")
	campus.Wants(t, err, "fault.missing")
}
