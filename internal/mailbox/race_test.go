package mailbox_test

import (
	"fmt"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestFiftyConfirmationsOfOneChallengeGiveOneSuccess(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	digest := r.ChallengeRow(t, id)["ada@uni.example"]
	trial.Expect(t, trial.Race(50, said, func(int) error {
		_, err := r.Confirm(t.Context(), r.ada, digest)
		return err
	}), map[string]int{"": 1, "mailbox.link.confirmed": 49})
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'mailbox.confirmed'`); n != 1 {
		t.Errorf("got %d audit lines of the confirmation, want 1", n)
	}
}

func TestOfTwoAccountsThatConfirmOneRowTheSecondChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "a.adler@uni.example")
	digests := r.ChallengeRow(t, id)
	sides := []struct {
		by     person.Actor
		digest []byte
	}{{r.ada, digests["ada@uni.example"]}, {r.bob, digests["a.adler@uni.example"]}}
	got := trial.Race(50, said, func(i int) error {
		_, err := r.Confirm(t.Context(), sides[i%2].by, sides[i%2].digest)
		return err
	})
	trial.Expect(t, got, map[string]int{"": 1, "mailbox.link.confirmed": 24, "mailbox.link.other_account": 25})
	row := r.ReadRow(t, id)
	if row.Status != mailbox.RowConflict || row.Linked != nil {
		t.Errorf("got status %q, linked %v, want a conflict and no link", row.Status, row.Linked)
	}
	if n := r.campus.Scalar(`select count(*) from challenge where state = 'confirmed'`); n != 1 {
		t.Errorf("got %d confirmed challenges, want 1", n)
	}
	if n := r.campus.Scalar(`select count(*) from letter where kind = 'conflict' and recipient = 'netz@uni.example'`); n != 1 {
		t.Errorf("got %d letters about the conflict, want 1 to the contact group's mailbox", n)
	}
	if n := r.campus.Scalar(`select count(*) from challenge where conflict is not null`); n != 1 {
		t.Errorf("got the conflict on %d challenges, want 1", n)
	}
}

func TestConfirmingAndDecliningAtOnceLeavesOneOfThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 8 {
		id := r.AddRow(t, fmt.Sprintf("ada%d", i))
		digest := r.ChallengeRow(t, id)[fmt.Sprintf("ada%d@uni.example", i)]
		got := trial.Race(12, said, func(i int) error {
			if i%2 == 0 {
				return r.Decline(t.Context(), r.ada, digest)
			}
			_, err := r.Confirm(t.Context(), r.ada, digest)
			return err
		})
		status := r.ReadRow(t, id).Status
		switch {
		case got[""] != 1:
			t.Errorf("got %v, want one success", got)
		case status == mailbox.Confirmed:
			trial.Expect(t, got, map[string]int{"": 1, "mailbox.link.confirmed": 11})
		case status == mailbox.RowDeclined:
			trial.Expect(t, got, map[string]int{"": 1, "mailbox.link.declined": 11})
		default:
			t.Errorf("got status %q, want confirmed or declined", status)
		}
	}
}

func TestConfirmingAndDeactivatingAtOnceNeverLeavesAHalf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 8 {
		id := r.AddRow(t, fmt.Sprintf("ada%d", i))
		digest := r.ChallengeRow(t, id)[fmt.Sprintf("ada%d@uni.example", i)]
		got := trial.Race(2, said, func(i int) error {
			if i == 0 {
				return r.Deactivate(t.Context(), r.contact, r.uni, id)
			}
			_, err := r.Confirm(t.Context(), r.ada, digest)
			return err
		})
		row := r.ReadRow(t, id)
		linked := row.Linked != nil
		if row.Active || linked != (got[""] == 2) || !linked && got["mailbox.link.invalidated"] != 1 {
			t.Errorf("got %v, active %v, linked %v; want it inactive, and linked only if the confirmation came first", got, row.Active, linked)
		}
	}
}

func TestChallengesAtOnceStartOneRoundAndMeetTheBrake(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "a.adler@uni.example")
	trial.Expect(t, trial.Race(50, said, func(int) error { return second(r.Challenge(t.Context(), r.contact, r.uni, id)) }),
		map[string]int{"": 1, "mailbox.brake.gap": 49})
	if n := r.campus.Scalar(`select count(*) from challenge_round where outcome = 'open'`); n != 1 {
		t.Errorf("got %d open rounds, want 1", n)
	}
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'mailbox_deliver'`); n != 2 {
		t.Errorf("got %d mails queued, want one for each of 2 addresses", n)
	}
}

