package bulk_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"petschaft/internal/bulk"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m, trial.NewPart("work", workElsewhere)) }

// working is the bulk that another process of the portal works.
type working struct {
	Database string
	Bulk     bulk.ID
}

// workElsewhere is that other process: it works a bulk until it is killed, and
// says after each batch that it goes on.
func workElsewhere(ctx context.Context, w working) error {
	db, err := postgres.Open(ctx, w.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	b := book(db, trial.Today)
	for {
		_, more, err := b.Batch(ctx, w.Bulk)
		if err != nil || !more {
			return fmt.Errorf("ended by itself: %w", err)
		}
		fmt.Println("on")
	}
}

// TestAProcessKilledBetweenTwoRowsIsFollowedByAnother kills a real process
// (SIGKILL) in the middle of a batch: it waits for a row that the test holds.
func TestAProcessKilledBetweenTwoRowsIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := r.many(110)
	id := r.started(bulk.Deactivate)
	held, err := r.db.Begin(t.Context())
	r.ok(err)
	defer held.Rollback(t.Context())
	_, err = held.Exec(t.Context(), `select from address_row where id = $1 for update`, ids[75])
	r.ok(err)
	r.killInTheMiddle(id)
	r.ok(held.Rollback(t.Context()))
	trial.Until(t, "the server has seen that the other process is dead", func() bool {
		return r.campus.Scalar(`select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`) == 0
	})
	if x := r.one(id); x.State != bulk.Running || x.Done != 50 {
		t.Fatalf("after the kill: got %+v, want the first batch done and nothing of the second", x)
	}
	if n := r.audited("mailbox.deactivated"); n != 50 {
		t.Errorf("got %d deactivations, want 50", n)
	}
	trial.Must(r.db.Exec(t.Context(), `update river_job set state = 'running', attempted_at = now(), attempt = 1 where kind = 'bulk_work'`)) // as the dead process left it
	r.ok(r.Tick(t.Context()))
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'bulk_work'`); n != 1 {
		t.Errorf("got %d jobs at once, want the tick to wait for who may only be slow", n)
	}
	r.clock.Advance(20 * time.Second)
	r.ok(r.Tick(t.Context()))
	r.ok(r.Tick(t.Context()))
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'bulk_work'`); n != 2 {
		t.Errorf("got %d jobs, want the tick to have queued one", n)
	}
	r.work()
	r.ends(id)
	if x := r.one(id); x.Done != 110 {
		t.Errorf("got %d rows done, want 110", x.Done)
	}
	if n := r.audited("mailbox.deactivated"); n != 110 {
		t.Errorf("got %d deactivations, want each row once", n)
	}
}

// killInTheMiddle lets another process work and kills it as soon as it waits for
// a row that somebody holds.
func (r *rig) killInTheMiddle(id bulk.ID) {
	r.t.Helper()
	c := trial.NewChild(r.t, "work", working{r.url, id})
	c.Expect("on")
	trial.Until(r.t, "the other process waits in its second batch", func() bool {
		return r.campus.Scalar(`select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) > 0
	})
	c.Kill()
}

func (r *rig) ends(id bulk.ID) {
	r.t.Helper()
	trial.Until(r.t, "the bulk ends", func() bool { return r.one(id).State == bulk.Done })
}

// work runs the room's jobs until the test ends.
func (r *rig) work() {
	r.t.Helper()
	w := river.NewWorkers()
	r.Jobs(w)
	r.ok(r.Queue.Start(r.t.Context(), queue.Work{Workers: w, Log: r.Log}))
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Queue.Stop(ctx); err != nil {
			r.t.Errorf("stop queue: %v", err)
		}
	})
}

func TestTheJobComesBackUntilAllIsDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Now = time.Now
	r.PerMinute = 6000
	r.many(30)
	id := r.started(bulk.Challenge)
	r.work()
	r.ends(id)
	if n := r.campus.Scalar(`select count(*) from challenge`); n != 30 {
		t.Errorf("got %d mails, want 30", n)
	}
}
