// Package brake counts what costs something and says when it is too much: calls
// of the API, look-ups of people, sign-ins. It counts in Postgres, so that a bound
// holds across processes. It decides neither what is counted nor what whoever is
// held is told, and keeps no history: a count goes when its time is over. A Shelf
// says of things that lie somewhere which have to go for another one.
package brake

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// Brake lets everybody do something Most times within Per, which begins with the
// first time.
type Brake struct {
	Kind string // what: "room.verb"
	Most int
	Per  time.Duration
}

// Taken is what became of a count.
type Taken struct {
	Held  bool      // it is one too many
	Until time.Time // when it counts from one again
}

// Take counts one more by who at now. Of any number that ask at once exactly as
// many pass as are left. Who is held costs nothing but a look, and waits no
// longer for having asked.
func (b Brake) Take(ctx context.Context, q postgres.Querier, now time.Time, who string) (Taken, error) {
	rows, err := q.Query(ctx, `with held as (
			select b.n, b.ends from brake b where b.kind = @kind and b.who = @who and b.n >= @most and b.ends > @now
		), counted as (
			insert into brake as b (kind, who, n, ends) select @kind::text, @who::text, 1, @ends::timestamptz where not exists (select from held)
			on conflict (kind, who) do update set
				n = case when b.ends > @now then b.n + 1 else 1 end,
				ends = case when b.ends > @now then b.ends else excluded.ends end
			returning n, ends
		)
		select n > @most, ends from counted union all select true, ends from held`,
		pgx.NamedArgs{"kind": b.Kind, "who": who, "most": b.Most, "now": now, "ends": now.Add(b.Per)})
	if err != nil {
		return Taken{}, fmt.Errorf("count %s: %w", b.Kind, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Taken])
	if err != nil {
		return Taken{}, fmt.Errorf("count %s: %w", b.Kind, err)
	}
	return t, nil
}

type tidyArgs struct{}

// Kind names the job.
func (tidyArgs) Kind() string { return "brake_tidy" }

// InsertOpts gives up early: the next one comes in minutes.
func (tidyArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 3} }

// Jobs adds the forgetting of counts that are over to w and returns when it runs:
// every ten minutes.
func Jobs(w *river.Workers, db *postgres.DB, now func() time.Time) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tidyArgs]) error { return Tidy(ctx, db, now()) }))
	return []queue.Task{queue.Every(10*time.Minute, tidyArgs{})}
}

// Tidy forgets counts that are over at now.
func Tidy(ctx context.Context, db *postgres.DB, now time.Time) error {
	if _, err := db.Exec(ctx, `delete from brake where ends <= $1`, now); err != nil {
		return fmt.Errorf("forget counts: %w", err)
	}
	return nil
}
