package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// searchLimit bounds what Search returns; more hits ask for a narrower search.
const searchLimit = 50

// Search finds rows of all domains for a registration officer, as a domain's
// table does. more tells that there are others.
func (b *Book) Search(ctx context.Context, by person.Actor, typed string) (found []Row, more bool, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, false, err
	}
	args := pgx.NamedArgs{"limit": searchLimit + 1}
	where := sought(typed, "", args)
	if where == "" {
		return nil, false, nil
	}
	rows, err := b.DB.Query(ctx, `with p as materialized (select r.id from address_row r where true`+where+` limit @limit)
		select `+rowColumns+` from `+rowTables+` where r.id in (select id from p) order by r.name, r.id`, org.Scope(by, args))
	if err != nil {
		return nil, false, fmt.Errorf("search rows: %w", err)
	}
	found, err = pgx.CollectRows(rows, pgx.RowToStructByName[Row])
	if err != nil {
		return nil, false, fmt.Errorf("search rows: %w", err)
	}
	if len(found) > searchLimit {
		return found[:searchLimit], true, nil
	}
	return found, false, nil
}

// FailedChallenge is a challenge that could not be delivered.
type FailedChallenge struct {
	ID         int64
	RowID      ID
	Name       string
	DomainName org.Domain
	Recipient  org.Address
	Attempts   int
	Answer     string
	Queued     time.Time
	Ended      time.Time
	CanRetry   bool
	Unsent     bool // only for want of time: nothing is known against the address
}

// retryable is the condition under which a failed challenge c of the round n and
// the row r may be tried again: nothing came after it, and its round can still be
// complete.
const retryable = `(r.active and n.outcome in ('open', 'undeliverable', 'unsent')
	and not exists (select from challenge e where e.round = n.id and e.state = 'expired')
	and not exists (select from challenge_round y where y.row_id = c.row_id and y.id > n.id))`

// FailedChallenges returns the newest undeliverable challenges of all domains to
// a registration officer, at most limit.
func (b *Book) FailedChallenges(ctx context.Context, by person.Actor, limit int) ([]FailedChallenge, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `
		select c.id, c.row_id, r.name, d.name as domain_name, c.recipient, c.attempts, c.answer, c.queued, c.ended, c.unsent, `+retryable+` as can_retry
		from challenge c join challenge_round n on n.id = c.round join address_row r on r.id = c.row_id join email_domain d on d.id = r.domain
		where c.state = 'failed' order by c.ended desc, c.id desc limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list failed challenges: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[FailedChallenge])
}

// RetryChallenge queues an undeliverable challenge once more, for a registration
// officer who mended what was in the way. Its round is open again. When a newer
// round, an edit or a deactivation came after it, that is a conflict.
func (b *Book) RetryChallenge(ctx context.Context, by person.Actor, id int64) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select from address_row where id = (select row_id from challenge where id = $1) for update`, id); err != nil {
			return fmt.Errorf("lock row of challenge %d: %w", id, err)
		}
		var c struct {
			row    ID
			domain org.ID
			round  int64
			can    bool
		}
		err := tx.QueryRow(ctx, `select c.row_id, r.domain, c.round, c.state = 'failed' and `+retryable+`
			from challenge c join challenge_round n on n.id = c.round join address_row r on r.id = c.row_id where c.id = $1`, id).
			Scan(&c.row, &c.domain, &c.round, &c.can)
		if err != nil {
			return fmt.Errorf("read challenge %d: %w", id, postgres.Fault(err))
		}
		if !c.can {
			return fault.New(fault.Conflict, "mailbox.retry.over")
		}
		now := b.Now()
		_, err = tx.Exec(ctx, `update challenge set queued = $2, answer = '', attempts = 0 where id = $1`, id, now)
		if err != nil {
			return fmt.Errorf("retry challenge %d: %w", id, err)
		}
		if err := b.reopen(ctx, tx, id, c.round, Queued); err != nil {
			return fmt.Errorf("retry challenge %d: %w", id, err)
		}
		if err := refresh(ctx, tx, c.row); err != nil {
			return err
		}
		return b.note(ctx, tx, now, by.Who(), "mailbox.challenge_retried", audit.Detail{"challenge": id}, c.row.Thing(), c.domain.Thing())
	})
}
