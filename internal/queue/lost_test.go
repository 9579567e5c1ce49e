package queue

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// TestALostJobRunsAtOnce: not after its backoff, whoever leads.
func TestALostJobRunsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.someoneLeads()
	r.exec(`insert into errand values (1)`)
	r.put(errand{1})
	r.exec(`update river_job set attempt = 9`) // its next pause would be hours
	r.taken(2 * time.Second)
	r.work(r.Queue, Work{JobTimeout: time.Second, RescueAfter: time.Second})
	r.until("the errand is done", func() bool { return r.count(`select done from errand`) == 1 })
	r.until("the job has ended", func() bool { return r.jobs() == "errand completed 11" })
}

func TestAJobWithinItsTimeIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put(errand{1}, slow{})
	r.exec(`update river_job set state = 'running', attempt = 1, max_attempts = 1, attempted_at = now() - interval '14 minutes' where kind = 'slow'`)
	r.exec(`update river_job set state = 'running', attempt = 1, attempted_at = now() - interval '70 seconds' where kind = 'errand'`)
	want := "errand running 1, slow running 1"
	if err := r.rescue(t.Context()); err != nil || r.jobs() != want {
		t.Errorf("got %s, %v; want %s: both may still run in a living process", r.jobs(), err, want)
	}
	if all, err := r.Failures(t.Context(), 10); err != nil || len(all) != 0 {
		t.Errorf("got %+v, %v as what went wrong, want nothing", all, err)
	}
	if did := r.retry(1); did || r.jobs() != want {
		t.Errorf("somebody had it run a second time: %v, %s", did, r.jobs())
	}
	r.exec(`update river_job set attempted_at = attempted_at - interval '2 minutes'`)
	want = "errand available 1, slow available 1" // though its attempts are used up: nothing failed
	if err := r.rescue(t.Context()); err != nil || r.jobs() != want {
		t.Errorf("got %s, %v; want %s: no living process lets them run for so long", r.jobs(), err, want)
	}
}

func TestAJobThatAlwaysIsLostIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`insert into errand values (1)`)
	r.put(errand{1})
	for range rescueMost {
		r.taken(time.Hour)
		if err := r.rescue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.look()
	if got, want := r.jobs(), "errand discarded 25"; got != want {
		t.Errorf("got %s, want %s and no other: it may be what kills the processes", got, want)
	}
	if all, err := r.Failures(t.Context(), 10); err != nil || len(all) != 1 {
		t.Errorf("got %+v, %v as what went wrong, want the job", all, err)
	}
	if !r.retry(1) || r.jobs() != "errand available 25" {
		t.Errorf("got %s, want it to run when somebody wants it", r.jobs())
	}
}

// TestAJobThatIsLostAtItsLastAttemptIsNotGivenUp: its attempts were used up
// otherwise.
func TestAJobThatIsLostAtItsLastAttemptIsNotGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`insert into errand values (1)`)
	r.put(errand{1})
	r.exec(`update river_job set attempt = $1, max_attempts = $2`, rescueMost-1, rescueMost)
	r.taken(time.Hour)
	if err := r.rescue(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.look()
	if got, want := r.jobs(), "errand discarded 25, errand available 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestALostJobIsSeenAndCanBeRunAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put(errand{1}, errand{2})
	r.taken(90 * time.Second)
	r.exec(`update river_job set attempted_at = now() where id = 2`)
	all, err := r.Failures(t.Context(), 10)
	if err != nil || len(all) != 1 || all[0].ID != 1 || all[0].State != "running" || time.Since(all[0].At) < time.Minute {
		t.Fatalf("got %+v, %v; want the first job, running since a minute and a half", all, err)
	}
	counts, lost, err := r.Counts(t.Context())
	if err != nil || counts["running"] != 2 || lost != 1 {
		t.Errorf("got %v and %d lost, %v; want two running and one of them lost", counts, lost, err)
	}
	if first, second := r.retry(1), r.retry(2); !first || second {
		t.Errorf("got %v and %v, want the lost job to run again and the other one to be left alone", first, second)
	}
	if got, want := r.jobs(), "errand available 1, errand running 1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func (r *rig) retry(id int64) (did bool) {
	r.t.Helper()
	err := r.db.Tx(r.t.Context(), func(tx pgx.Tx) (err error) {
		did, err = r.Retry(r.t.Context(), tx, id)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return did
}

// TestAProcessLeavesJobsItDoesNotKnow: they wait for one that does, also when
// they were lost.
func TestAProcessLeavesJobsItDoesNotKnow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`insert into errand values (1)`)
	r.put(strange{})
	r.taken(10 * time.Minute)
	r.put(strange{})
	r.work(r.Queue, Work{JobTimeout: time.Second, RescueAfter: time.Second})
	r.until("the lost one is taken back", func() bool { return r.jobs() == "strange available 1, strange available 0" })
	r.put(errand{1})
	r.until("a job that came later is done", func() bool { return r.count(`select done from errand`) == 1 })
	if got, want := r.count(`select count(*) from river_job where kind = 'strange' and state = 'available'`), 2; got != want {
		t.Errorf("got %s, want both strange jobs to wait", r.jobs())
	}
	done := make(chan struct{}, 2)
	r.work(r.another(), Work{}, knowsStrange(done))
	<-done
	<-done
}

// TestALeaderOfAnotherVersionLosesNothing: River's own rescuer discards a job of
// a kind that the leader does not know. The row is still there, and the effect
// comes.
func TestALeaderOfAnotherVersionLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`insert into errand values (1)`)
	r.put(errand{1})
	r.taken(10 * time.Minute)
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[daily]) error { return nil }))
	leader, err := river.NewClient(riverpgxv5.New(r.db.Pool), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}}, Workers: workers, FetchOnlyKnownKinds: true,
		JobTimeout: time.Second, RescueStuckJobsAfter: time.Minute, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := leader.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leader.Stop(context.Background()) })
	r.until("the leader has discarded the job", func() bool { return r.jobs() == "errand discarded 1" })
	r.work(r.Queue, Work{Periodic: []Task{Due[errand](errandsDue)}})
	r.until("the errand is done all the same", func() bool { return r.count(`select done from errand`) == 1 })
}
