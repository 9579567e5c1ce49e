package bulk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// batch is how many rows are done in one transaction, which holds them locked.
const batch = 50

// job is a running bulk that a worker holds locked.
type job struct {
	Bulk
	who   person.Behalf
	by    person.Actor // as of now, once that is known
	place mailbox.ID
	tries int // in a row that met a doubtful trouble
}

// result is what became of the row of an item.
type result struct {
	row     mailbox.ID
	outcome Outcome
	reason  string
	until   *time.Time
	mails   int // that it would have caused or caused
}

// Batch does the next rows of the bulk, their effect and what became of them in
// one transaction. more tells whether there is something left to do, after wait.
// While another process is at work, or when the bulk does not run, there is
// nothing to do. An error leaves everything as it was: the same rows are next.
func (b *Book) Batch(ctx context.Context, id ID) (wait time.Duration, more bool, err error) {
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		wait, more = 0, false
		j, err := b.take(ctx, tx, id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take bulk %d: %w", id, err)
		}
		now := b.Now()
		if refused := b.standing(ctx, tx, now, &j); refused != nil {
			f := fault.Of(refused)
			if f.Kind == fault.Internal || postgres.Passing(refused) {
				return refused
			}
			return b.cancel(ctx, tx, now, j.by, j.Bulk, nil, f.ID)
		}
		wait, more, err = b.rows(ctx, tx, now, j)
		return err
	})
	if postgres.Doubtful(err) {
		return 0, false, errors.Join(err, b.tried(ctx, id))
	}
	return wait, more, err
}

// tried counts a doubtful trouble, outside of the transaction that it ended.
func (b *Book) tried(ctx context.Context, id ID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := b.DB.Exec(ctx, `update bulk set tries = tries + 1 where id = $1`, id); err != nil {
		return fmt.Errorf("count try at bulk %d: %w", id, err)
	}
	return nil
}

// take locks a running bulk that nobody else works on.
func (b *Book) take(ctx context.Context, tx pgx.Tx, id ID) (j job, err error) {
	err = tx.QueryRow(ctx, `
		select b.id, b.domain, d.name, b.account, b.verb, b.comment, b.total, b.due, b.left_out, b.done, b.failed, b.mails, b.next, b.place, b.tries, b.token, b.origin,
			(select count(*) from bulk y where y.state = 'running' and y.verb = 'challenge')
		from bulk b join email_domain d on d.id = b.domain where b.id = $1 and b.state = 'running' for update of b skip locked`, id).
		Scan(&j.ID, &j.Domain, &j.DomainName, &j.Account, &j.Verb, &j.Comment, &j.Total, &j.Due, &j.LeftOut, &j.Done, &j.Failed, &j.Mails,
			&j.Next, &j.place, &j.tries, &j.who.Token, &j.who.From, &j.Paced)
	j.who.Account, j.State = j.Account, Running
	j.by = j.who.Actor()
	return j, err
}

// standing asks anew whether whoever began it may go on.
func (b *Book) standing(ctx context.Context, tx pgx.Tx, now time.Time, j *job) error {
	by, err := b.People.Acting(ctx, tx, now, j.who)
	if errors.Is(err, person.ErrLocked) {
		return fault.New(fault.Denied, "bulk.locked")
	}
	if err != nil {
		return err
	}
	j.by = by
	d, err := b.Org.DomainIn(ctx, tx, by, string(j.DomainName))
	if fault.Is(err, fault.Missing) || err == nil && !d.Contact {
		return fault.New(fault.Denied, "bulk.rights_lost")
	}
	return err
}

// rows does the next ones, in the order of their numbers: so does everybody who
// locks several, and nobody waits in a circle.
func (b *Book) rows(ctx context.Context, tx pgx.Tx, now time.Time, j job) (wait time.Duration, more bool, err error) {
	items, err := due(ctx, tx, j)
	if err != nil {
		return 0, false, err
	}
	var results []result
	for _, i := range items {
		if j.Verb == Challenge && j.Next.After(now) {
			break
		}
		r, err := b.do(ctx, tx, now, j, i)
		if err != nil {
			return 0, false, err
		}
		if j.place = i.row; r.outcome == DoneRow && r.mails > 0 {
			j.Next = paced(j.Next, now, b.interval(j.Paced), r.mails)
		}
		results = append(results, r)
	}
	if err := b.write(ctx, tx, now, &j, results); err != nil {
		return 0, false, err
	}
	if len(items) < batch && len(results) == len(items) {
		return 0, false, b.end(ctx, tx, now, j)
	}
	if len(results) < len(items) {
		wait = j.Next.Sub(now)
	}
	return wait, true, nil
}

