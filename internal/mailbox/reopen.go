package mailbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/org"
)

// reopen makes a failed challenge one that is to be delivered, and its round
// open. The links that were mailed before stay dead: they may stand in a bounce.
func (b *Book) reopen(ctx context.Context, tx pgx.Tx, id, round int64, as State) error {
	_, err := tx.Exec(ctx, `update challenge set state = $2, ended = null, unsent = false, token = null, expires = null where id = $1`, id, as)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update challenge_round set outcome = 'open', ended = null where id = $1`, round); err != nil {
		return err
	}
	return b.Queue.Insert(ctx, tx, deliverArgs{Challenge: id})
}

// takeBack opens again what failed by the code for which the mail queue is held:
// the relay's fault was not the addresses'. The hours of a mail go on, and what
// a newer round or an edit came after stays as it ended.
func (b *Book) takeBack(ctx context.Context) error {
	ids, err := b.Outbox.TakenBack(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		failed = append(failed, b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.takeBackOne(ctx, tx, b.Now(), id) }))
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("take back what the mail server said: %w", err)
	}
	return nil
}

func (b *Book) takeBackOne(ctx context.Context, tx pgx.Tx, now time.Time, id int64) error {
	if _, err := tx.Exec(ctx, `select from address_row where id = (select row_id from challenge where id = $1) for update`, id); err != nil {
		return err
	}
	var row ID
	var domain org.ID
	var round int64
	err := tx.QueryRow(ctx, `select c.row_id, r.domain, c.round
		from challenge c join challenge_round n on n.id = c.round join address_row r on r.id = c.row_id
		where c.id = $1 and c.state = 'failed' and not c.unsent and `+retryable, id).Scan(&row, &domain, &round)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.reopen(ctx, tx, id, round, Deferred); err != nil {
		return err
	}
	if err := refresh(ctx, tx, row); err != nil {
		return err
	}
	return b.note(ctx, tx, now, audit.Who{}, "mailbox.taken_back", audit.Detail{"challenge": id}, row.Thing(), domain.Thing())
}
