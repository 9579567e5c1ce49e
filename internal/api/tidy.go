package api

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

type tidyArgs struct{}

func (tidyArgs) Kind() string { return "api_tidy" }

// Jobs registers the forgetting of answers and counts that are of no use any
// more, and returns when it runs by itself: every hour.
func (a *API) Jobs(w *river.Workers) []*river.PeriodicJob {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tidyArgs]) error { return a.Tidy(ctx) }))
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(time.Hour),
		func() (river.JobArgs, *river.InsertOpts) { return tidyArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})}
}

// Tidy forgets kept answers after a day, and counts of calls after an hour.
func (a *API) Tidy(ctx context.Context) error {
	if _, err := a.DB.Exec(ctx, `delete from api_answer where claimed <= $1`, a.Now().Add(-keyLife)); err != nil {
		return fmt.Errorf("forget answers: %w", err)
	}
	if _, err := a.DB.Exec(ctx, `delete from api_count where minute < $1`, a.Now().Add(-time.Hour)); err != nil {
		return fmt.Errorf("forget counts: %w", err)
	}
	return nil
}
