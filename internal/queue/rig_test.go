package queue

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// errand is the job of these tests; its rows live in the table errand.
type errand struct {
	Row int64 `json:"row"`
}

func (errand) Kind() string { return "errand" }

// daily comes by the clock.
type daily struct{}

func (daily) Kind() string { return "daily" }

// slow may take a quarter of an hour.
type slow struct{}

func (slow) Kind() string { return "slow" }

func (slow) MayTake() time.Duration { return 15 * time.Minute }

// strange is a kind that not every process knows.
type strange struct{}

func (strange) Kind() string { return "strange" }

type rig struct {
	*Queue
	t  *testing.T
	db *postgres.DB
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, db: pgtest.New(t)}
	r.exec(`create table errand (id bigint primary key, done int not null default 0)`)
	r.Queue = r.another()
	return r
}

// another is the queue of another process.
func (r *rig) another() *Queue {
	r.t.Helper()
	q, err := Open(r.db)
	if err != nil {
		r.t.Fatal(err)
	}
	return q
}

// work starts q with workers for errands, for what comes by the clock, and for
// the kinds that more adds.
func (r *rig) work(q *Queue, w Work, more ...func(*river.Workers)) {
	r.t.Helper()
	w.Workers, w.Log = river.NewWorkers(), slog.New(slog.NewTextHandler(r.t.Output(), nil))
	river.AddWorker(w.Workers, river.WorkFunc(func(ctx context.Context, j *river.Job[errand]) error {
		_, err := r.db.Exec(ctx, `update errand set done = done + 1 where id = $1`, j.Args.Row)
		return err
	}))
	river.AddWorker(w.Workers, river.WorkFunc(func(context.Context, *river.Job[daily]) error { return nil }))
	for _, add := range more {
		add(w.Workers)
	}
	if err := q.Start(r.t.Context(), w); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			r.t.Errorf("stop the queue: %v", err)
		}
	})
}

func knowsStrange(done chan<- struct{}) func(*river.Workers) {
	return func(w *river.Workers) {
		river.AddWorker(w, river.WorkFunc(func(context.Context, *river.Job[strange]) error {
			done <- struct{}{}
			return nil
		}))
	}
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	if _, err := r.db.Exec(r.t.Context(), sql, args...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) put(args ...river.JobArgs) {
	r.t.Helper()
	if err := r.db.Tx(r.t.Context(), func(tx pgx.Tx) error { return r.Insert(r.t.Context(), tx, args...) }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) count(sql string, args ...any) (n int) {
	r.t.Helper()
	if err := r.db.QueryRow(r.t.Context(), sql, args...).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// jobs is what the jobs are, in the order of their ids: kind, state and attempt.
func (r *rig) jobs() string {
	r.t.Helper()
	var all string
	err := r.db.QueryRow(r.t.Context(), `select coalesce(string_agg(kind || ' ' || state || ' ' || attempt, ', ' order by id), '') from river_job`).Scan(&all)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// taken leaves the jobs as a process that died so long ago had taken them.
func (r *rig) taken(ago time.Duration) {
	r.t.Helper()
	r.exec(`update river_job set state = 'running', attempt = attempt + 1, attempted_at = now() - make_interval(secs => $1), attempted_by = '{dead}'`, ago.Seconds())
}

func (r *rig) until(what string, is func() bool) {
	r.t.Helper()
	defer func() {
		if r.t.Failed() {
			r.t.Logf("jobs: %s", r.jobs())
		}
	}()
	trial.Until(r.t, what, is)
}

// someoneLeads keeps every process of the test from becoming River's leader, as
// one does that hangs.
func (r *rig) someoneLeads() {
	r.t.Helper()
	r.exec(`insert into river_leader (elected_at, expires_at, leader_id) values (now(), now() + interval '1 hour', 'hung')`)
}
