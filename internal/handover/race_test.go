package handover_test

import (
	"strings"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

const many = 50

func TestManyAcceptancesAtOnceAreOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.offer(t)
	got := trial.Race(many, campus.Said, func(int) error { return r.Accept(t.Context(), r.ada, o.ID) })
	if got[""] != 1 || got["handover.accepted_already"] != many-1 {
		t.Errorf("got %v, want one acceptance and %d that come too late", got, many-1)
	}
}

// TestAcceptingMeetsCancelling: whoever comes second hears of the first, and
// both say the same in the end.
func TestAcceptingMeetsCancelling(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerDay = 100
	for range 8 {
		o := r.offer(t)
		got := trial.Race(many, campus.Said, func(i int) error {
			switch i % 4 {
			case 0, 1:
				return r.Accept(t.Context(), r.ada, o.ID)
			case 2:
				return r.Decline(t.Context(), r.ada, o.ID)
			}
			return r.Cancel(t.Context(), r.tina, o.ID)
		})
		var s handover.State
		r.ok(t, r.db.QueryRow(t.Context(), `select state from handover where id = $1`, o.ID).Scan(&s))
		if s != handover.Cancelled && s != handover.Declined || got[""] < 1 || got[""] > 2 {
			t.Errorf("got it %s and %v, want one end, with one acceptance before it at most", s, got)
		}
		for said := range got {
			if said != "" && said != "handover.accepted_already" && said != "handover.over."+string(s) {
				t.Errorf("it ended %s, but somebody was told %q", s, said)
			}
		}
		r.keeps(t, r.tina, r.garden)
	}
}

// TestTwoTabsEnterTheSessionPassword: one hands over, the others hear that it is
// done.
func TestTwoTabsEnterTheSessionPassword(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.accepted(t)
	got := trial.Race(many, campus.Said, func(int) error { return r.Finish(t.Context(), r.ada, o.ID, o.Password) })
	if got[""] != 1 || got["handover.over.done"] != many-1 {
		t.Errorf("got %v, want one handover and %d that come too late", got, many-1)
	}
	if n := r.count(t, `select count(*) from audit_line where action in ('handover.finished', 'org.contact_appointed')`); n != 2 {
		t.Errorf("got %d audit lines, want one of each", n)
	}
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina", "handover_given tina", "handover_taken ada")
}

func TestWrongPasswordsAtOnceAreNeverMoreThanFive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.accepted(t)
	got := trial.Race(many, campus.Said, func(int) error { return r.Finish(t.Context(), r.ada, o.ID, "0000-0000-0000-0000") })
	if got["handover.password.wrong"] != 4 || got["handover.over.locked"] != many-4 {
		t.Errorf("got %v, want four that may go on and all others locked out", got)
	}
	r.is(t, o.ID, handover.Locked)
	if n := r.count(t, `select count(*) from audit_line where action in ('handover.wrong_password', 'handover.locked')`); n != 5 {
		t.Errorf("got %d wrong tries in the audit, want 5", n)
	}
	if n := r.count(t, `select count(*) from letter where kind = 'handover_locked'`); n != 2 {
		t.Errorf("got %d letters about it, want one to each", n)
	}
}

// TestTheRightPasswordAmongWrongOnes: either it came before the fifth wrong one,
// or the offer is locked.
func TestTheRightPasswordAmongWrongOnes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerDay = 100
	for range 4 {
		o := r.accepted(t)
		got := trial.Race(12, campus.Said, func(i int) error {
			if i%4 == 0 {
				return r.Finish(t.Context(), r.ada, o.ID, o.Password)
			}
			return r.Finish(t.Context(), r.ada, o.ID, "falsch")
		})
		if got[""] == 1 {
			r.is(t, o.ID, handover.Done)
			r.keeps(t, r.ada, r.garden)
			r.back(t)
			continue
		}
		r.is(t, o.ID, handover.Locked)
		r.keeps(t, r.tina, r.garden)
	}
}

// back gives the garden back to tina, by the registration office.
func (r *rig) back(t testing.TB) {
	t.Helper()
	id, _, err := r.AskReassign(t.Context(), r.rita, r.garden, r.tina.Account, "zurück")
	r.ok(t, err)
	r.ok(t, r.ConfirmReassign(t.Context(), r.otto, id))
}

func TestManyOffersAtOnceLeaveOneOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerDay = 100
	people := []person.Actor{r.ada, r.bob, r.eve}
	got := trial.Race(many, campus.Said, func(i int) error {
		of := []org.OrganisationID{r.garden, r.library}
		if i%2 == 1 {
			of = []org.OrganisationID{r.library, r.garden}
		}
		_, err := r.Offer(t.Context(), r.tina, handover.Wish{Organisations: of, Email: people[i%3].Email})
		return err
	})
	if got[""] != many {
		t.Errorf("got %v, want all of them, one after the other", got)
	}
	if open, replaced := r.count(t, `select count(*) from handover where ended is null`), r.count(t, `select count(*) from handover where state = 'replaced'`); open != 2 || replaced != 2*many-2 {
		t.Errorf("got %d open and %d replaced, want one open for each organisation", open, replaced)
	}
}

func TestOneFormSentManyTimesAtOnceMakesOneOffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	in := handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: r.ada.Email, Form: "form"}
	r.PerDay = 100
	got := trial.Race(many, campus.Said, func(int) error { _, err := r.Offer(t.Context(), r.tina, in); return err })
	if got[""] != 1 || got["schema.handover_form"] != many-1 {
		t.Errorf("got %v, want one offer", got)
	}
	r.wantLetters(t, "handover_offered ada")
}

func TestTicksAtOnceTellOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.offer(t)
	r.clock.Advance(8 * day)
	if got := trial.Race(10, campus.Said, func(int) error { return r.Tick(t.Context()) }); got[""] != 10 {
		t.Errorf("got %v, want all ticks well", got)
	}
	r.clock.Advance(8 * day)
	if got := trial.Race(10, campus.Said, func(int) error { return r.Tick(t.Context()) }); got[""] != 10 {
		t.Errorf("got %v, want all ticks well", got)
	}
	r.wantLetters(t, "handover_offered ada", "handover_reminder ada", "handover_expired tina", "handover_expired ada")
}

// TestOfficeAndSuccessorAtOnce: the registration office reassigns while the
// successor finishes; one contact comes of it, and nothing stays open.
func TestOfficeAndSuccessorAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerDay = 100
	for range 6 {
		o := r.accepted(t)
		id, _, err := r.AskReassign(t.Context(), r.rita, r.garden, r.bob.Account, "weg")
		r.ok(t, err)
		got := trial.Race(10, campus.Said, func(i int) error {
			if i%2 == 0 {
				return r.Finish(t.Context(), r.ada, o.ID, o.Password)
			}
			return r.ConfirmReassign(t.Context(), r.otto, id)
		})
		if got[""] != 1 {
			t.Errorf("got %v, want one of them to come through", got)
		}
		for said := range got {
			if said != "" && said != "handover.reassign.over" && !strings.HasPrefix(said, "handover.over.") {
				t.Errorf("somebody was told %q", said)
			}
		}
		if n := r.count(t, `select (select count(*) from handover where ended is null) + (select count(*) from reassignment where ended is null)`); n != 0 {
			t.Errorf("got %d open, want none", n)
		}
		r.back(t)
	}
}
