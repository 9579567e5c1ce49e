package issuance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/postgres"
)

// Withdraw is the step that ends the right to what was asked for, or may have been:
// asked, as Retry takes it. From then on an authority is only asked what became of it,
// also where nobody asked any more because that was not known. Whoever calls it tells
// whom it concerns. One that is over stays as it is.
func (b *Book) Withdraw(ctx context.Context, tx pgx.Tx, now time.Time, asked Intent, why error) error {
	i, err := b.load(ctx, tx, asked.Number)
	switch {
	case err != nil:
		return err
	case i.State.Open(), i.State == Unknown:
	case len(asked.Serial) == 0, i.State == Issued, i.Withdrawn != nil:
		return nil
	default: // the version before asked for it
		if err := b.Adopt(ctx, tx, now, asked); err != nil {
			return err
		}
		i = asked
		i.State, i.NextLook = Asked, &now
	}
	if i, err = b.withdraw(ctx, tx, now, i, why); err != nil || !i.State.Open() || i.NextLook.After(now) {
		return err
	}
	return b.Queue.Insert(ctx, tx, lookArgs{Intent: i.Number, Purpose: i.Kind})
}

// withdraw leaves a call that may be under way its lease: what is looked at within
// one may be in the hands of somebody, whose answer is not to be overtaken.
func (b *Book) withdraw(ctx context.Context, tx pgx.Tx, now time.Time, i Intent, why error) (Intent, error) {
	if i.Withdrawn != nil {
		return i, nil
	}
	i.Withdrawn, i.Reason = &now, fault.Of(why).ID
	if refusal, ok := errors.AsType[*lint.Refusal](why); ok {
		i.Findings = refusal.Findings
	}
	if i.State == Written {
		i.State = Refused
		return i, b.settle(ctx, tx, now, i)
	}
	if i.State == Unknown {
		i.State, i.Attempts, i.NextLook = Asked, 0, &now
		if i.Ticket != "" {
			i.State = Pending
		}
	}
	if i.NextLook.After(now.Add(b.lease())) {
		i.NextLook = &now
	}
	err := postgres.Write(ctx, tx, `update intent set withdrawn = @now, reason = @reason, next_look = @at, state = @state, attempts = @attempts,
			since = case when state = 'unknown' then @now else since end where number = @number`, pgx.NamedArgs{
		"number": i.Number, "now": now, "reason": i.Reason, "at": i.NextLook, "state": i.State, "attempts": i.Attempts,
	})
	if err != nil {
		return i, fmt.Errorf("withdraw intent %d: %w", i.Number, err)
	}
	return i, nil
}
