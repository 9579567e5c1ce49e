package compromise

import (
	"context"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/network"
)

// What people who are not signed in may write down in an hour: each network address,
// and all of them together.
const (
	mostByOne = 10
	mostByAll = 200
	brakeTime = time.Hour
)

// What is counted.
const (
	reports = "compromise.report"
	values  = "compromise.value"
)

// braked counts one of what, of an address and of all, and holds whoever has had their
// share. What is not written down in tx after all does not count.
func braked(ctx context.Context, tx pgx.Tx, now time.Time, what string, from netip.Addr) error {
	for _, c := range []struct {
		brake.Brake
		who string
	}{
		{brake.Brake{Kind: what, Most: mostByOne, Per: brakeTime}, network.Of(from).String()},
		{brake.Brake{Kind: what, Most: mostByAll, Per: brakeTime}, "all"},
	} {
		taken, err := c.Take(ctx, tx, now, c.who)
		if err != nil {
			return err
		}
		if taken.Held {
			return ErrBraked.Until(taken.Until)
		}
	}
	return nil
}

// ErrBraked is that too much was written down lately; RetryAt says until when.
var ErrBraked = fault.New(fault.TooMany, "compromise.brake")
