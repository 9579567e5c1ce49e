package mail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

func (o *Outbox) noteRefusal(ctx context.Context, tx pgx.Tx, now time.Time, a Attempt, r *Refusal) error {
	_, err := tx.Exec(ctx, `
		with old as (delete from mail_refusal where at < @old)
		insert into mail_refusal (at, code, domain, final, challenge, letter)
		values (@now, @code, @domain, @final, nullif(@challenge::bigint, 0), nullif(@letter::bigint, 0))`,
		pgx.NamedArgs{
			"now": now, "old": now.Add(-holdRest), "code": r.key(), "domain": strings.ToLower(a.To[strings.LastIndexByte(a.To, '@')+1:]),
			"final": r.Verdict() == Dead, "challenge": a.Challenge, "letter": int64(a.Letter),
		})
	return err
}

// takeBack queues the letters again that failed by the hold's code.
func (o *Outbox) takeBack(ctx context.Context, tx pgx.Tx, h Hold) error {
	rows, err := tx.Query(ctx, `
		update letter set state = 'deferred', done = null
		where state = 'failed' and not unsent and id in (
			select letter from mail_refusal where code = @code and at > @from and final and letter is not null)
		returning id`, pgx.NamedArgs{"code": h.Code, "from": h.Since.Add(-holdWindow)})
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return err
	}
	jobs := make([]river.JobArgs, len(ids))
	for i, id := range ids {
		jobs[i] = delivery{Letter: id}
	}
	return o.Queue.Insert(ctx, tx, jobs...)
}

// tookBack tells whether the queue is held for what a letter is about to fail by.
func (o *Outbox) tookBack(ctx context.Context, tx pgx.Tx, id ID) (took bool, err error) {
	if err := inTurn(ctx, tx); err != nil {
		return false, err
	}
	err = tx.QueryRow(ctx, `
		select exists (select from mail_hold h join mail_refusal r on r.code = h.code and r.at > h.since - @window::interval
			where h.ended is null and not h.door and r.final and r.letter = @id)`,
		pgx.NamedArgs{"window": holdWindow, "id": id}).Scan(&took)
	return took, err
}

// TakenBack are the challenges that a code made fail for which the queue is held
// now: what was the relay's fault was not the address's.
func (o *Outbox) TakenBack(ctx context.Context) ([]int64, error) {
	rows, err := o.DB.Query(ctx, `
		select distinct r.challenge from mail_hold h join mail_refusal r on r.code = h.code and r.at > h.since - @window::interval
		where h.ended is null and not h.door and r.final and r.challenge is not null`, pgx.NamedArgs{"window": holdWindow})
	if err != nil {
		return nil, fmt.Errorf("look for verdicts to take back: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("look for verdicts to take back: %w", err)
	}
	return ids, nil
}
