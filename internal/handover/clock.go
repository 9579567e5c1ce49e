package handover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/queue"
)

type clockArgs struct{}

func (clockArgs) Kind() string { return "handover_clock" }

// Jobs registers what runs by itself: every hour, offers end whose time is over
// and successors are reminded.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[clockArgs]) error { return b.Tick(ctx) }))
	return []queue.Task{queue.Every(time.Hour, clockArgs{})}
}

// tickMost bounds one tick; the next one goes on.
const tickMost = 500

// Tick ends the offers whose time is over and tells both sides, and reminds each
// successor once, after RemindAfter. What was missed is caught up, and a second
// tick finds nothing.
func (b *Book) Tick(ctx context.Context) error {
	now := b.Now()
	rows, err := b.DB.Query(ctx, `select organisation from handover
		where ended is null and (ends <= @now or reminded is null and created <= @remind) order by ends, id limit @most`,
		pgx.NamedArgs{"now": now, "remind": now.Add(-RemindAfter), "most": tickMost})
	if err != nil {
		return fmt.Errorf("look for handovers that wait: %w", err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[org.OrganisationID])
	if err != nil {
		return fmt.Errorf("look for handovers that wait: %w", err)
	}
	var failed []error // one organisation keeps no other waiting
	for _, id := range due {
		if err := b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.tick(ctx, tx, now, id) }); err != nil {
			failed = append(failed, fmt.Errorf("tick the handover of organisation %d: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

func (b *Book) tick(ctx context.Context, tx pgx.Tx, now time.Time, id org.OrganisationID) error {
	if _, err := b.Org.HoldOrganisation(ctx, tx, person.Actor{}, id); err != nil {
		return err
	}

	o, err := b.open(ctx, tx, id)
	switch {
	case err != nil || o == nil:
		return err
	case !now.Before(o.Ends):
		return b.expire(ctx, tx, now, *o)
	case o.Reminded != nil || now.Before(o.Created.Add(RemindAfter)):
		return nil
	}
	if _, err := tx.Exec(ctx, `update handover set reminded = $2 where id = $1`, o.ID, now); err != nil {
		return fmt.Errorf("note a reminder: %w", err)
	}
	return b.post(ctx, tx, *o, mail.HandoverReminder, o.Successor, b.link(*o))
}

// expire ends an offer whose time is over.
func (b *Book) expire(ctx context.Context, tx pgx.Tx, now time.Time, o Offer) error {
	if err := b.move(ctx, tx, now, o, Expired); err != nil {
		return err
	}
	if err := b.note(ctx, tx, now, person.Actor{}, o, "handover.expired", nil); err != nil {
		return err
	}
	return b.postBoth(ctx, tx, o, mail.HandoverExpired)
}
