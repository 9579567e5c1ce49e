package api

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"petschaft/internal/queue"
)

type tidyArgs struct{}

func (tidyArgs) Kind() string { return "api_tidy" }

// Jobs registers the forgetting of answers that are of no use any more, and
// returns when it runs by itself: every hour.
func (a *API) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tidyArgs]) error { return a.Tidy(ctx) }))
	return []queue.Task{queue.Every(time.Hour, tidyArgs{})}
}

// Tidy forgets kept answers and what was done under a key after a day.
func (a *API) Tidy(ctx context.Context) error {
	now := a.Now()
	if _, err := a.DB.Exec(ctx, `delete from api_answer where claimed <= $1`, now.Add(-keyLife)); err != nil {
		return fmt.Errorf("forget answers: %w", err)
	}
	return a.People.ForgetDeeds(ctx)
}
