package mailbox_test

import (
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestACompletedRoundOfAnotherPersonReplacesTheLink(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.LinkRow(t, r.ada, "ada", "one@uni.example")
	digests := r.ChallengeRow(t, id)
	for a, d := range digests {
		if row := r.ReadRow(t, id); row.Linked == nil || *row.Linked != r.ada.Account || *row.Suspended {
			t.Errorf("before %s is confirmed: got linked %v, want Ada still: a mere round leaves the link alone", a, row.Linked)
		}
		if _, err := r.Confirm(t.Context(), r.bob, d); err != nil {
			t.Fatal(err)
		}
	}
	if row := r.ReadRow(t, id); *row.Linked != r.bob.Account {
		t.Errorf("got linked %d, want Bob (%d)", *row.Linked, r.bob.Account)
	}
	if l := trial.Must(r.LinkedTo(t.Context(), r.ada)); len(l) != 0 {
		t.Errorf("got %d rows still linked to Ada, want none", len(l))
	}
}

func TestADeclineEndsTheRoundAndTellsTheContacts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "one@uni.example")
	digests := r.ChallengeRow(t, id)
	_, err := r.Confirm(t.Context(), r.ada, digests["ada@uni.example"])
	r.ok(t, err)
	r.ok(t, r.Decline(t.Context(), r.bob, digests["one@uni.example"])) // not the account that confirmed
	rounds := trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))
	if row := r.ReadRow(t, id); rounds[0].Outcome != "declined" || row.Linked != nil || row.Status != mailbox.RowDeclined {
		t.Errorf("got outcome %q, linked %v, status %q; want declined, no link, declined", rounds[0].Outcome, row.Linked, row.Status)
	}
	if n := r.campus.Scalar(`select count(*) from letter where kind = 'declined' and recipient = 'netz@uni.example'`); n != 1 {
		t.Errorf("got %d letters about the decline, want 1", n)
	}
	campus.Wants(t, r.Decline(t.Context(), r.bob, digests["one@uni.example"]), "mailbox.link.declined")
}

func TestALinkNobodyMadeRevealsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.Look(t.Context(), mailbox.Digest("guess"))
	campus.Wants(t, err, "mailbox.link.unknown")
	_, err = r.Confirm(t.Context(), r.ada, nil)
	campus.Wants(t, err, "mailbox.link.unknown")
	campus.Wants(t, r.Decline(t.Context(), r.ada, mailbox.Digest("")), "mailbox.link.unknown")
}

func TestLookingAtALinkChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	digest := r.ChallengeRow(t, id)["ada@uni.example"]
	lines := r.campus.Scalar(`select count(*) from audit_line`)
	for range 3 {
		a, err := r.Look(t.Context(), digest)
		if err != nil || a.State != mailbox.Sent || a.Recipient != "ada@uni.example" || a.Asks != "Nora Netz" {
			t.Fatalf("got %+v and %v, want what Nora Netz asks of ada@uni.example", a, err)
		}
	}
	if n := r.campus.Scalar(`select count(*) from audit_line`); n != lines || r.ReadRow(t, id).Status != mailbox.Open {
		t.Errorf("looking left %d audit lines and status %q, want no trace", n-lines, r.ReadRow(t, id).Status)
	}
}

func TestALinkLives14DaysOrOneWhereTheMailIsTheValidation(t *testing.T) {
	t.Parallel()
	cases := map[string]time.Duration{"ada@uni.example": 14 * 24 * time.Hour, "ada@labor.example": 24 * time.Hour}
	for address, life := range cases {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.AddRow(t, "ada", "ada@labor.example")
			digest := r.ChallengeRow(t, id)[address]
			a := trial.Must(r.Look(t.Context(), digest))
			if want := r.Now().Add(life); !a.Expires.Equal(want) {
				t.Errorf("got a life until %v, want %v", a.Expires, want)
			}
			r.clock.Advance(life - time.Microsecond)
			r.ok(t, mailbox.MayConfirm(a, r.ada, digest, r.Now()))
			r.clock.Advance(time.Microsecond)
			_, err := r.Confirm(t.Context(), r.ada, digest)
			campus.Wants(t, err, "mailbox.link.expired")
			r.ok(t, r.Tick(t.Context()))
			if a := trial.Must(r.Look(t.Context(), digest)); a.State != mailbox.Expired {
				t.Errorf("after the clock's job: got state %q, want expired", a.State)
			}
		})
	}
}

