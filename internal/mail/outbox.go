package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// ID names a letter in the outbox.
type ID int64

// Outbox keeps the mails whose outcome nobody waits for, until they are sent
// or failed where the registration office sees them.
type Outbox struct {
	DB         *postgres.DB
	Sender     *Sender // only jobs ask it
	Queue      *queue.Queue
	Now        func() time.Time
	Log        *slog.Logger                                           // nil: nothing is logged
	Count      func(why string)                                       // hears of each mail that failed for good; nil: nobody does
	Officers   func(ctx context.Context, tx pgx.Tx) ([]Reader, error) // who hears that the queue goes on; nil: nobody
	OfficeLink string                                                 // where officers see the state of the mail

	numbers numbers
}

// Reader is somebody who gets a letter: what goes to an account is addressed with
// it, so that none forgets the language.
type Reader struct {
	To   string // empty: there is no address to write to
	Lang string // that they chose; empty: both
}

// Post queues the letter of w in tx; one to nobody is none. It is a step: it
// checks no rights.
func (o *Outbox) Post(ctx context.Context, tx pgx.Tx, w Words) error {
	if w.recipient() == "" {
		return nil
	}
	stored, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("post letter %q: %w", w.kind(), err)
	}
	id, err := o.numbers.next(ctx, tx)
	if err != nil {
		return fmt.Errorf("number letter %q: %w", w.kind(), err)
	}
	now := o.Now()
	err = postgres.Add(ctx, tx, func(all *posted) { all.add(id, w, string(stored), now) })
	if err != nil {
		return fmt.Errorf("post letter %q: %w", w.kind(), err)
	}
	return o.Queue.Insert(ctx, tx, delivery{Letter: id})
}

// Failed is a letter that was refused for good or stayed unsent too long.
type Failed struct {
	ID        ID
	Kind      string
	Recipient string
	Answer    string // what the mail server said last; empty: it was away
	Attempts  int
	Created   time.Time
	Done      time.Time
	Unsent    bool // only for want of time: nothing is known against the recipient
}

// Failed returns the newest failed letters, at most limit.
func (o *Outbox) Failed(ctx context.Context, limit int) ([]Failed, error) {
	rows, err := o.DB.Query(ctx, `
		select id, kind, recipient, answer, attempts, created, done, unsent
		from letter where state = 'failed' order by id desc limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list failed letters: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Failed])
	if err != nil {
		return nil, fmt.Errorf("list failed letters: %w", err)
	}
	return all, nil
}

// Retry queues the failed letter again, with its hours begun anew, and reports
// whether it did: a letter that waits or was sent stays as it is. It is a
// step: it checks no rights and leaves no audit line.
func (o *Outbox) Retry(ctx context.Context, tx pgx.Tx, id ID) (bool, error) {
	var state string
	if err := tx.QueryRow(ctx, `select state from letter where id = $1 for update`, id).Scan(&state); err != nil {
		return false, fmt.Errorf("retry letter %d: %w", id, postgres.Fault(err))
	}
	if state != "failed" {
		return false, nil
	}
	_, err := tx.Exec(ctx, `
		update letter set state = 'queued', answer = '', attempts = 0, since = @now, done = null, unsent = false
		where id = @id`, pgx.NamedArgs{"id": id, "now": o.Now()})
	if err != nil {
		return false, fmt.Errorf("retry letter %d: %w", id, err)
	}
	return true, o.Queue.Insert(ctx, tx, delivery{Letter: id})
}

// keepWords is how long the words of a sent letter can be looked up.
const keepWords = 30 * 24 * time.Hour

// forgetting is the job to delete the words of letters sent long ago.
type forgetting struct{}

func (forgetting) Kind() string { return "mail_forget" }

type forgetter struct {
	river.WorkerDefaults[forgetting]
	outbox *Outbox
}

func (f *forgetter) Work(ctx context.Context, _ *river.Job[forgetting]) error {
	return f.outbox.forget(ctx)
}

// forget works in small bites, so that it holds no locks for long.
func (o *Outbox) forget(ctx context.Context) error {
	for {
		done, err := o.DB.Exec(ctx, `
			update letter set words = null
			where id in (select id from letter where state = 'sent' and words is not null and done < $1 limit 1000)`,
			o.Now().Add(-keepWords))
		if err != nil {
			return fmt.Errorf("forget the words of old letters: %w", err)
		}
		if done.RowsAffected() == 0 {
			return nil
		}
	}
}
