package order

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// orderHasCertificate is SQL: whether there is a certificate of the order s,
// whatever became of it. It is found by its key.
const orderHasCertificate = `exists (select from certificate x where x.key = sha256(s.spki) and x.server_order = s.id)`

// MayRetry tells whether the reader may let the authority be asked once more,
// with the order's checks as they are now. Whose right had ended waits until it is
// known what became of what was asked for; there is no second certificate.
func MayRetry(o ServerOrder, c Checks) error {
	if err := may(o, o.State == Failed); err != nil {
		return err
	}
	switch {
	case o.Asking:
		return fault.New(fault.Conflict, "serverorder.retry.asking")
	case o.Spent:
		return fault.New(fault.Conflict, "serverorder.retry.spent")
	}
	return c.conflict()
}

// RetryOrder lets the authority be asked once more: for the same certificate where
// one may have been signed: it is not known, the own authority signed something
// else, or the order was broken off while it was asked; else for another one, under
// a reference of its own.
func (b *Book) RetryOrder(ctx context.Context, by person.Actor, reference string) error {
	return b.decide(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, _ org.Organisation) error {
		now := b.Now()
		f, err := b.facts(ctx, tx, now, o)
		if err != nil {
			return err
		}
		if err := MayRetry(o, f.checks(now)); err != nil {
			return err
		}
		was, err := b.Issuance.Before(ctx, tx, issuance.Number(o.ID))
		if err != nil {
			return err
		}
		o.Attempts++
		p, same, err := b.nextTry(now, o, f, was)
		if err != nil {
			return err
		}
		if err := b.goes(ctx, tx, now, o, p, nil); err != nil {
			return err
		}
		switch i := *p.intent; {
		case !same:
			err = b.Issuance.Write(ctx, tx, now, i)
		case was.Number == i.Number && bytes.Equal(was.Serial, i.Serial) && was.Withdrawn == nil:
			err = b.Issuance.Resume(ctx, tx, now, issuance.ServerOrder, i.Number)
		default: // the version before asked for it, or it was only collected
			err = b.Issuance.Adopt(ctx, tx, now, i)
		}
		if err != nil {
			return err
		}
		return b.noteOrder(ctx, tx, now, by.Who(), o, "order.retried", audit.Detail{"reference": o.Reference})
	})
}

// nextTry is what is asked for now, and whether it is the same as before. An
// authority outside would give what it gave once again, so what it is asked for
// anew has a reference of its own; the portal's own goes by the number.
func (b *Book) nextTry(now time.Time, o ServerOrder, f facts, was issuance.Intent) (p placed, same bool, err error) {
	own := was.Number == 0 || b.Issuance.Registry[was.Authority].Own
	unsigned := o.Reason == issuance.NoAuthority || issuance.Unsigned(o.Reason) || o.brokenOff() && was.State == issuance.Refused
	if o.Serial == nil || unsigned || o.Reason == issuance.NotAsAsked && !own {
		p, err = b.place(now, o.ID, fmt.Sprintf("%s-%d", o.Reference, o.Attempts+1), f, Approved)
		return p, false, err
	}
	i, err := b.same(o, f, was.Authority)
	if err != nil {
		return p, true, err
	}
	return b.asked(now, f, i), true, nil
}
