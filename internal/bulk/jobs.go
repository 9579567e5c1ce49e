package bulk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/queue"
)

type workArgs struct {
	Bulk ID `json:"bulk"`
}

func (workArgs) Kind() string { return "bulk_work" }

type tickArgs struct{}

func (tickArgs) Kind() string { return "bulk_tick" }

type forgetArgs struct{}

func (forgetArgs) Kind() string { return "bulk_forget" }

type worker struct {
	river.WorkerDefaults[workArgs]
	book *Book
}

// turn is how long a worker goes on before it lets others have its place, so
// that a process that stops does not wait for it.
const turn = 4 * time.Second

// Work does rows until the pace or its turn is over, and comes back later.
func (w *worker) Work(ctx context.Context, j *river.Job[workArgs]) error {
	over := time.Now().Add(turn)
	for {
		wait, more, err := w.book.Batch(ctx, j.Args.Bulk)
		if err != nil || !more {
			return err
		}
		if wait > 0 || time.Now().After(over) {
			return river.JobSnooze(wait)
		}
	}
}

// Jobs registers the room's work and returns what runs by itself: every five
// seconds work that nobody goes on with is taken up again, every hour what
// nobody needs is forgotten.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, &worker{book: b})
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tickArgs]) error { return b.Tick(ctx) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[forgetArgs]) error { return b.Forget(ctx) }))
	return []queue.Task{queue.Every(5*time.Second, tickArgs{}), queue.Every(time.Hour, forgetArgs{})}
}

// lost is how long a worker may be late before another takes its place.
const lost = 15 * time.Second

// Tick queues work anew that should have gone on and did not, because its
// process died, sooner than lost jobs are taken back. Queued twice, one of the
// two finds the bulk taken and ends.
func (b *Book) Tick(ctx context.Context) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		rows, err := tx.Query(ctx, `update bulk set seen = $1 where id in (
				select id from bulk where state = 'running' and seen < $2 and next < $2 order by id limit 100 for update skip locked)
			returning id`, now, now.Add(-lost))
		if err != nil {
			return fmt.Errorf("look for bulks left alone: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
		if err != nil {
			return fmt.Errorf("look for bulks left alone: %w", err)
		}
		var jobs []river.JobArgs
		for _, id := range ids {
			jobs = append(jobs, workArgs{Bulk: id})
		}
		return b.Queue.Insert(ctx, tx, jobs...)
	})
}

// Forgotten is how long drafts live that nobody starts, Kept how long the rows
// of a bulk that is over can be looked at; its counts stay.
const (
	Forgotten = 24 * time.Hour
	Kept      = 90 * 24 * time.Hour
)

// Forget deletes both.
func (b *Book) Forget(ctx context.Context) error {
	now := b.Now()
	if _, err := b.DB.Exec(ctx, `delete from bulk where state = 'draft' and created < $1`, now.Add(-Forgotten)); err != nil {
		return fmt.Errorf("forget drafts: %w", err)
	}
	// Only those of the last days can have rows left.
	_, err := b.DB.Exec(ctx, `delete from bulk_item where bulk in (select id from bulk where ended < $1 and ended > $2)`,
		now.Add(-Kept), now.Add(-Kept-30*24*time.Hour))
	if err != nil {
		return fmt.Errorf("forget rows of old bulks: %w", err)
	}
	return nil
}
