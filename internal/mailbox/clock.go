package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/queue"
)

type clockArgs struct{}

func (clockArgs) Kind() string { return "mailbox_clock" }

type foldArgs struct{}

func (foldArgs) Kind() string { return "mailbox_fold" }

// Jobs registers the room's work and returns what runs by itself: every minute
// what ends by the clock is ended, every ten seconds the counts are folded.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, &deliverer{book: b})
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[clockArgs]) error { return b.Tick(ctx) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[foldArgs]) error { return b.Fold(ctx) }))
	return []queue.Task{
		queue.Every(time.Minute, clockArgs{}), queue.Every(10*time.Second, foldArgs{}),
		queue.Due[deliverArgs](`select jsonb_build_object('challenge', id) from challenge where state in ('queued', 'deferred')`),
	}
}

// tickBatch bounds the rows locked at once by what the clock ends.
const tickBatch = 500

// Tick ends what ends by the clock: sent challenges past their life, and mails
// that could not be handed over for 48 hours. So filters read stored state. And
// it takes back verdicts, should the process have died that began a hold.
func (b *Book) Tick(ctx context.Context) error {
	if err := b.takeBack(ctx); err != nil {
		return err
	}
	for {
		n, err := b.tick(ctx)
		if err != nil {
			return fmt.Errorf("end what is over: %w", err)
		}
		if n < tickBatch {
			return nil
		}
	}
}

func (b *Book) tick(ctx context.Context) (n int, err error) {
	now := b.Now()
	args := pgx.NamedArgs{"now": now, "unsent": now.Add(-mail.Patience), "batch": tickBatch}
	var unsent []int64
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			select id from address_row where id in (
				(select row_id from challenge where state = 'sent' and expires <= @now order by expires limit @batch)
				union
				(select row_id from challenge where state in ('queued', 'deferred') and queued <= @unsent order by queued limit @batch))
			order by id limit @batch for update`, args)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
		if err != nil || len(ids) == 0 {
			return err
		}
		n = len(ids)
		args["ids"] = ids
		if _, err := b.end(ctx, tx, now, "expired", `c.state = 'sent' and c.expires <= @now`, args); err != nil {
			return err
		}
		if unsent, err = b.end(ctx, tx, now, "failed", `c.state in ('queued', 'deferred') and c.queued <= @unsent`, args); err != nil {
			return err
		}
		if err := b.settle(ctx, tx, now, ids...); err != nil {
			return err
		}
		return refresh(ctx, tx, ids...)
	})
	if err != nil {
		return 0, err
	}
	for _, id := range unsent {
		b.Outbox.Gone(mail.Attempt{Challenge: id}, mail.WhyUnsent, "")
	}
	return n, nil
}

// end gives the challenges of the locked rows that are due the state, with an
// audit line each, and returns which they are. What fails by the clock was not
// sent.
func (b *Book) end(ctx context.Context, tx pgx.Tx, now time.Time, state, due string, args pgx.NamedArgs) (ids []int64, err error) {
	args["state"] = state
	rows, err := tx.Query(ctx, `
		update challenge c set state = @state, ended = @now, unsent = @state = 'failed' from address_row r
		where c.row_id = any(@ids) and r.id = c.row_id and `+due+` returning c.id, c.row_id, r.domain, c.answer`, args)
	if err != nil {
		return nil, err
	}
	type over struct {
		ID     int64
		RowID  ID
		Domain int64
		Answer string
	}
	ended, err := pgx.CollectRows(rows, pgx.RowToStructByName[over])
	if err != nil {
		return nil, err
	}
	action := map[string]string{"expired": "mailbox.expired", "failed": "mailbox.unsent"}[state]
	for _, o := range ended {
		err := b.note(ctx, tx, now, audit.Who{}, action, audit.Detail{"challenge": o.ID, "answer": o.Answer},
			o.RowID.Thing(), audit.Thing{Kind: "email_domain", ID: o.Domain})
		if err != nil {
			return nil, err
		}
		ids = append(ids, o.ID)
	}
	return ids, nil
}

// Fold adds up the differences that the triggers left behind, so that summing
// them stays quick. Readers see the same sums before, while and after. What the
// version before reads is folded, too.
func (b *Book) Fold(ctx context.Context) error {
	_, err := b.DB.Exec(ctx, `
		with gone as (delete from address_row_tally returning domain, state, n),
			before as (delete from address_row_count returning domain, status, n),
			folded as (insert into address_row_count select domain, status, sum(n) from before group by domain, status having sum(n) <> 0)
		insert into address_row_tally select domain, state, sum(n) from gone group by domain, state having sum(n) <> 0`)
	if err != nil {
		return fmt.Errorf("fold row counts: %w", err)
	}
	return nil
}
