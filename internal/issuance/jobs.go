package issuance

import (
	"context"

	"github.com/riverqueue/river"

	"petschaft/internal/queue"
)

type lookArgs struct {
	Intent  Number `json:"intent"`
	Purpose Kind   `json:"purpose"`
}

func (lookArgs) Kind() string { return "issuance_look" }

type revokeArgs struct {
	Certificate int64 `json:"certificate"`
}

func (revokeArgs) Kind() string { return "issuance_revoke" }

// Jobs registers the two jobs of this room, one that asks and collects and one
// that revokes, and returns the clock that queues them for what is due.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, j *river.Job[lookArgs]) error {
		return b.Look(ctx, j.Args.Purpose, j.Args.Intent)
	}))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, j *river.Job[revokeArgs]) error {
		return b.Revoke(ctx, j.Args.Certificate)
	}))
	return []queue.Task{
		queue.DueAt[lookArgs](b.Now, `select jsonb_build_object('intent', number, 'purpose', kind) from intent where next_look <= @now`),
		queue.DueAt[revokeArgs](b.Now, `select jsonb_build_object('certificate', certificate) from withdrawal where next_look <= @now`),
	}
}
