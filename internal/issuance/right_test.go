package issuance_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

var (
	errGone = fault.New(fault.Conflict, "issuance.test.gone")
	unasked = says(pki.Answer{No: pki.ErrUnasked})
)

// TestWhereTheRightEndedNothingIsBegun: how it ended before, after and between the
// calls, and that from then on the authority is only asked what became of it.
func TestWhereTheRightEndedNothingIsBegun(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		words       func(r *rig) []word
		before      int // looks while there is a right
		after       int
		want, calls string
		kept, ended int
	}{
		"before the first call": {func(*rig) []word { return []word{yes()} }, 0, 2, "refused issuance.test.gone withdrawn", "", 0, 1},
		"after a call that was lost, and there is nothing": {
			func(*rig) []word { return []word{lost, unasked} }, 1, 3,
			"refused order.failed.authority withdrawn 2 attempts", "ask [asked], collect  [asked], collect  [asked]", 0, 1,
		},
		"after a call that was lost, and there is a certificate": {
			func(*rig) []word { return []word{lost, yes()} }, 1, 2,
			"issued withdrawn 1 attempts", "ask [asked], collect  [asked]", 1, 1,
		},
		"after a call that was lost, and it takes its time": {
			func(r *rig) []word { return []word{lost, r.later(time.Hour, "T-1"), yes()} }, 1, 3,
			"issued withdrawn", "ask [asked], collect  [asked], collect T-1 [pending T-1]", 1, 1,
		},
		"while it is pending": {
			func(r *rig) []word { return []word{r.later(time.Hour, "T-1"), r.later(time.Hour, ""), yes()} }, 1, 3,
			"issued withdrawn", "ask [asked], collect T-1 [pending T-1], collect T-1 [pending T-1]", 1, 1,
		},
		"while it is pending, and there is a no": {
			func(r *rig) []word { return []word{r.later(time.Hour, "T-1"), no} }, 1, 2,
			"refused order.failed.authority withdrawn", "ask [asked], collect T-1 [pending T-1]", 0, 1,
		},
		"while it is pending, and something else comes": {
			func(r *rig) []word { return []word{r.later(time.Hour, "T-1"), yes(otherName)} }, 1, 2,
			"refused order.failed.mismatch withdrawn", "ask [asked], collect T-1 [pending T-1]", 1, 1,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(c.words(r)...)
			for range c.before {
				r.look(t, n)
				r.advance(t, n)
			}
			r.purpose.ends(errGone)
			for range c.after {
				r.look(t, n)
				r.advance(t, n)
			}
			r.purpose.ends(nil) // too late
			r.look(t, n)
			r.expect(t, n, c.want)
			r.called(t, c.calls)
			r.told(t, c.kept, c.ended)
			if c.ended > 0 && r.purpose.ended[0].Reason != "issuance.test.gone" {
				t.Errorf("the purpose hears %q, want why the right ended", r.purpose.ended[0].Reason)
			}
		})
	}
}

// TestWhatIsKnownOfARightDecides: which errors end it, and which say that nobody
// knows.
func TestWhatIsKnownOfARightDecides(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held  error
		want  string
		fails bool
		ended int
	}{
		"a conflict":              {errGone, "refused issuance.test.gone withdrawn", false, 1},
		"denied":                  {fault.New(fault.Denied, "issuance.test.denied"), "refused issuance.test.denied withdrawn", false, 1},
		"invalid":                 {fault.New(fault.Invalid, "issuance.test.invalid"), "refused issuance.test.invalid withdrawn", false, 1},
		"missing":                 {fault.New(fault.Missing, "issuance.test.missing"), "refused issuance.test.missing withdrawn", false, 1},
		"it ended elsewhere":      {issuance.ErrOver, "refused issuance.over", false, 0},
		"the database is away":    {fault.New(fault.Unavailable, "postgres.away"), "written +0s", true, 0},
		"something went wrong":    {errors.New("out of memory"), "written +0s", true, 0},
		"something went wrong, 2": {fault.New(fault.Internal, ""), "written +0s", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(yes())
			r.purpose.ends(c.held)
			if err := r.Look(t.Context(), issuance.Application, n); (err != nil) != c.fails {
				t.Errorf("got %v, want an error: %t", err, c.fails)
			}
			r.expect(t, n, c.want)
			r.called(t, "")
			r.told(t, 0, c.ended)
		})
	}
}

// TestARightThatEndsBetweenAnswerAndRecordIsForThePurposeToSee: what came is handed
// over all the same.
func TestARightThatEndsBetweenAnswerAndRecordIsForThePurposeToSee(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
		r.purpose.ends(errGone)
		return yes()(ctx, q)
	})
	r.look(t, n)
	r.expect(t, n, "issued")
	r.told(t, 1, 0)
}

// TestWithdrawnDuringACallItStaysWithdrawn: what the call brings is noted beside it.
func TestWithdrawnDuringACallItStaysWithdrawn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then word
		want string
	}{
		"a certificate": {yes(), "issued withdrawn"},
		"a no":          {no, "refused order.failed.authority withdrawn"},
		"unknown":       {lost, "asked issuance.test.gone withdrawn 1 attempts +1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
				r.withdraw(t, n)
				return c.then(ctx, q)
			})
			r.look(t, n)
			r.expect(t, n, c.want)
		})
	}
}

