package handover_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/trial"
)

// invented are numbers of organisations that there are not.
func invented() (all []org.OrganisationID) {
	for i := range 50 {
		all = append(all, org.OrganisationID(4000+i))
	}
	return all
}

// An offer that does not come about hashes nothing: where no place to hash is
// left, whoever has no right, no successor, a form that was used or the brake on
// still hears of that.
func TestNothingIsHashedForAnOfferThatDoesNotComeAbout(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	form := handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: r.ada.Email, Form: "used"}
	trial.Must(r.Offer(t.Context(), r.tina, form))
	r.Waiting = -1 // nobody may hash
	wants := func(what string, in handover.Wish, want string) {
		t.Helper()
		if _, err := r.Offer(t.Context(), r.tina, in); campus.Said(err) != want {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	if _, err := r.Offer(t.Context(), r.bob, handover.Wish{Organisations: invented(), Email: r.ada.Email}); campus.Said(err) != "fault.missing" {
		t.Errorf("without a right: got %v, want it missing", err)
	}
	wants("with one of another", handover.Wish{Organisations: append(invented()[:1], r.garden), Email: r.ada.Email}, "fault.missing")
	wants("without a successor", handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: "niemand@uni.example"}, "handover.email.unknown")
	wants("with another successor", handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: r.ada.Email, Successor: r.bob.Account}, "handover.successor_changed")
	wants("with a form that was used", form, "schema.handover_form")
	r.PerDay = 1
	wants("with the brake on", handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: r.ada.Email}, "handover.brake")
	r.PerDay = 10
	wants("a true one", handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: r.ada.Email}, "handover.busy")
}

// Fifty at once, each of fifty passwords: who waits is few, the others go on at
// once, and nobody else's offer hangs behind one account.
func TestFewWaitForTheirSessionPasswords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerDay, r.Waiting, r.WaitingOwn = 1000, 0, 0
	o := r.accepted(t)
	free := r.Occupy() // somebody's password is being worked out
	held := make(chan map[string]int)
	go func() {
		held <- trial.Race(50, campus.Said, func(i int) error {
			_, err := r.Offer(t.Context(), r.tina, handover.Wish{Organisations: []org.OrganisationID{r.library}, Email: r.bob.Email, Form: fmt.Sprint(i)})
			return err
		})
	}()
	trial.Until(t, "two of tina wait", func() bool { return r.Waits() == 2 })
	done := make(chan error)
	go func() { done <- r.Finish(t.Context(), r.ada, o.ID, o.Password) }()
	trial.Until(t, "ada waits besides", func() bool { return r.Waits() == 3 })
	free()
	r.ok(t, <-done)
	got := <-held
	if got["handover.busy"] < 1 || got[""] < 2 || got[""]+got["handover.busy"] != 50 {
		t.Errorf("got %v, want those that found a place done and all others told that it is busy", got)
	}
	if n := r.Waits(); n != 0 {
		t.Errorf("%d still have a place", n)
	}
}

// Whoever hangs up while waiting costs no hash.
func TestWhoeverGoesAwayIsNotHashedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	free := r.Occupy()
	defer free()
	ctx, away := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := r.Offer(ctx, r.tina, handover.Wish{Organisations: []org.OrganisationID{r.garden, r.library}, Email: r.ada.Email})
		done <- err
	}()
	trial.Until(t, "tina waits", func() bool { return r.Waits() == 1 })
	away()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the request", err)
	}
	if n := r.Waits(); n != 0 {
		t.Errorf("%d still have a place", n)
	}
}

func TestLookUpsAreCountedAndWrittenDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.LookUps = 0 // as the portal has it
	of := []org.OrganisationID{r.garden}
	lines := func() int {
		return r.count(t, `select count(*) from audit_line where action = 'handover.looked_up' and account = $1`, r.tina.Account)
	}
	for i, c := range []struct{ email, want string }{{"ada@uni.example", ""}, {"niemand@uni.example", "handover.email.unknown"}, {"keine Adresse", "org.address.form"}} {
		_, err := r.Find(t.Context(), r.tina, of, c.email)
		if campus.Said(err) != c.want {
			t.Fatalf("%s: got %v, want %q", c.email, err, c.want)
		}
		if want := min(i+1, 2); lines() != want {
			t.Errorf("after %s: got %d lines, want %d: one for each look-up, and no address is none", c.email, lines(), want)
		}
	}
	if n := r.count(t, `select count(*) from audit_line l join audit_about a on a.line = l.id
		where l.action = 'handover.looked_up' and a.kind = 'account' and a.id = $1 and l.detail::text like '%ada@uni.example%'`, r.ada.Account); n != 1 {
		t.Errorf("got %d lines about ada with her address, want one", n)
	}
	until := r.clock.Now().Add(time.Hour)
	for range 18 {
		_, _ = r.Offer(t.Context(), r.tina, handover.Wish{Organisations: of, Email: "niemand@uni.example"}) // the other way to ask
	}
	r.clock.Advance(time.Minute)
	for what, ask := range map[string]func() error{
		"by the form": func() error { _, err := r.Find(t.Context(), r.tina, of, "bob@uni.example"); return err },
		"by the offer": func() error {
			_, err := r.Offer(t.Context(), r.tina, handover.Wish{Organisations: of, Email: "bob@uni.example"})
			return err
		},
		"by a wrong successor": func() error {
			_, err := r.Offer(t.Context(), r.tina, handover.Wish{Organisations: of, Email: "bob@uni.example", Successor: r.ada.Account})
			return err
		},
	} {
		err := ask()
		if f := campus.Said(err); f != "handover.look_ups" {
			t.Errorf("%s: got %v, want it held", what, err)
		} else if at := retryAt(err); !at.Equal(until) {
			t.Errorf("%s: goes on at %s, want %s, an hour after the first", what, at, until)
		}
	}
	if lines() != 20 {
		t.Errorf("got %d lines, want 20", lines())
	}
	// Who was shown already is not looked up again, and others are not held.
	if _, err := r.Offer(t.Context(), r.tina, handover.Wish{Organisations: of, Email: r.ada.Email, Successor: r.ada.Account}); err != nil {
		t.Errorf("who was shown before: got %v", err)
	}
	r.clock.Advance(time.Hour)
	if _, err := r.Find(t.Context(), r.tina, of, "bob@uni.example"); err != nil {
		t.Errorf("an hour later: got %v", err)
	}
}

func TestOfFiftyLookUpsAtOnceTwentyAreAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.LookUps = 0
	got := trial.Race(50, campus.Said, func(int) error {
		_, err := r.Find(t.Context(), r.tina, []org.OrganisationID{r.garden}, "ada@uni.example")
		return err
	})
	trial.Expect(t, got, map[string]int{"": 20, "handover.look_ups": 30})
}

// Without a right nothing is looked up, counted or written down.
func TestWithoutARightNobodyIsLookedUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 30 {
		_, err := r.Find(t.Context(), r.bob, invented(), "ada@uni.example")
		campus.Wants(t, err, "fault.missing")
	}
	if n := r.count(t, `select (select count(*) from brake) + (select count(*) from audit_line where action = 'handover.looked_up')`); n != 0 {
		t.Errorf("%d counts or lines were written", n)
	}
}

func retryAt(err error) time.Time { return fault.Of(err).RetryAt }
