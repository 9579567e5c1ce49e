package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Waiting is a challenge that was mailed to somebody's own address.
type Waiting struct {
	ID        int64
	Recipient org.Address
	Asks      string
	Sent      time.Time
	Expires   time.Time
}

// WaitingFor returns the challenges that were mailed to by's verified address
// and wait for an answer, at most 20. It is a hint only: the link in the mail
// is still needed.
func (b *Book) WaitingFor(ctx context.Context, by person.Actor) ([]Waiting, error) {
	if by.Email == "" {
		return nil, nil
	}
	now := b.Now()
	rows, err := b.DB.Query(ctx, `
		select c.id, c.recipient, a.label as asks, c.sent, c.expires
		from challenge c join account a on a.id = c.asked_by
		where lower(c.recipient collate "C") = $1 and c.queued > $2 and c.state = 'sent' and c.expires > $3
		order by c.id desc limit 20`, org.Address(by.Email).Folded(), now.Add(-30*24*time.Hour), now)
	if err != nil {
		return nil, fmt.Errorf("list waiting challenges: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Waiting])
}
