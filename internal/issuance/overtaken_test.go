package issuance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"petschaft/internal/issuance"
	"petschaft/internal/pki"
)

// TestWhoWithdrawsDuringACallDoesNotOvertakeIt: the authority may not know of it yet
// when it is asked what became of it, and what comes later is collected.
func TestWhoWithdrawsDuringACallDoesNotOvertakeIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes time.Duration // how long the call still lasts when it is withdrawn
		calls string
	}{
		"within its lease": {0, "ask [asked], collect T-1 [pending T-1]"},
		"after it":         {time.Minute, "ask [asked], collect  [asked], collect T-1 [pending T-1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			words := []word{func(ctx context.Context, q pki.Request) (pki.Answer, error) {
				r.withdraw(t, n)
				r.purpose.ends(errGone)
				r.clock.Advance(c.takes)
				r.look(t, n)
				return r.later(time.Hour, "T-1")(ctx, q)
			}}
			if c.takes > 0 {
				words = append(words, unasked)
			}
			r.oracle.says(append(words, yes())...)
			r.look(t, n)
			r.expect(t, n, "pending issuance.test.gone withdrawn +1h0m0s")
			r.advance(t, n)
			r.look(t, n)
			r.called(t, c.calls)
			r.told(t, 1, 0)
		})
	}
}

// TestAReferenceThatComesAfterTheEndIsKept: another process has ended the intent
// meanwhile, and something may come of it all the same.
func TestAReferenceThatComesAfterTheEndIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sets, want, then string
		right            error // as the purpose tells it afterwards
		kept             int
	}{
		"refused": {
			`state = 'refused', reason = 'order.failed.authority'`,
			"pending order.failed.authority withdrawn +1h0m0s", "issued withdrawn", issuance.ErrOver, 1,
		},
		"refused after it was withdrawn": {
			`state = 'refused', reason = 'order.failed.authority', withdrawn = now()`,
			"pending order.failed.authority withdrawn +1h0m0s", "issued withdrawn", errGone, 1,
		},
		"refused by the same reference": {`state = 'refused', ticket = 'T-1'`, "refused", "refused", issuance.ErrOver, 0},
		"something else came":           {`state = 'refused', answer = 'x'`, "refused", "refused", issuance.ErrOver, 0},
		"written anew and withdrawn":    {`state = 'refused', serial = 'x'`, "refused", "refused", issuance.ErrOver, 0},
		"unknown":                       {`state = 'unknown'`, "unknown", "unknown", issuance.ErrOver, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
				_, err := r.DB.Exec(ctx, `update intent set next_look = null, `+c.sets+` where number = $1`, n)
				ok(t, err)
				return r.later(time.Hour, "T-1")(ctx, q)
			}, yes())
			r.look(t, n)
			r.expect(t, n, c.want)
			if got := r.text(t, `select ticket from intent where number = $1`, n); (got == "T-1") != (c.kept > 0 || name == "unknown" || name == "refused by the same reference") {
				t.Errorf("got the reference %q", got)
			}
			r.purpose.ends(c.right)
			r.advance(t, n)
			r.look(t, n)
			r.expect(t, n, c.then)
			r.told(t, c.kept, 0)
		})
	}
}

// TestALateAnswerSaysNothingOfWhatWasWrittenAnew: the call outlasted its lease, another
// process heard a no, and somebody has it asked for anew.
func TestALateAnswerSaysNothingOfWhatWasWrittenAnew(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]func(r *rig) word{
		"later": func(r *rig) word { return r.later(time.Hour, "T-old") },
		"a no":  func(*rig) word { return unasked },
		"not known": func(*rig) word {
			return func(context.Context, pki.Request) (pki.Answer, error) { return pki.Answer{}, errors.New("away") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
				_, err := r.DB.Exec(ctx, `update intent set serial = 'x', state = 'pending', ticket = 'T-new', said = 'new', attempts = 27 where number = $1`, n)
				ok(t, err)
				return late(r)(ctx, q)
			})
			r.look(t, n)
			if got := r.text(t, `select concat_ws(' ', state, ticket, said, attempts) from intent where number = $1`, n); got != "pending T-new new 27" {
				t.Errorf("got %q", got)
			}
			r.told(t, 0, 0)
		})
	}
}
