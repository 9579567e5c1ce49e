package order_test

import (
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestEachGuardAgainstTheVersionBeforeKeepsOutWhatNothingElseDoes: what that version
// does is refused, and passes once the trigger is gone. So none of them is there for
// nothing.
func TestEachGuardAgainstTheVersionBeforeKeepsOutWhatNothingElseDoes(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		server      bool
		says, table string // the guard is called so, and hangs on this table
		// given makes it what it is; came is what its authority signed.
		given func(t *testing.T, f former, o of)
		does  func(t *testing.T, f former, o of, came pki.Certificate) error
	}{
		"an application taken back is issued": {false, "right_over", "application", func(t *testing.T, f former, o of) {
			f.ok(t, f.TakeBack(t.Context(), f.ada, order.ID(o.number)))
		}, recorded},
		"an order taken back is issued": {true, "right_over", "certificate", func(t *testing.T, f former, o of) {
			f.ok(t, f.Withdraw(t.Context(), f.tina, trial.Must(f.reference(t.Context(), o))))
		}, recorded},
		"an order whose checks failed is issued": {true, "right_over", "server_order", func(t *testing.T, f former, o of) {
			f.exec(t, `update server_order set state = 'failed', reason = 'serverorder.failed.checks' where id = $1`, o.number)
		}, recorded},
		"an application that somebody outside was asked for is asked for again": {false, "asked_outside", "application", outside, again},
		"an order that somebody outside was asked for is asked for again":       {true, "asked_outside", "server_order", outside, again},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f, ctx := formerHouse(t), t.Context()
			o := f.made(t, 0, false)[map[bool]int{true: 1}[c.server]]
			i := trial.Must(f.intend(ctx, o))
			came := trial.Must(campus.Signed(ctx, f.authority, i.request(t, o.number)))
			f.exec(t, `update intent set state = 'asked', asked = $2 where number = $1`, o.number, f.Now())
			c.given(t, f, o)
			campus.Wants(t, c.does(t, f, o, came), "schema."+c.says)
			f.exec(t, `drop trigger `+c.says+` on `+c.table)
			if err := c.does(t, f, o, came); err != nil {
				t.Errorf("without the guard: got %v, want that nothing else keeps it out", err)
			}
		})
	}
}

func recorded(t *testing.T, f former, o of, came pki.Certificate) error {
	return f.record(t.Context(), o, came)
}

func again(t *testing.T, f former, o of, _ pki.Certificate) error {
	return f.again(t.Context(), o, false)
}

// outside has it fail with an authority that is not the portal's.
func outside(t *testing.T, f former, o of) {
	f.ok(t, f.fail(t.Context(), o, "order.failed.away"))
	f.exec(t, `update intent set authority = 'outside' where number = $1`, o.number)
}
