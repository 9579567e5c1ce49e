package order

import (
	"context"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// LastAttempt runs the issuing job as the queue does the last time.
func LastAttempt(ctx context.Context, b *Book, id ID) error {
	job := &river.Job[issueArgs]{JobRow: &rivertype.JobRow{Attempt: attempts}, Args: issueArgs{Application: id}}
	return (&issuer{book: b}).Work(ctx, job)
}
