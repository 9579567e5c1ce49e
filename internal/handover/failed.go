package handover

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

// recent is how long somebody is told that a handover failed.
const recent = 14 * 24 * time.Hour

// Failed returns the offers that by made and that came to nothing in the last 14
// days without by's doing: declined, expired or locked. What a newer offer of
// the organisation followed is left out. At most 20, newest first.
func (b *Book) Failed(ctx context.Context, by person.Actor) ([]Offer, error) {
	return b.list(ctx, b.DB, by, `h.giver = @account and `+org.IsTechnicalContact+`
			and h.state in ('declined', 'expired', 'locked') and h.ended > @since
			and not exists (select from handover n where n.organisation = h.organisation and n.id > h.id)
		order by h.id desc limit 20`, pgx.NamedArgs{"since": b.Now().Add(-recent)})
}
