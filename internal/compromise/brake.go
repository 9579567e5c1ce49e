package compromise

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/network"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// How often in brakeTime somebody may try something here, come to what or not, and
// write a report or ask for a value: an account, or a network address that nobody is
// signed in from. Those have a bound together as well, and one a day for keys that
// nobody here has a certificate of, which stay blocked for good.
const (
	brakeTime   = time.Hour
	mostTries   = 60
	mostWritten = 10
	mostByAll   = 200
	mostUnknown = 100
)

// What is counted.
const (
	tries   = "compromise.try"
	reports = "compromise.report"
	values  = "compromise.value"
	unknown = "compromise.unknown"
)

// Too much was tried or written down lately; RetryAt says until when.
var (
	ErrBraked    = fault.New(fault.TooMany, "compromise.brake")     // by whoever asks
	ErrBrakedAll = fault.New(fault.TooMany, "compromise.brake_all") // by all who are not signed in
)

// whose count it is.
func whose(by person.Actor, from netip.Addr) string {
	if by.Account != 0 {
		return "account " + strconv.FormatInt(int64(by.Account), 10)
	}
	return network.Of(from).String()
}

// tried counts that somebody tries something, before anything is read or looked for.
// A form that is only shown again tries nothing, and the count is not what it did.
func (b *Book) tried(ctx context.Context, by person.Actor, from netip.Addr) error {
	err := b.DB.Tx(postgres.Aside(ctx), func(tx pgx.Tx) error {
		return take(ctx, tx, b.Now(), brake.Brake{Kind: tries, Most: mostTries, Per: brakeTime}, whose(by, from), ErrBraked)
	})
	if errors.Is(err, postgres.ErrShown) {
		return nil
	}
	return err
}

// written counts a report or a value. What is not written down in the transaction q
// after all does not count.
func written(ctx context.Context, q postgres.Querier, now time.Time, what string, by person.Actor, from netip.Addr) error {
	err := take(ctx, q, now, brake.Brake{Kind: what, Most: mostWritten, Per: brakeTime}, whose(by, from), ErrBraked)
	if err != nil || by.Account != 0 {
		return err
	}
	return take(ctx, q, now, brake.Brake{Kind: what, Most: mostByAll, Per: brakeTime}, "all", ErrBrakedAll)
}

func take(ctx context.Context, q postgres.Querier, now time.Time, b brake.Brake, who string, held *fault.Fault) error {
	taken, err := b.Take(ctx, q, now, who)
	if err == nil && taken.Held {
		err = held.With("at", taken.Until).Until(taken.Until)
	}
	return err
}
