// Package queue runs the work that happens later. Work is queued in the
// transaction that causes it, so both happen or neither. Every job may run
// twice, and its arguments hold ids only. It knows no job by name: each room
// registers its own.
package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

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
	after  atomic.Int64          // nanoseconds until a job is lost
	still  func(context.Context) // ends what the process does by itself
}

// Open makes a queue that inserts. A process that also works calls Start.
func Open(db *postgres.DB) (*Queue, error) {
	c, err := river.NewClient(riverpgxv5.New(db.Pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	q := &Queue{db: db, insert: c}
	q.after.Store(int64(RescueAfter))
	return q, nil
}

// Work is what a process that works needs to know. A zero time is the usual one.
type Work struct {
	Workers     *river.Workers
	Periodic    []Task
	Mails       int           // mail jobs at once; 0 means 24
	JobTimeout  time.Duration // ends a job whose worker sets no time of its own
	RescueAfter time.Duration // when a job that was not ended is lost and runs again
	DueEvery    time.Duration // how often rows are looked for that have lost their job; 0 means a minute
	Log         *slog.Logger
}

func (w *Work) defaults() {
	w.Mails = cmp.Or(w.Mails, 24)
	w.JobTimeout = cmp.Or(w.JobTimeout, JobTimeout)
	w.RescueAfter = cmp.Or(w.RescueAfter, RescueAfter)
	w.DueEvery = cmp.Or(w.DueEvery, time.Minute)
}

// riverRescue keeps River's own rescuer, which our rescue replaces, out of it.
const riverRescue = 24 * time.Hour

// Start begins to work the jobs. The context ends nothing; Stop does.
func (q *Queue) Start(ctx context.Context, w Work) error {
	w.defaults()
	indexes, err := q.rebuilt(ctx)
	if err != nil {
		return err
	}
	c, err := river.NewClient(riverpgxv5.New(q.db.Pool), &river.Config{
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: 16},
			Mail:               {MaxWorkers: w.Mails},
		},
		Workers:              w.Workers,
		FetchOnlyKnownKinds:  true, // a newer version's jobs wait for it
		FetchCooldown:        20 * time.Millisecond,
		JobTimeout:           w.JobTimeout,
		RescueStuckJobsAfter: riverRescue,
		ReindexerIndexNames:  indexes,
		ErrorHandler:         &failures{w.Log},
		Logger:               slog.New(quiet{w.Log.Handler()}),
	})
	if err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	if err := c.Start(ctx); err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	q.work = c
	q.after.Store(int64(w.RescueAfter))
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() { defer close(over); tick(ctx, q.chores(w), w.Log) }()
	q.still = func(until context.Context) {
		cancel()
		select {
		case <-over:
		case <-until.Done():
		}
	}
	return nil
}

// rebuilt are the indexes that River builds anew at night: none where this role
// does not own them, since every try would be an error in the log.
func (q *Queue) rebuilt(ctx context.Context) ([]string, error) {
	var own bool
	err := q.db.QueryRow(ctx, `select pg_has_role(relowner, 'usage') from pg_class where oid = 'river_job'::regclass`).Scan(&own)
	if err != nil {
		return nil, fmt.Errorf("look who owns the queue: %w", err)
	}
	if own {
		return river.ReindexerIndexNamesDefault(), nil
	}
	return []string{}, nil
}

// Stop lets running jobs finish until ctx ends, then cancels them; they run
// again later.
func (q *Queue) Stop(ctx context.Context) error {
	if q.work == nil {
		return nil
	}
	q.still(ctx)
	if err := q.work.Stop(ctx); err != nil {
		hard, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return errors.Join(fmt.Errorf("stop queue: %w", err), q.work.StopAndCancel(hard))
	}
	return nil
}