func TestTheActorsBrakeHoldsAcrossRowsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Brakes.ActorHour = 10
	ids := make([]mailbox.ID, 50)
	for i := range ids {
		ids[i] = r.AddRow(t, fmt.Sprintf("ada%d", i))
	}
	trial.Expect(t, trial.Race(50, said, func(i int) error { return second(r.Challenge(t.Context(), r.contact, r.uni, ids[i])) }),
		map[string]int{"": 10, "mailbox.brake.actor": 40})
}

func TestTheAddressBrakeHoldsAcrossActorsAndRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Brakes.AddressHour = 3
	others := make([]mailbox.ID, 6)
	for i := range others {
		others[i] = trial.Must(r.Add(t.Context(), r.contact, r.uni, mailbox.Input{
			Kind: mailbox.Functional, Name: "office", Primary: fmt.Sprintf("office%d@uni.example", i), Applicant: "Ada@elsewhere.example",
		})).ID
	}
	sent := 0
	for _, id := range others {
		if _, err := r.Challenge(t.Context(), r.contact, r.uni, id); err == nil {
			sent++
		} else {
			campus.Wants(t, err, "mailbox.brake.address")
		}
	}
	if sent != 3 {
		t.Errorf("got %d mails to one address within an hour, want 3", sent)
	}
}

func TestOfManyAddsOfOneAddressOneMakesARow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	forms := []string{"ada@uni.example", "ADA@uni.example", "Ada@UNI.example", "aDa@uni.example"}
	got := trial.Race(50, said, func(i int) error {
		_, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: "Ada", Primary: forms[i%len(forms)]})
		return err
	})
	if got[""] != 1 || got["mailbox.address.taken"]+got["invalid mailbox.address.taken"] != 49 {
		t.Errorf("got %v, want one row and 49 told that the address is taken", got)
	}
	if n := r.campus.Scalar(`select count(*) from address`); n != 1 {
		t.Errorf("got %d addresses stored, want 1", n)
	}
}

func TestAddingInAPoolOfFewConnectionsDoesNotWaitForItself(t *testing.T) {
	t.Parallel()
	r := newRig(t) // four connections
	got := trial.Race(32, said, func(i int) error {
		_, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: "x", Primary: fmt.Sprintf("x%d@uni.example", i)})
		return err
	})
	trial.Expect(t, got, map[string]int{"": 32})
}

func TestOfTwoActivationsThatWantOneAddressOneWins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := []mailbox.ID{r.AddRow(t, "ada"), r.AddRow(t, "bob")}
	for i, id := range ids {
		trial.Must(0, r.Deactivate(t.Context(), r.contact, r.uni, id))
		in := mailbox.Input{Kind: mailbox.Personal, Name: "x", Aliases: []string{[]string{"Shared", "shared"}[i] + "@uni.example"}}
		trial.Must(0, r.Edit(t.Context(), r.contact, r.uni, id, r.ReadRow(t, id).Version, in))
	}
	got := trial.Race(2, said, func(i int) error { return r.Activate(t.Context(), r.contact, r.uni, ids[i]) })
	trial.Expect(t, got, map[string]int{"": 1, "mailbox.address.taken": 1})
}

func TestDeletingAndChallengingAtOnceNeverLosesAChallenge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 8 {
		id := r.AddRow(t, fmt.Sprintf("ada%d", i))
		got := trial.Race(2, said, func(i int) error {
			if i == 0 {
				return r.Delete(t.Context(), r.contact, r.uni, id)
			}
			return second(r.Challenge(t.Context(), r.contact, r.uni, id))
		})
		_, err := r.Row(t.Context(), r.contact, r.uni, id)
		gone := fault.Is(err, fault.Missing)
		if got[""] != 1 || gone != (got["fault.missing"] == 1) || !gone && got["mailbox.delete.challenged"] != 1 {
			t.Errorf("got %v, row gone: %v; want either the row deleted or the challenge sent", got, gone)
		}
		r.clock.Advance(2 * 60e9)
	}
}

func TestReadersOfCountsSeeTheSameSumWhileTheyAreFolded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 20 {
		r.AddRow(t, fmt.Sprintf("ada%d", i))
	}
	trial.Expect(t, trial.Race(40, said, func(i int) error {
		if i%4 == 0 {
			return r.Fold(t.Context())
		}
		counts, err := r.Tallies(t.Context(), r.uniID)
		if err == nil && counts[r.uniID].Of[mailbox.None] != 20 {
			return fault.New(fault.Conflict, fmt.Sprint(counts))
		}
		return err
	}), map[string]int{"": 40})
}
