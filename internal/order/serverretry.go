package order

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// orderHasCertificate is SQL: whether there is a certificate of the order s,
// whatever became of it. It is found by its key and organisation.
const orderHasCertificate = `exists (select from certificate x
	where x.key = sha256(s.spki) and x.organisation = s.organisation and x.server_order = s.id)`

// MayRetry tells whether the reader may let the authority be asked once more,
// with the order's checks as they are now. Whose right had ended waits until it is
// known what became of what was asked for; there is no second certificate.
func MayRetry(o ServerOrder, c Checks) error {
	if err := may(o, o.State == Failed); err != nil {
		return err
	}
	switch {
	case o.Asking:
		return issuance.ErrAsking
	case o.Spent:
		return fault.New(fault.Conflict, "serverorder.retry.spent")
	}
	return c.conflict()
}

// RetryOrder has the authority asked once more, as issuance.Retry decides for what. One
// of which it is not known what became, and whose checks do not hold any longer, is
// broken off, and what became of it only collected.
func (b *Book) RetryOrder(ctx context.Context, by person.Actor, reference string) error {
	var stands error
	err := b.decide(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, _ org.Organisation) error {
		now := b.Now()
		f, err := b.facts(ctx, tx, now, o)
		if err != nil {
			return err
		}
		c := f.checks(now)
		if stands = MayRetry(o, c); stands != nil {
			if MayDecide(o) != nil || !o.unheard() || c.conflict() == nil {
				return stands
			}
			if err := b.Issuance.Withdraw(ctx, tx, now, o.asked(), errChecks); err != nil {
				return err
			}
			return b.failed(ctx, tx, now, o, issuance.Intent{Reason: errChecks.ID})
		}
		i, err := b.Issuance.Retry(ctx, tx, now, o.Reason, o.asked(), func(issuance.Intent) (issuance.Intent, error) {
			return b.intended(now, o.ID, again(o.Reference, o.Attempts), f)
		})
		if err != nil {
			return err
		}
		o.Attempts++
		if err := b.goes(ctx, tx, now, o, b.asks(now, f, i), nil); err != nil {
			return err
		}
		return b.noteOrder(ctx, tx, now, by.Who(), o, "order.retried", audit.Detail{"reference": o.Reference})
	})
	return cmp.Or(err, stands)
}
