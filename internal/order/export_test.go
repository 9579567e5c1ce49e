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

// LastAttemptAtOrder is LastAttempt for an order.
func LastAttemptAtOrder(ctx context.Context, b *Book, id ServerID) error {
	job := &river.Job[fulfilArgs]{JobRow: &rivertype.JobRow{Attempt: attempts}, Args: fulfilArgs{Order: id}}
	return (&fulfiller{book: b}).Work(ctx, job)
}
