package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
)

// TestPeriodicWorkComesOnceInAPeriodWhoeverLeads: three processes work, none of
// them is River's leader, and each period has one job.
func TestPeriodicWorkComesOnceInAPeriodWhoeverLeads(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.someoneLeads()
	for range 3 {
		r.work(r.another(), Work{Periodic: []Task{Every(time.Second, daily{})}})
	}
	r.until("three periods were worked", func() bool {
		return r.count(`select count(*) from river_job where kind = 'daily' and state = 'completed'`) >= 3
	})
	var jobs, periods int
	err := r.db.QueryRow(t.Context(), `select count(*), count(distinct date_trunc('second', scheduled_at)) from river_job where kind = 'daily'`).Scan(&jobs, &periods)
	if err != nil {
		t.Fatal(err)
	}
	// The database notes the time a moment after the process chose the period.
	if jobs > periods+1 {
		t.Errorf("got %d jobs in %d periods, want one in each", jobs, periods)
	}
}

func TestPeriodicWorkIsQueuedOnceInAPeriod(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 5 {
		if err := r.another().insertPeriodic(t.Context(), 365*24*time.Hour, []river.JobArgs{daily{}}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := r.jobs(), "daily available 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.exec(`update river_job set state = 'completed', finalized_at = now()`)
	if err := r.insertPeriodic(t.Context(), 365*24*time.Hour, []river.JobArgs{daily{}}); err != nil {
		t.Fatal(err)
	}
	if got, want := r.jobs(), "daily completed 0"; got != want {
		t.Errorf("got %s, want %s: it was done in this period", got, want)
	}
}

// TestTheClockGoesOnAfterATrouble, as when the database was away; one step that
// fails keeps no other waiting.
func TestTheClockGoesOnAfterATrouble(t *testing.T) {
	t.Parallel()
	var other, tries atomic.Int32
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	steps := []*chore{
		{name: "step", every: time.Millisecond, do: func(ctx context.Context) error {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a step has no deadline")
			}
			if tries.Add(1) < 3 {
				return errors.New("the database is away")
			}
			cancel()
			return nil
		}},
		{name: "other", every: time.Millisecond, do: func(context.Context) error { other.Add(1); return nil }},
	}
	tick(ctx, steps, slog.New(slog.DiscardHandler))
	if tries.Load() < 3 || other.Load() < 2 {
		t.Errorf("got %d tries and %d of the other step, want three and more than one", tries.Load(), other.Load())
	}
}
