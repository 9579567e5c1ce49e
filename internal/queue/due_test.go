package queue

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"
)

const errandsDue = `select jsonb_build_object('row', id) from errand where done = 0`

func (r *rig) look() {
	r.t.Helper()
	if err := r.queueDue(r.t.Context(), *Due[errand](errandsDue).due); err != nil {
		r.t.Fatal(err)
	}
}

// TestARowWithoutItsJobGetsOne, and one whose job lives gets no second.
func TestARowWithoutItsJobGetsOne(t *testing.T) {
	t.Parallel()
	for state, lives := range map[string]bool{
		"available": true, "scheduled": true, "retryable": true, "running": true, "completed": false, "discarded": false, "cancelled": false,
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.exec(`insert into errand values (1), (2), (3)`)
			r.exec(`update errand set done = 1 where id = 3`)
			r.put(errand{1}, errand{2})
			r.exec(`delete from river_job where (args ->> 'row')::int = 2`)
			r.exec(`update river_job set state = $1::text::river_job_state, attempt = 2, attempted_at = now(), scheduled_at = now() + interval '1 hour',
				finalized_at = case when $2 then null else now() end`, state, lives)
			r.look()
			r.look()
			want := map[bool]int{true: 1, false: 2}[lives]
			if n := r.count(`select count(*) from river_job where (args ->> 'row')::int = 1`); n != want {
				t.Errorf("got %d jobs for a row whose first one is %s, want %d", n, state, want)
			}
			if n := r.count(`select count(*) from river_job where (args ->> 'row')::int = 2 and state = 'available'`); n != 1 {
				t.Errorf("got %d jobs for the row whose job is gone, want 1", n)
			}
			if n := r.count(`select count(*) from river_job where (args ->> 'row')::int = 3`); n != 0 {
				t.Errorf("got %d jobs for a row that waits for none", n)
			}
		})
	}
}

func TestManyLookAtOnceAndARowGetsOneJob(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`insert into errand select generate_series(1, 50)`)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if err := r.queueDue(t.Context(), *Due[errand](errandsDue).due); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := r.count(`select count(*) from river_job`); n != 50 {
		t.Errorf("got %d jobs for 50 rows, want one each", n)
	}
}

func TestOneKindThatFailsKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`insert into errand values (1)`)
	w := Work{Periodic: []Task{Due[strange](`select jsonb_build_object('row', 1) from pg_sleep(60)`), Due[errand](errandsDue)}}
	w.defaults()
	ctx, cancel := context.WithTimeout(t.Context(), 10*choreTime)
	defer cancel()
	for _, c := range r.chores(w) {
		c.run(ctx, time.Now(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	}
	if r.jobs() != "errand available 0" {
		t.Errorf("got jobs %q, want that of the kind that is looked for behind one whose look takes too long", r.jobs())
	}
}

// TestThousandsThatWereQueuedAMomentAgoAreLookedThroughSoon: Postgres believes
// that there are a few.
func TestThousandsThatWereQueuedAMomentAgoAreLookedThroughSoon(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`alter table errand set (autovacuum_enabled = off)`)
	r.exec(`alter table river_job set (autovacuum_enabled = off)`)
	r.exec(`create index on errand (id) where done = 0`)
	queue := func(from, to, done int, state string) {
		r.exec(`insert into errand select i, $3 from generate_series($1::int, $2::int) i`, from, to, done)
		r.exec(`insert into river_job (kind, args, max_attempts, state, finalized_at)
			select 'errand', jsonb_build_object('row', i), 25, $3::text::river_job_state, case when $3 = 'completed' then now() end
			from generate_series($1::int, $2::int) i`, from, to, state)
	}
	queue(1, 50_000, 1, "completed")
	r.exec(`analyze errand, river_job`)
	queue(50_001, 60_000, 0, "available")
	r.exec(`insert into errand values (60001)`)
	ctx, cancel := context.WithTimeout(t.Context(), choreTime)
	defer cancel()
	if err := r.queueDue(ctx, *Due[errand](errandsDue).due); err != nil {
		t.Fatal(err)
	}
	if n := r.count(`select count(*) from river_job where state = 'available'`); n != 10_001 {
		t.Errorf("got %d jobs that wait, want 10001", n)
	}
}

// TestAWorkingProcessLooks: at its start and again and again.
func TestAWorkingProcessLooks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`insert into errand values (1)`)
	r.work(r.Queue, Work{DueEvery: 100 * time.Millisecond, Periodic: []Task{Due[errand](errandsDue)}})
	r.until("the first errand is done", func() bool { return r.count(`select done from errand where id = 1`) == 1 })
	r.exec(`insert into errand values (2)`)
	r.until("the second errand is done", func() bool { return r.count(`select done from errand where id = 2`) == 1 })
}
