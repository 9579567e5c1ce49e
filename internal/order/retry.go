package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Retry asks the authority once more for the same certificate; where a rule
// forbade it nothing was signed, so the intent is written anew. A later
// application of the row makes that a conflict, and so does the rule who may
// apply, and a row that has other addresses by now.
func (b *Book) Retry(ctx context.Context, by person.Actor, id ID) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		row, account, err := b.of(ctx, tx, id)
		if err != nil {
			return postgres.Fault(err)
		}
		l, linkErr := b.Mailbox.LockLinked(ctx, tx, account, row)
		if linkErr != nil && !fault.Is(linkErr, fault.Conflict) {
			return linkErr
		}
		i, err := load(ctx, tx, id)
		if err != nil {
			return fmt.Errorf("read application %d: %w", id, err)
		}
		now := b.Now()
		if linkErr == nil {
			linkErr = mailbox.MayApply(l, now)
		}
		if err := b.mayRetry(ctx, tx, i); err != nil {
			return err
		}
		if linkErr != nil {
			return linkErr
		}
		if !i.names(l) {
			return errRetryOver
		}
		return b.again(ctx, tx, now, by, i)
	})
}

var errRetryOver = fault.New(fault.Conflict, "order.retry.over")

func (b *Book) mayRetry(ctx context.Context, tx pgx.Tx, i intent) error {
	var followed bool
	err := tx.QueryRow(ctx, `select exists (select from application where row_id = $1 and id > $2)`, i.RowID, i.ID).Scan(&followed)
	if err != nil {
		return fmt.Errorf("look for what followed application %d: %w", i.ID, err)
	}
	if i.State != Failed || followed {
		return errRetryOver
	}
	return nil
}

// names tells whether the intent is for exactly the addresses of the row.
func (i intent) names(l mailbox.Linked) bool {
	var present []string
	for _, a := range l.Addresses() {
		present = append(present, string(a))
	}
	return slices.Equal(slices.Sorted(slices.Values(i.Emails)), slices.Sorted(slices.Values(present)))
}

// again keeps what the authority answered before: it may be all that is known of
// a certificate.
func (b *Book) again(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, i intent) error {
	_, err := tx.Exec(ctx, `update application set state = case when @anew then 'queued' else 'issuing' end, reason = '', ended = null,
			attempts = attempts + 1, serial = case when not @anew then serial end, not_before = case when not @anew then not_before end
		where id = @id`, pgx.NamedArgs{"id": i.ID, "anew": unsigned(i.Reason)})
	if err != nil {
		return fmt.Errorf("retry application %d: %w", i.ID, err)
	}
	if err := b.Queue.Insert(ctx, tx, issueArgs{Application: i.ID}); err != nil {
		return err
	}
	return b.note(ctx, tx, now, i, by.Who(), "order.retried", audit.Detail{"reference": i.Reference})
}