func (r *rig) withdraw(t testing.TB, n issuance.Number) {
	t.Helper()
	r.step(t, func(ctx context.Context, tx pgx.Tx, now time.Time) error {
		return r.Withdraw(ctx, tx, now, issuance.Intent{Number: n}, errGone)
	})
}

// TestWithdrawnBySomebodyWhoTellsThePurposeIsNotToldAgain, at every station.
func TestWithdrawnBySomebodyWhoTellsThePurposeIsNotToldAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.withdraw(t, n)
	r.expect(t, n, "refused issuance.test.gone withdrawn")
	r.withdraw(t, n)

	n = r.write(t)
	r.oracle.says(r.later(time.Hour, "T-1"), yes())
	r.look(t, n)
	for range 2 {
		r.withdraw(t, n)
	}
	r.expect(t, n, "pending issuance.test.gone withdrawn +0s")
	r.purpose.ends(errGone)
	r.look(t, n)
	r.expect(t, n, "issued withdrawn")
	r.called(t, "ask [asked], collect T-1 [pending T-1]")
	r.told(t, 1, 0)
	r.withdraw(t, n)
	r.expect(t, n, "issued withdrawn")
}

// TestWhatIsNotKnownIsCollectedOnceItIsWithdrawn, by the reference where there is one,
// and for as long as it takes; Retry has it asked for again.
func TestWhatIsNotKnownIsCollectedOnceItIsWithdrawn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ticket, want, call string
	}{
		"without a reference": {"", "asked issuance.test.gone withdrawn +0s", "collect  [asked]"},
		"with one":            {"T-1", "pending issuance.test.gone withdrawn +0s", "collect T-1 [pending T-1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			unknown := func() {
				trial.Must(r.DB.Exec(t.Context(), `update intent set state = 'unknown', asked = $2, next_look = null, attempts = 28, reason = 'order.failed.away',
					ticket = $1, withdrawn = null`, c.ticket, r.Now()))
			}
			unknown()
			for range 2 { // the second time changes nothing
				r.withdraw(t, n)
				r.expect(t, n, c.want)
			}
			r.purpose.ends(issuance.ErrOver) // what it is for ended before
			r.oracle.says(lost, yes())
			for range 2 {
				r.look(t, n)
				r.advance(t, n)
			}
			r.expect(t, n, "issued withdrawn 1 attempts")
			r.called(t, c.call+", "+c.call)
			r.told(t, 1, 0)
			r.withdraw(t, n)
			r.expect(t, n, "issued withdrawn 1 attempts")
		})
	}
}

// TestWhatTheVersionBeforeAskedForIsCollected where somebody withdraws it.
func TestWhatTheVersionBeforeAskedForIsCollected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.next++
	withdraw := func(i issuance.Intent) {
		r.step(t, func(ctx context.Context, tx pgx.Tx, now time.Time) error { return r.Withdraw(ctx, tx, now, i, errGone) })
	}
	withdraw(issuance.Intent{Number: r.next}) // nobody asked
	if n := r.campus.Scalar(`select count(*) from intent`); n != 0 {
		t.Errorf("got %d intents of what nobody asked for", n)
	}
	withdraw(r.intent(r.next))
	r.expect(t, r.next, "asked issuance.test.gone withdrawn +0s")
	r.oracle.says(yes())
	r.look(t, r.next)
	r.expect(t, r.next, "issued withdrawn")
	r.called(t, "collect  [asked]")
}

// TestWhatWasWithdrawnIsCollectedForAsLongAsItTakes: nobody would revoke what the
// authority may have signed, and nobody sees to what is withdrawn.
func TestWhatWasWithdrawnIsCollectedForAsLongAsItTakes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(lost)
	r.look(t, n)
	r.purpose.ends(errGone)
	for range 100 {
		r.advance(t, n)
		r.look(t, n)
	}
	if got := r.stands(t, n); !strings.HasPrefix(got, "asked issuance.test.gone withdrawn") {
		t.Errorf("got %q, want it still asked for", got)
	}
	r.oracle.says(yes())
	r.advance(t, n)
	r.look(t, n)
	if got := r.stands(t, n); !strings.HasPrefix(got, "issued withdrawn") {
		t.Errorf("got %q, want it issued", got)
	}
	r.told(t, 1, 1)
}

// TestWithdrawnDuringTheLastCallItIsNotGivenUp.
func TestWithdrawnDuringTheLastCallItIsNotGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.step(t, func(ctx context.Context, tx pgx.Tx, _ time.Time) error {
		_, err := tx.Exec(ctx, `update intent set attempts = 99 where number = $1`, n)
		return err
	})
	r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
		r.withdraw(t, n)
		return lost(ctx, q)
	})
	r.look(t, n)
	r.expect(t, n, "asked issuance.test.gone withdrawn 100 attempts +2h0m0s")
}
