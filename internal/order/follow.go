package order

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
)

// Follower is what will stand for a certificate that cannot be renewed: the open
// order or the newer certificate of its organisation that has all its names.
type Follower struct {
	Certificate cert.ID
	Reference   string
	Issued      bool
}

// Followers returns them for certificates that the reader sees; those without one
// are missing. A certificate that is there comes before an order.
func (b *Book) Followers(ctx context.Context, ids ...cert.ID) (map[cert.ID]Follower, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := b.DB.Query(ctx, `select distinct on (certificate) certificate, reference, issued from (
			select c.id as certificate, n.reference, true as issued from certificate c join certificate n
				on n.organisation = c.organisation and n.phase in ('valid', 'ending') and n.common_name = any(c.names) and n.names @> c.names
					and n.not_after >= @now and `+cert.Follows+`
				where c.id = any(@ids)
			union all
			select c.id, s.reference, false from certificate c join server_order s
				on s.organisation = c.organisation and s.ended is null and s.names @> c.names
				where c.id = any(@ids)
		) found order by certificate, issued desc, reference`, pgx.NamedArgs{"ids": ids, "now": b.Now()})
	if err != nil {
		return nil, fmt.Errorf("look for what follows: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Follower])
	if err != nil {
		return nil, fmt.Errorf("look for what follows: %w", err)
	}
	all := make(map[cert.ID]Follower, len(found))
	for _, f := range found {
		all[f.Certificate] = f
	}
	return all, nil
}
