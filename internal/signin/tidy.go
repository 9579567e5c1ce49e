package signin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/queue"
)

const (
	tidyEvery = 10 * time.Minute
	// Who signed in from where stays in the audit; the row is not needed for it.
	forgetAfter = 7 * 24 * time.Hour
)

type tidyArgs struct{}

// Kind names the job.
func (tidyArgs) Kind() string { return "signin_tidy" }

// InsertOpts gives up early: the next one comes in minutes.
func (tidyArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 3} }

type tidyWorker struct {
	river.WorkerDefaults[tidyArgs]
	desk *Desk
}

// Work can run any number of times.
func (t *tidyWorker) Work(ctx context.Context, _ *river.Job[tidyArgs]) error { return t.desk.tidy(ctx) }

// Jobs adds this room's workers to w and returns what runs by the clock.
func (d *Desk) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, &tidyWorker{desk: d})
	return []queue.Task{queue.Every(tidyEvery, tidyArgs{})}
}

// tidy deletes expired sessions, ends logins that no longer count, at the time
// when they stopped to, with their tokens, and forgets those that ended a week
// ago.
func (d *Desk) tidy(ctx context.Context) error {
	now := d.now()
	args := d.limits(now)
	args["now"], args["old"] = now, now.Add(-forgetAfter)
	args["repeatable"] = now.Add(-2 * logoutLife) // no token that old holds any more
	args["idle_life"], args["absolute_life"] = d.cfg.Idle, d.cfg.Absolute
	return d.db.Tx(ctx, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`delete from sessions where expiry <= @now`,
			`update login l set ended = least(@now, l.seen + @idle_life, l.started + @absolute_life), id_token = null, refresh = null
				from account a where a.id = l.account and l.ended is null and not (` + counts + `)`,
			`delete from login where ended <= @old`,
			`delete from logout_token where seen <= @repeatable`,
		} {
			if _, err := tx.Exec(ctx, sql, args); err != nil {
				return fmt.Errorf("tidy logins: %w", err)
			}
		}
		return nil
	})
}