func TestTheLifeOfALinkBeginsAtEachAttempt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	c := int64(r.campus.Scalar(`select id from challenge`))
	first, done, err := mailbox.Attempt(t.Context(), r.Book, c)
	r.ok(t, err)
	if err := done("", &mail.Refusal{Stage: mail.AtRecipient, Code: 451, Answer: "451 later"}); err == nil {
		t.Error("a mail refused for now: got a job that ends well, want another attempt")
	}
	r.clock.Advance(40 * time.Hour)
	second := mailbox.Digest(mailbox.Arm(t, r.Book, c))
	if a := trial.Must(r.Look(t.Context(), second)); !a.Expires.Equal(r.Now().Add(14 * 24 * time.Hour)) {
		t.Errorf("got a life until %v, want 14 days from the second attempt", a.Expires)
	}
	_, err = r.Confirm(t.Context(), r.ada, mailbox.Digest(first))
	campus.Wants(t, err, "mailbox.link.replaced")
	_, err = r.Confirm(t.Context(), r.ada, second)
	r.ok(t, err)
}

func TestAMailUnsentFor48HoursFails(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	r.clock.Advance(48*time.Hour - time.Microsecond)
	r.ok(t, r.Tick(t.Context()))
	if got := r.ReadRow(t, id).Status; got != mailbox.Open {
		t.Errorf("just before 48 hours: got status %q, want open", got)
	}
	r.clock.Advance(time.Microsecond)
	r.ok(t, r.Tick(t.Context()))
	if got := r.ReadRow(t, id).Status; got != mailbox.None {
		t.Errorf("after 48 hours: got status %q, want none: nothing is known against the address", got)
	}
	n := trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))[0]
	if c := n.Challenges[0]; n.Outcome != "unsent" || c.State != mailbox.Failed || !c.Unsent {
		t.Errorf("got the round %s with the challenge %s, unsent %v; want both not sent", n.Outcome, c.State, c.Unsent)
	}
	r.ok(t, r.Tick(t.Context()))
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'mailbox.unsent'`); n != 1 {
		t.Errorf("got %d audit lines of the failure, want 1", n)
	}
}

func TestAnEditOrANewRoundLeavesOldRoundsAsTheyEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	mailbox.Refuse(t, r.Book, int64(r.campus.Scalar(`select id from challenge`)), &mail.Refusal{Stage: mail.AtRecipient, Code: 550, Answer: "550 no"})
	ended := trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))[0].Ended
	r.ChallengeRow(t, id)
	r.SwitchOff(t, id)
	old := trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 2))[1]
	if old.Outcome != "undeliverable" || !old.Ended.Equal(*ended) {
		t.Errorf("got %q ended %v, want undeliverable ended %v: history is not rewritten", old.Outcome, old.Ended, ended)
	}
}

func TestRenamingAnInactiveLinkedRowAsksWho(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	name := func(n string, p mailbox.Person) func(*mailbox.Input) {
		return func(in *mailbox.Input) { in.Name, in.Person = n, p }
	}
	id := r.LinkRow(t, r.ada, "ada")
	r.EditRow(t, id, name("Ada Active", ""))
	r.SwitchOff(t, id)
	campus.Wants(t, r.TryEdit(t, id, name("Ada Adler", "")), "mailbox.person.required")
	campus.Wants(t, r.TryEdit(t, id, name("Ada Adler", "nobody")), "mailbox.person.required")
	r.EditRow(t, id, name("Ada Adler", mailbox.SamePerson))
	if r.ReadRow(t, id).Linked == nil {
		t.Error("the same person: got no link, want Ada's")
	}
	r.EditRow(t, id, name("Ada Adler", mailbox.OtherPerson))
	if r.ReadRow(t, id).Linked == nil {
		t.Error("no new name: got no link, want Ada's: nothing was renamed")
	}
	r.EditRow(t, id, name("Eve", mailbox.OtherPerson))
	if got := r.ReadRow(t, id).Linked; got != nil {
		t.Errorf("another person: got linked %d, want no link", *got)
	}
	r.EditRow(t, id, name("Eve Unlinked", ""))
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
	if got := r.ReadRow(t, id).Status; got != mailbox.None {
		t.Errorf("activated: got status %q, want none", got)
	}
}

func TestActivatingALinkedRowNeedsNoNewChallenge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.LinkRow(t, r.ada, "ada")
	r.SwitchOff(t, id)
	campus.Wants(t, second(r.Challenge(t.Context(), r.contact, r.uni, id)), "mailbox.challenge.inactive")
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
	if got := r.ReadRow(t, id).Status; got != mailbox.Confirmed {
		t.Errorf("got status %q, want confirmed: the account stays linked", got)
	}
	campus.Wants(t, r.Activate(t.Context(), r.contact, r.uni, id), "mailbox.active_already")
}

func TestALinkIsEndedByHandOnInactiveRowsOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.LinkRow(t, r.ada, "ada")
	campus.Wants(t, r.Unlink(t.Context(), r.contact, r.uni, id), "mailbox.unlink.active")
	r.SwitchOff(t, id)
	r.ok(t, r.Unlink(t.Context(), r.contact, r.uni, id))
	campus.Wants(t, r.Unlink(t.Context(), r.contact, r.uni, id), "mailbox.unlink.none")
}

func TestOfficersReadAndStrangersFindNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	r.ChallengeRow(t, id)
	c := int64(r.campus.Scalar(`select id from challenge`))
	in := mailbox.Input{Kind: mailbox.Personal, Name: "x", Primary: "x@uni.example"}
	ctx := t.Context()
	operations := map[string]func(by person.Actor) error{
		"add":        func(by person.Actor) error { _, err := r.Add(ctx, by, r.uni, in); return err },
		"edit":       func(by person.Actor) error { return r.Edit(ctx, by, r.uni, id, 1, in) },
		"deactivate": func(by person.Actor) error { return r.Deactivate(ctx, by, r.uni, id) },
		"activate":   func(by person.Actor) error { return r.Activate(ctx, by, r.uni, id) },
		"delete":     func(by person.Actor) error { return r.Delete(ctx, by, r.uni, id) },
		"challenge":  func(by person.Actor) error { return second(r.Challenge(ctx, by, r.uni, id)) },
		"unlink":     func(by person.Actor) error { return r.Unlink(ctx, by, r.uni, id) },
		"mark":       func(by person.Actor) error { return r.MarkUndeliverable(ctx, by, r.uni, id, c) },
	}
	for name, do := range operations {
		for who, want := range map[*person.Actor]string{&r.officer: "mailbox.contacts_only", &r.stranger: "fault.missing", &r.ada: "fault.missing"} {
			if got := said(do(*who)); got != want {
				t.Errorf("%s by %s: got %q, want %q", name, who.Name, got, want)
			}
		}
	}
	for _, by := range []person.Actor{r.stranger, r.ada} {
		_, err := r.Row(ctx, by, r.uni, id)
		campus.Wants(t, err, "fault.missing")
		_, err = r.Org.Domain(ctx, by, r.uni)
		campus.Wants(t, err, "fault.missing")
	}
	_, err := r.Row(ctx, r.contact, r.labs, id)
	campus.Wants(t, err, "fault.missing")
	if row := trial.Must(r.Row(ctx, r.officer, r.uni, id)); row.Contact || !row.Officer {
		t.Errorf("an officer's standing: got %+v, want officer and no contact", row.Standing)
	}
}

func TestMembershipActsAtOnceAndCountsByProviderGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	carrier := r.bob
	carrier.Groups = []string{"students", "institut-netz"}
	if _, err := r.Add(t.Context(), carrier, r.institute, mailbox.Input{Kind: mailbox.Personal, Name: "x", Primary: "x@institut.example"}); err != nil {
		t.Errorf("somebody with the provider's group: got %v, want a contact", err)
	}
	id := r.AddRow(t, "ada")
	r.ok(t, r.Org.RemoveMember(t.Context(), r.officer, r.group, r.contact.Account))
	campus.Wants(t, second(r.Challenge(t.Context(), r.contact, r.uni, id)), "fault.missing")
	r.ok(t, r.Org.EditGroup(t.Context(), r.officer, r.other, org.GroupInput{Name: "Institut"}))
	_, err := r.Org.Domain(t.Context(), carrier, r.institute)
	campus.Wants(t, err, "fault.missing")
}
