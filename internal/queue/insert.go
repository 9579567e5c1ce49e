package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/postgres"
)

// Insert queues args in tx. In a transaction of postgres.DB.Tx all jobs are
// inserted by one statement at its end, in their order: nothing in it sees them
// in their table. In any other, a savepoint too, they are there at once.
//
// Whoever works is told by one statement more, for each queue at most every 100
// ms by one process; in between they look by themselves.
func (q *Queue) Insert(ctx context.Context, tx pgx.Tx, args ...river.JobArgs) error {
	if len(args) == 0 {
		return nil
	}
	g, ok := postgres.AtEnd(tx, q, func() *gathered { return &gathered{q: q} })
	if !ok {
		return (&gathered{q: q, jobs: args}).End(ctx, tx)
	}
	g.jobs = append(g.jobs, args...)
	return nil
}

// gathered are the jobs of a transaction.
type gathered struct {
	q    *Queue
	jobs []river.JobArgs
}

// End inserts the jobs, of those that are unique each once: River's statement
// would meet its own rows.
func (g *gathered) End(ctx context.Context, tx pgx.Tx) error {
	many := make([]river.InsertManyParams, 0, len(g.jobs))
	seen := map[string]bool{}
	for _, a := range g.jobs {
		key, unique, err := uniqueness(a)
		if err != nil {
			return fmt.Errorf("queue %s: %w", a.Kind(), err)
		}
		if unique && seen[key] {
			continue
		}
		seen[key] = unique
		many = append(many, river.InsertManyParams{Args: a, InsertOpts: rowOf(a)})
	}
	if _, err := g.q.insert.InsertManyTx(ctx, tx, many); err != nil {
		return fmt.Errorf("queue %s: %w", g.jobs[0].Kind(), err)
	}
	return nil
}

// uniqueness tells whether a is unique, and by what.
func uniqueness(a river.JobArgs) (key string, unique bool, err error) {
	o, ok := a.(river.JobArgsWithInsertOpts)
	if !ok || reflect.ValueOf(o.InsertOpts().UniqueOpts).IsZero() {
		return "", false, nil
	}
	if !o.InsertOpts().UniqueOpts.ByArgs {
		return a.Kind(), true, nil
	}
	args, err := json.Marshal(a)
	return a.Kind() + " " + string(args), true, err
}
