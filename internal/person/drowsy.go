package person

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// That a token falls asleep is said twice, unless its maker signed in later than that.
const (
	drowsyFirst = 7 * 24 * time.Hour
	drowsyLast  = 24 * time.Hour
)

// DrowsyBatch bounds what Drowsy returns.
const DrowsyBatch = 500

// Drowsy is the step that returns the tokens which fall asleep soon and of which
// nobody was told yet, by maker, at most DrowsyBatch, and notes that they are told of:
// a week before and a day before, once each for each time without a sign-in. Hours that
// were missed are caught up once. Of what ends or is withdrawn before it sleeps,
// nothing is said.
func (b *Book) Drowsy(ctx context.Context, tx pgx.Tx, now time.Time) ([]Token, error) {
	rows, err := tx.Query(ctx, `
		with soon as (
			select t.id, a.signed_in, case when x.sleeps <= @now::timestamptz + @last::interval then 2 else 1 end as letter
			from token t join account a on a.id = t.account
				cross join lateral (select greatest(a.signed_in + @sleep::interval, t.awake_until) as sleeps) x
			where t.withdrawn is null and a.locked is null and (@issuer = '' or a.issuer = @issuer)
				and x.sleeps > @now and x.sleeps < t.ends and x.sleeps <= @now::timestamptz + @first::interval
				and x.sleeps - a.signed_in > case when x.sleeps <= @now::timestamptz + @last::interval then @last::interval else @first::interval end
				and (t.drowsy_told < case when x.sleeps <= @now::timestamptz + @last::interval then 2 else 1 end or t.drowsy_of is distinct from a.signed_in)
			order by t.account, t.id limit @batch for update of t skip locked),
		told as (update token t set drowsy_told = soon.letter, drowsy_of = soon.signed_in from soon where t.id = soon.id)
		select `+tokenColumns+` from `+tokenTables+` where t.id in (select id from soon) order by t.account, t.id`,
		pgx.NamedArgs{"now": now, "first": drowsyFirst, "last": drowsyLast, "sleep": b.sleep(), "issuer": b.Issuer, "batch": DrowsyBatch})
	if err != nil {
		return nil, fmt.Errorf("look for tokens that fall asleep: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Token])
	if err != nil {
		return nil, fmt.Errorf("look for tokens that fall asleep: %w", err)
	}
	return all, nil
}
