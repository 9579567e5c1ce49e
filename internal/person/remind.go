package person

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/mail"
	"petschaft/internal/queue"
	"petschaft/web/paths"
)

type remindArgs struct{}

func (remindArgs) Kind() string { return "person_remind" }

// Jobs registers the room's work and returns what runs by itself: every hour
// people hear of their tokens that end.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[remindArgs]) error { return b.Remind(ctx) }))
	return []queue.Task{queue.Every(time.Hour, remindArgs{})}
}

// A token's end is announced twice, unless it lives too short for it.
const (
	firstLetter = 14 * 24 * time.Hour
	lastLetter  = 3 * 24 * time.Hour

	remindBatch = 500
)

// Remind writes to the makers of tokens that end soon. Hours that were missed
// are caught up with one letter; a second run finds nothing.
func (b *Book) Remind(ctx context.Context) error {
	for {
		n := 0
		err := b.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = b.remind(ctx, tx, b.Now())
			return err
		})
		if err != nil {
			return fmt.Errorf("remind of tokens: %w", err)
		}
		if n < remindBatch {
			return nil
		}
	}
}

func (b *Book) remind(ctx context.Context, tx pgx.Tx, now time.Time) (int, error) {
	rows, err := tx.Query(ctx, `select `+tokenColumns+` from `+tokenTables+`
		where t.withdrawn is null and t.ends > @now and (t.ends <= @last and t.told < 2 or t.ends <= @first and t.told < 1)
		order by t.ends, t.id limit @batch for update of t skip locked`,
		pgx.NamedArgs{"now": now, "first": now.Add(firstLetter), "last": now.Add(lastLetter), "batch": remindBatch})
	if err != nil {
		return 0, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Token])
	if err != nil {
		return 0, err
	}
	ids, makers := make([]TokenID, len(all)), make([]ID, len(all))
	for i, t := range all {
		ids[i], makers[i] = t.ID, t.Account
	}
	to, err := b.Readers(ctx, tx, makers...)
	if err != nil {
		return 0, err
	}
	for _, t := range all {
		if t.tooNew(now) {
			continue
		}
		if err := b.Outbox.Post(ctx, tx, mail.TokenEndingWords{Reader: to[t.Account], Name: t.Name, Ends: t.Ends, Link: b.Base + paths.Tokens}); err != nil {
			return 0, err
		}
	}
	_, err = tx.Exec(ctx, `update token set told = case when ends <= @last then 2 else 1 end where id = any(@ids)`,
		pgx.NamedArgs{"ids": ids, "last": now.Add(lastLetter)})
	return len(all), err
}

// tooNew tells whether the letter that is due was due when the token was made:
// its maker knows.
func (t Token) tooNew(now time.Time) bool {
	before := firstLetter
	if t.Ends.Sub(now) <= lastLetter {
		before = lastLetter
	}
	return t.Ends.Sub(t.Created) <= before
}
