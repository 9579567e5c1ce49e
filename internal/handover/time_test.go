package handover_test

import (
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/trial"
)

// Each operation of handovers and reassignments, with a clock that jumps between
// two readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Outbox.Now = trial.Today // a letter has the time from which the outbox is patient
	ctx := t.Context()
	var made []handover.WithPassword
	offer := func(organisations ...org.OrganisationID) {
		t.Helper()
		r.clock.Once(t, "offer", func() (err error) {
			made, err = r.Offer(ctx, r.tina, handover.Wish{Organisations: organisations, Email: r.ada.Email})
			return err
		})
		if len(made) != len(organisations) {
			t.Fatalf("%d offers were made, want %d", len(made), len(organisations))
		}
	}
	offer(r.garden, r.library)
	r.clock.Once(t, "decline", func() error { return r.Decline(ctx, r.ada, made[0].ID) })
	r.clock.Once(t, "withdraw", func() error { return r.Cancel(ctx, r.tina, made[1].ID) })
	r.clock.Advance(day)
	offer(r.garden)
	r.clock.Once(t, "accept", func() error { return r.Accept(ctx, r.ada, made[0].ID) })
	r.clock.Once(t, "mistype", func() error {
		if err := r.Finish(ctx, r.ada, made[0].ID, "no"); campus.Said(err) != "handover.password.wrong" {
			return err
		}
		return nil
	})
	r.clock.Once(t, "finish", func() error { return r.Finish(ctx, r.ada, made[0].ID, made[0].Password) })
	r.keeps(t, r.ada, r.garden)

	var asked handover.ReassignID
	ask := func() {
		t.Helper()
		r.clock.Once(t, "ask for a reassignment", func() (err error) {
			asked, _, err = r.AskReassign(ctx, r.rita, r.library, r.bob.Account, "weg")
			return err
		})
	}
	ask()
	r.clock.Once(t, "drop it", func() error { return r.DropReassign(ctx, r.rita, asked) })
	ask()
	r.clock.Once(t, "confirm it", func() error { return r.ConfirmReassign(ctx, r.otto, asked) })
	r.keeps(t, r.bob, r.library)
	if n := r.count(t, `select count(*) from handover h where h.ended is not null and not exists (select from audit_line a where a.at = h.ended)`); n != 0 {
		t.Errorf("%d offers ended at another time than their line says", n)
	}
}
