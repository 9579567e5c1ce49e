package queue

import (
	"sync"
	"testing"
	"time"
)

const errandsDue = `select jsonb_build_object('row', id) from errand where done = 0`

func (r *rig) look() {
	r.t.Helper()
	if err := r.queueDue(r.t.Context(), []due{*Due[errand](errandsDue).due}); err != nil {
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
			if err := r.queueDue(t.Context(), []due{*Due[errand](errandsDue).due}); err != nil {
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
	err := r.queueDue(t.Context(), []due{*Due[strange](`select nothing from nowhere`).due, *Due[errand](errandsDue).due})
	if err == nil || r.jobs() != "errand available 0" {
		t.Errorf("got %v and jobs %q, want the error of one kind and the job of the other", err, r.jobs())
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
