package mail

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// keepWords is how long the words of a sent letter can be looked up.
const keepWords = 30 * 24 * time.Hour

// forgetting is the job to delete the words of letters sent long ago.
type forgetting struct{}

func (forgetting) Kind() string { return "mail_forget" }

type forgetter struct {
	river.WorkerDefaults[forgetting]
	outbox *Outbox
}

func (f *forgetter) Work(ctx context.Context, _ *river.Job[forgetting]) error {
	return f.outbox.forget(ctx)
}

// forget works in small bites, so that it holds no locks for long.
func (o *Outbox) forget(ctx context.Context) error {
	for {
		done, err := o.DB.Exec(ctx, `
			update letter set words = null
			where id in (select id from letter where state = 'sent' and words is not null and done < $1 limit 1000)`,
			o.Now().Add(-keepWords))
		if err != nil {
			return fmt.Errorf("forget the words of old letters: %w", err)
		}
		if done.RowsAffected() == 0 {
			return nil
		}
	}
}
