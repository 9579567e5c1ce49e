package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/fault"
)

// A job is lost when it runs longer than any living process lets it: its process
// died, or could not write what became of it.
const (
	// JobTimeout ends a job whose worker sets no time of its own.
	JobTimeout = 60 * time.Second
	// RescueAfter is when a job that was not ended is lost.
	RescueAfter = 75 * time.Second

	rescueBatch = 1000
	// rescueMost runs of one job that all were lost: it may be what kills.
	rescueMost = 25
)

// late is the SQL condition that a job is lost. A job that may run for longer
// says so itself: see Slow.
const late = `state = 'running' and attempted_at < now() - make_interval(secs => greatest(@after, coalesce((metadata ->> 'lost_after')::float8, 0)))`

// Slow are the arguments of a job whose worker sets a longer time of its own than
// JobTimeout. Its row says so: a process that knows nothing of the kind must not
// take it for lost.
type Slow interface {
	river.JobArgs
	MayTake() time.Duration
}

func rowOf(a river.JobArgs) *river.InsertOpts {
	s, slow := a.(Slow)
	if !slow {
		return nil
	}
	return &river.InsertOpts{Metadata: fmt.Appendf(nil, `{"lost_after": %g}`, (s.MayTake() + RescueAfter - JobTimeout).Seconds())}
}

func (q *Queue) lateArgs() pgx.NamedArgs {
	return pgx.NamedArgs{"after": time.Duration(q.after.Load()).Seconds()}
}

const lostWords = "lost: its process died, or could not write how it ended"

// givenUp is the SQL condition that the job j was lost so often that it may be
// what kills. It runs again when somebody wants it.
const givenUp = `j.state = 'discarded' and (select count(*) from unnest(j.errors) e where e ->> 'error' = '` + lostWords + `') >= @tries`

// release lets the lost jobs of a condition run at once.
const release = `update river_job set
		state = case when attempt >= greatest(max_attempts, @tries) then 'discarded' else 'available' end::river_job_state,
		finalized_at = case when attempt >= greatest(max_attempts, @tries) then now() end,
		max_attempts = greatest(max_attempts, least(attempt + 1, @tries)), scheduled_at = now(),
		errors = array_append(errors, jsonb_build_object('at', now(), 'attempt', attempt, 'trace', '', 'error', '` + lostWords + `'))
	where id in (select id from river_job where ` + late

// rescue takes back what is lost, of any kind and by any process: River's own
// rescuer lets a job wait for its next attempt, and discards one whose kind the
// leader does not know.
func (q *Queue) rescue(ctx context.Context) error {
	args := q.lateArgs()
	args["tries"], args["most"] = rescueMost, rescueBatch
	if _, err := q.db.Exec(ctx, release+` order by id limit @most for update skip locked)`, args); err != nil {
		return fmt.Errorf("take back lost jobs: %w", err)
	}
	return nil
}

// Retry lets the job run again at once and reports whether it does: one that
// ended well, and one that runs in a living process within its time, stay as
// they are.
func (q *Queue) Retry(ctx context.Context, tx pgx.Tx, id int64) (bool, error) {
	args := q.lateArgs()
	args["id"] = id
	var state string
	var lost bool
	err := tx.QueryRow(ctx, `select state::text, `+late+` from river_job where id = @id for update`, args).Scan(&state, &lost)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, fault.New(fault.Missing, "fault.missing").Because(err)
	case err != nil:
		return false, fmt.Errorf("retry job %d: %w", id, err)
	case lost:
		args["tries"] = 1 << 14 // somebody wants it
		_, err = tx.Exec(ctx, release+` and id = @id)`, args)
	case state == "running", state == "completed":
		return false, nil
	default:
		_, err = q.insert.JobRetryTx(ctx, tx, id)
	}
	if err != nil {
		return false, fmt.Errorf("retry job %d: %w", id, err)
	}
	return true, nil
}

// Failed is a job that was given up, keeps failing, or is lost.
type Failed struct {
	ID        int64
	Kind      string
	State     string // River's word: retryable, discarded, or running, when it is lost
	Attempt   int
	At        time.Time // of the last failure; of the start, when it is lost
	Error     string
	Scheduled time.Time
}

// Failures returns the newest jobs that were given up, wait for another try, or
// run for longer than they may.
func (q *Queue) Failures(ctx context.Context, limit int) ([]Failed, error) {
	p := river.NewJobListParams().First(limit).OrderBy(river.JobListOrderByID, river.SortOrderDesc).
		Where(`state in ('discarded', 'retryable') or (`+late+`)`, river.NamedArgs(q.lateArgs()))
	l, err := q.insert.JobList(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list failed jobs: %w", err)
	}
	all := make([]Failed, 0, len(l.Jobs))
	for _, j := range l.Jobs {
		f := Failed{ID: j.ID, Kind: j.Kind, State: string(j.State), Attempt: j.Attempt, Scheduled: j.ScheduledAt}
		if n := len(j.Errors); n > 0 {
			f.At, f.Error = j.Errors[n-1].At, j.Errors[n-1].Error
		}
		if f.State == "running" {
			f.At = *j.AttemptedAt
		}
		all = append(all, f)
	}
	return all, nil
}

// Counts returns how many jobs there are in each of River's states that is not
// an end, and how many of those that run are lost.
func (q *Queue) Counts(ctx context.Context) (counts map[string]int64, lost int64, err error) {
	rows, err := q.db.Query(ctx, `select state::text, count(*), count(*) filter (where `+late+`)
		from river_job where finalized_at is null group by state`, q.lateArgs())
	if err != nil {
		return nil, 0, fmt.Errorf("count jobs: %w", err)
	}
	counts = map[string]int64{"available": 0, "scheduled": 0, "retryable": 0, "running": 0}
	var state string
	var n, late int64
	_, err = pgx.ForEachRow(rows, []any{&state, &n, &late}, func() error { counts[state] = n; lost += late; return nil })
	if err != nil {
		return nil, 0, fmt.Errorf("count jobs: %w", err)
	}
	return counts, lost, nil
}
