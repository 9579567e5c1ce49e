package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// refresh writes the state of rows, and whether their link is doubtful, from the
// facts beside them. How they add up, address_row_state of the schema says; every
// operation ends with it.
func refresh(ctx context.Context, tx pgx.Tx, ids ...ID) error {
	_, err := tx.Exec(ctx, `
		update address_row r set state = s.state, doubtful = s.doubtful
		from (
			select r.id, address_row_state(r) as state, coalesce(l.doubtful, false) as doubtful
			from address_row r left join link l on l.row_id = r.id where r.id = any($1)
		) s where s.id = r.id and (s.state, s.doubtful) <> (r.state, r.doubtful)`, ids)
	if err != nil {
		return fmt.Errorf("refresh status: %w", err)
	}
	return nil
}

// settle ends the open rounds of rows that cannot be complete any more because
// an address expired, or nothing of which can be answered; what still waits in
// them expires with them. Completion is not its business: that makes a link.
func (b *Book) settle(ctx context.Context, tx pgx.Tx, now time.Time, ids ...ID) error {
	_, err := tx.Exec(ctx, `
		with n as (
			update challenge_round n set ended = $2, outcome = case when f.failed then 'undeliverable' when f.expired then 'expired' else 'unsent' end
			from (
				select x.id, bool_or(c.state = 'failed' and not c.unsent) as failed, bool_or(c.state = 'expired') as expired,
					bool_or(c.state in ('queued', 'deferred', 'sent')) as waits
				from challenge_round x join challenge c on c.round = x.id where x.row_id = any($1) and x.outcome = 'open' group by x.id
			) f where f.id = n.id and (f.expired or not f.waits) returning n.id
		)
		update challenge c set state = 'expired', ended = $2 from n where c.round = n.id and c.state in ('queued', 'deferred', 'sent')`, ids, now)
	if err != nil {
		return fmt.Errorf("settle rounds: %w", err)
	}
	return nil
}

// endRounds ends the open rounds of rows and all of their challenges that could
// still be answered. how is 'replaced', 'invalidated' or 'declined'; challenges
// of a declined round are invalidated. What an edit invalidates was perhaps the
// address that could not be reached, so a newest round that was undeliverable
// is invalidated too.
func (b *Book) endRounds(ctx context.Context, tx pgx.Tx, now time.Time, how string, ids ...ID) error {
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