func due(ctx context.Context, tx pgx.Tx, j job) ([]item, error) {
	rows, err := tx.Query(ctx, `select row_id, mails from bulk_item
		where bulk = $1 and row_id > $2 and state = 'due' order by row_id limit $3`, j.ID, j.place, batch)
	if err != nil {
		return nil, fmt.Errorf("read rows of bulk %d: %w", j.ID, err)
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (i item, err error) {
		return i, r.Scan(&i.row, &i.mails)
	})
}

// do does one row so that its failure undoes nothing but itself. A trouble that
// may pass is no verdict about the row: as an error it ends the whole batch,
// which is tried again later; one that may as well be of the row's own making
// fails it when it came again and again.
func (b *Book) do(ctx context.Context, tx pgx.Tx, now time.Time, j job, i item) (result, error) {
	r := result{row: i.row, outcome: DoneRow, mails: i.mails}
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return b.step(ctx, tx, now, j, i.row) })
	if err == nil {
		return r, nil
	}
	f := fault.Of(postgres.Fault(err))
	switch {
	case postgres.Passing(err) && (!postgres.Doubtful(err) || j.tries+1 < postgres.Tries):
		return r, err
	case f.Kind == fault.Missing:
		r.outcome, r.reason = LeftOut, "bulk.gone"
	case f.Kind == fault.Internal, f.Kind == fault.Unavailable:
		r.outcome = Failed
		if b.Log != nil {
			b.Log.ErrorContext(ctx, "row of a bulk failed", "bulk", j.ID, "row", i.row, "error", err)
		}
	default:
		r.outcome, r.reason = LeftOut, f.ID
		if !f.RetryAt.IsZero() {
			r.until = &f.RetryAt
		}
	}
	return r, nil
}

func (b *Book) step(ctx context.Context, tx pgx.Tx, now time.Time, j job, row mailbox.ID) error {
	s := mailbox.Step{Now: now, By: j.by, Domain: string(j.DomainName), Row: row, Part: j.ID.Thing()}
	switch j.Verb {
	case Challenge:
		return b.Mailbox.ChallengeIn(ctx, tx, s)
	case Deactivate:
		return b.Mailbox.DeactivateIn(ctx, tx, s)
	case Activate:
		return b.Mailbox.ActivateIn(ctx, tx, s)
	case Comment:
		return b.Mailbox.CommentIn(ctx, tx, s, j.Comment)
	case Delete:
		return b.Mailbox.DeleteIn(ctx, tx, s)
	}
	return fmt.Errorf("bulk %d: no verb %q", j.ID, j.Verb)
}

// write notes what became of the rows, and how far the bulk is.
func (b *Book) write(ctx context.Context, tx pgx.Tx, now time.Time, j *job, results []result) error {
	n := len(results)
	rows, outcomes, reasons, untils := make([]mailbox.ID, n), make([]Outcome, n), make([]string, n), make([]*time.Time, n)
	for i, r := range results {
		rows[i], outcomes[i], reasons[i], untils[i] = r.row, r.outcome, r.reason, r.until
		j.Mails -= r.mails
		switch r.outcome {
		case DoneRow:
			j.Done++
		case LeftOut:
			j.LeftOut++
		case Failed:
			j.Failed++
		}
		if r.outcome != Failed {
			j.tries = 0
		}
	}
	_, err := tx.Exec(ctx, `update bulk_item i set state = n.state, reason = n.reason, until = n.until
		from unnest(@rows::bigint[], @outcomes::text[], @reasons::text[], @untils::timestamptz[]) n (row_id, state, reason, until)
		where i.bulk = @bulk and i.row_id = n.row_id`,
		pgx.NamedArgs{"bulk": j.ID, "rows": rows, "outcomes": outcomes, "reasons": reasons, "untils": untils})
	if err != nil {
		return fmt.Errorf("note rows of bulk %d: %w", j.ID, err)
	}
	_, err = tx.Exec(ctx, `update bulk set done = @done, left_out = @left, failed = @failed, mails = @mails, place = @place, tries = @tries, next = @next, seen = @now where id = @id`,
		pgx.NamedArgs{
			"id": j.ID, "done": j.Done, "left": j.LeftOut, "failed": j.Failed, "mails": j.Mails, "place": j.place, "tries": j.tries, "next": j.Next, "now": now,
		})
	if err != nil {
		return fmt.Errorf("note progress of bulk %d: %w", j.ID, err)
	}
	return nil
}

func (b *Book) end(ctx context.Context, tx pgx.Tx, now time.Time, j job) error {
	if _, err := tx.Exec(ctx, `update bulk set state = 'done', ended = $2 where id = $1`, j.ID, now); err != nil {
		return fmt.Errorf("end bulk %d: %w", j.ID, err)
	}
	return b.note(ctx, tx, now, j.by, j.Bulk, "bulk.ended", audit.Detail{"verb": j.Verb, "rows": j.Done, "left_out": j.LeftOut, "failed": j.Failed})
}
