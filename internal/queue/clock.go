package queue

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
)

// Task is work that comes by itself: see Every and Due.
type Task struct {
	every time.Duration
	args  river.JobArgs
	due   *due
}

// Every queues args once in each period d, whichever processes work: each of
// them tries, at its start and when a period begins, and the first one wins. So
// the work waits neither for a leader nor for a process that hangs. Periods begin
// with the hour and the day (UTC); a failed attempt is made again as every job's
// is.
func Every(d time.Duration, args river.JobArgs) Task { return Task{every: d, args: args} }

// Bounds of what the clock does. A step that failed is made again soon, for the
// database was away; what fails for longer is said once in a while.
const (
	choreTime  = 10 * time.Second
	choreAgain = 5 * time.Second
	choreQuiet = time.Minute
)

// chore is something that a process does again and again.
type chore struct {
	name  string
	every time.Duration
	do    func(context.Context) error
	after time.Duration // when periodic: how long after the beginning of a period

	next time.Time
	said time.Time // that it failed
}

// since is when it is to be done again.
func (c *chore) since(now time.Time) time.Time {
	if c.after == 0 {
		return now.Add(c.every)
	}
	return now.Truncate(c.every).Add(c.every + c.after)
}

// chores are what this process does by itself: it queues what comes by the
// clock, takes back the jobs of the dead, and looks for rows without their job.
func (q *Queue) chores(w Work) []*chore {
	all := []*chore{{name: "take back lost jobs", every: w.RescueAfter / 5, do: q.rescue}}
	periods := map[time.Duration][]river.JobArgs{}
	for _, t := range w.Periodic {
		if t.due != nil { // one kind keeps no other waiting
			all = append(all, &chore{name: "queue what is due", every: w.DueEvery, do: func(ctx context.Context) error { return q.queueDue(ctx, *t.due) }})
			continue
		}
		periods[t.every] = append(periods[t.every], t.args)
	}
	for d, args := range periods {
		all = append(all, &chore{
			name: "queue periodic jobs", every: d, after: 1 + rand.N(min(d/10, time.Second)), // processes need not meet
			do: func(ctx context.Context) error { return q.insertPeriodic(ctx, d, args) },
		})
	}
	return all
}

// insertPeriodic queues what no process has queued in this period.
func (q *Queue) insertPeriodic(ctx context.Context, period time.Duration, args []river.JobArgs) error {
	many := make([]river.InsertManyParams, len(args))
	for i, a := range args {
		opts := rowOf(a)
		if opts == nil {
			opts = new(river.InsertOpts)
		}
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByPeriod: period}
		many[i] = river.InsertManyParams{Args: a, InsertOpts: opts}
	}
	if _, err := q.insert.InsertMany(ctx, many); err != nil {
		return fmt.Errorf("queue %s and what else comes every %v: %w", args[0].Kind(), period, err)
	}
	return nil
}

// tick does the chores, one after the other, until ctx ends.
func tick(ctx context.Context, all []*chore, log *slog.Logger) {
	for {
		next := time.Now().Add(time.Hour)
		for _, c := range all {
			if now := time.Now(); !c.next.After(now) && ctx.Err() == nil {
				c.run(ctx, now, log)
			}
			if c.next.Before(next) {
				next = c.next
			}
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (c *chore) run(ctx context.Context, now time.Time, log *slog.Logger) {
	bound, cancel := context.WithTimeout(ctx, choreTime)
	defer cancel()
	c.next = c.since(now)
	err := c.do(bound)
	if err == nil || ctx.Err() != nil {
		return
	}
	c.next = time.Now().Add(min(c.every, choreAgain))
	if now.Sub(c.said) >= choreQuiet {
		c.said = now
		log.WarnContext(ctx, c.name+" failed", "error", err)
	}
}
