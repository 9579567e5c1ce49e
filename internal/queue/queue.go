// Package queue runs the work that happens later. Work is queued in the
// transaction that causes it, so both happen or neither. Every job may run
// twice, and its arguments hold ids only. It knows no job by name: each room
// registers its own.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
)

// Mail is the queue of jobs that wait for a mail server, so that a slow server
// delays nothing else.
const Mail = "mail"

// Queue inserts jobs and, between Start and Stop, works them.
type Queue struct {
	db     *postgres.DB
	insert *river.Client[pgx.Tx]
	work   *river.Client[pgx.Tx]
}

// Open makes a queue that inserts. A process that also works calls Start.
func Open(db *postgres.DB) (*Queue, error) {
	c, err := river.NewClient(riverpgxv5.New(db.Pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return &Queue{db: db, insert: c}, nil
}

// Insert queues args in tx.
func (q *Queue) Insert(ctx context.Context, tx pgx.Tx, args ...river.JobArgs) error {
	many := make([]river.InsertManyParams, len(args))
	for i, a := range args {
		many[i].Args = a
	}
	if len(many) == 0 {
		return nil
	}
	if _, err := q.insert.InsertManyTx(ctx, tx, many); err != nil {
		return fmt.Errorf("queue %s: %w", args[0].Kind(), err)
	}
	return nil
}

// Work is what a process that works needs to know.
type Work struct {
	Workers  *river.Workers
	Periodic []*river.PeriodicJob
	Mails    int // mail jobs at once; 0 means 24
	Log      *slog.Logger
}

// Start begins to work the jobs. The context ends nothing; Stop does.
func (q *Queue) Start(ctx context.Context, w Work) error {
	if w.Mails == 0 {
		w.Mails = 24
	}
	c, err := river.NewClient(riverpgxv5.New(q.db.Pool), &river.Config{
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: 16},
			Mail:               {MaxWorkers: w.Mails},
		},
		Workers:       w.Workers,
		PeriodicJobs:  w.Periodic,
		FetchCooldown: 20 * time.Millisecond,
		JobTimeout:    2 * time.Minute,
		ErrorHandler:  &failures{w.Log},
		Logger:        slog.New(quiet{w.Log.Handler()}),
	})
	if err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	if err := c.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	q.work = c
	return nil
}

// Stop lets running jobs finish until ctx ends, then cancels them; they run
// again later.
func (q *Queue) Stop(ctx context.Context) error {
	if q.work == nil {
		return nil
	}
	if err := q.work.Stop(ctx); err != nil {
		hard, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return errors.Join(fmt.Errorf("stop queue: %w", err), q.work.StopAndCancel(hard))
	}
	return nil
}

// Failed is a job that was given up or keeps failing.
type Failed struct {
	ID        int64
	Kind      string
	State     string // River's word: retryable, discarded or cancelled
	Attempt   int
	At        time.Time
	Error     string
	CanRetry  bool
	Scheduled time.Time
}

// Failures returns the newest jobs that were given up or wait for another try.
func (q *Queue) Failures(ctx context.Context, limit int) ([]Failed, error) {
	p := river.NewJobListParams().First(limit).OrderBy(river.JobListOrderByID, river.SortOrderDesc).
		States(rivertype.JobStateDiscarded, rivertype.JobStateRetryable)
	l, err := q.insert.JobList(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list failed jobs: %w", err)
	}
	all := make([]Failed, 0, len(l.Jobs))
	for _, j := range l.Jobs {
		f := Failed{ID: j.ID, Kind: j.Kind, State: string(j.State), Attempt: j.Attempt, Scheduled: j.ScheduledAt, CanRetry: true}
		if n := len(j.Errors); n > 0 {
			f.At, f.Error = j.Errors[n-1].At, j.Errors[n-1].Error
		}
		all = append(all, f)
	}
	return all, nil
}

// Retry lets the job run again at once. A job that already ended well stays as
// it is.
func (q *Queue) Retry(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := q.insert.JobRetryTx(ctx, tx, id)
	if errors.Is(err, river.ErrNotFound) {
		return fault.New(fault.Missing, "fault.missing").Because(err)
	}
	if err != nil {
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	return nil
}

// Counts returns how many jobs there are in each of River's states that is not
// an end.
func (q *Queue) Counts(ctx context.Context) (map[string]int64, error) {
	rows, err := q.db.Query(ctx, `select state::text, count(*) from river_job where finalized_at is null group by state`)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	counts := map[string]int64{"available": 0, "scheduled": 0, "retryable": 0, "running": 0}
	var state string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { counts[state] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return counts, nil
}
