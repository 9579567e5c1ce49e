package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// due says which rows want a job of one kind.
type due struct {
	kind string
	sql  string
	now  func() time.Time // nil: sql does not ask for @now
	read func([]byte) (river.JobArgs, error)
}

// Due says that rows wait for jobs of the kind T. sql selects, of each such row,
// the arguments of its job as jsonb. A row whose job is gone, whatever became of
// it, gets a new one within a minute; one whose job waits, runs or will be tried
// again gets none, and neither does one whose job was lost time and again: that
// waits for somebody. So no effect lives in a job alone.
func Due[T river.JobArgs](sql string) Task {
	var none T
	return Task{due: &due{kind: none.Kind(), sql: sql, read: func(b []byte) (river.JobArgs, error) {
		var args T
		err := json.Unmarshal(b, &args)
		return args, err
	}}}
}

// DueAt is Due for rows that are due at a time: sql compares with @now.
func DueAt[T river.JobArgs](now func() time.Time, sql string) Task {
	t := Due[T](sql)
	t.due.now = now
	return t
}

// dueMost bounds the jobs of one kind that one look queues.
const dueMost = 5000

func (q *Queue) queueDue(ctx context.Context, d due) error {
	if err := q.db.Tx(ctx, func(tx pgx.Tx) error { return q.queueRows(ctx, tx, d) }); err != nil {
		return fmt.Errorf("look for rows without their %s: %w", d.kind, err)
	}
	return nil
}

// queueRows sees rows and jobs at one moment: a row and its first job come by
// one transaction, and a job ends after its row has moved.
func (q *Queue) queueRows(ctx context.Context, tx pgx.Tx, d due) error {
	var alone bool
	err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtext('queue.due'), hashtext($1))`, d.kind).Scan(&alone)
	if err != nil || !alone {
		return err // another process is at it
	}
	args := pgx.NamedArgs{"kind": d.kind, "tries": rescueMost, "most": dueMost}
	if d.now != nil {
		args["now"] = d.now()
	}
	// Except, not "not exists": Postgres, which does not know yet that thousands
	// were queued a moment ago, would compare each row with each job.
	rows, err := tx.Query(ctx, `select args::text from (`+d.sql+`
		except select j.args from river_job j where j.kind = @kind
			and (j.state in ('available', 'pending', 'retryable', 'running', 'scheduled') or `+givenUp+`)) d(args) limit @most`, args)
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	jobs := make([]river.JobArgs, len(found))
	for i, f := range found {
		if jobs[i], err = d.read([]byte(f)); err != nil {
			return fmt.Errorf("read arguments: %w", err)
		}
	}
	return q.Insert(ctx, tx, jobs...)
}
