package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// refresh writes the status of rows, and whether their link is doubtful, from
// the facts beside them. It is the only
// place that knows how the facts add up; every operation ends with it.
func refresh(ctx context.Context, tx pgx.Tx, ids ...ID) error {
	_, err := tx.Exec(ctx, `
		update address_row r set status = s.status, doubtful = s.doubtful
		from (
			select r.id, case
				when not r.active then 'inactive'
				when exists (select from challenge c where c.round = n.id and c.state = 'failed' and not c.unsent)
					and n.outcome in ('open', 'undeliverable') then 'undeliverable'
				when n.outcome = 'open' then 'open'
				when not l.suspended then 'confirmed'
				else 'none' end as status, coalesce(l.doubtful, false) as doubtful
			from address_row r
			left join lateral (select id, outcome from challenge_round where row_id = r.id order by id desc limit 1) n on true
			left join link l on l.row_id = r.id
			where r.id = any($1)
		) s where s.id = r.id and (s.status, s.doubtful) <> (r.status, r.doubtful)`, ids)
	if err != nil {
		return fmt.Errorf("refresh status: %w", err)
	}
	return nil
}

// settle ends the open rounds of rows that nothing of can be answered any more.
// Completion is not its business: that makes a link.
func (b *Book) settle(ctx context.Context, tx pgx.Tx, now time.Time, ids ...ID) error {
	_, err := tx.Exec(ctx, `
		update challenge_round n set ended = $2, outcome = case
			when exists (select from challenge c where c.round = n.id and c.state = 'failed' and not c.unsent) then 'undeliverable'
			when exists (select from challenge c where c.round = n.id and c.state = 'failed') then 'unsent' else 'expired' end
		where n.row_id = any($1) and n.outcome = 'open'
			and not exists (select from challenge c where c.round = n.id and c.state in ('queued', 'deferred', 'sent'))`, ids, now)
	if err != nil {
		return fmt.Errorf("settle rounds: %w", err)
	}
	return nil
}

// endRound ends the open round of a row and all of its challenges that could
// still be answered. how is 'replaced', 'invalidated' or 'declined'; challenges
// of a declined round are invalidated. What an edit invalidates was perhaps the
// address that could not be reached, so a newest round that was undeliverable
// is invalidated too.
func (b *Book) endRound(ctx context.Context, tx pgx.Tx, now time.Time, id ID, how string) error {
	return b.endRounds(ctx, tx, now, []ID{id}, how)
}

// endRounds is endRound for several rows.
func (b *Book) endRounds(ctx context.Context, tx pgx.Tx, now time.Time, ids []ID, how string) error {
	state := how
	if how == "declined" {
		state = "invalidated"
	}
	_, err := tx.Exec(ctx, `
		with n as (
			update challenge_round n set outcome = @how, ended = coalesce(n.ended, @now)
			where n.row_id = any(@rows) and (n.outcome = 'open' or n.outcome = 'undeliverable' and @how = 'invalidated'
				and not exists (select from challenge_round y where y.row_id = n.row_id and y.id > n.id)) returning n.id
		)
		update challenge c set state = @state, ended = @now from n
		where c.round = n.id and c.state in ('queued', 'deferred', 'sent')`,
		pgx.NamedArgs{"rows": ids, "how": how, "state": state, "now": now})
	if err != nil {
		return fmt.Errorf("end round: %w", err)
	}
	return nil
}
