package cert

import (
	"context"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// OfAddress returns the certificates that name the address a and that by may
// see: those of the domains that by looks after and, without a token, by's own.
// Newest first, older than the certificate before (0: from the newest), at most
// limit.
func (b *Book) OfAddress(ctx context.Context, by person.Actor, a org.Address, before ID, limit int) ([]Certificate, error) {
	// The index knows words; the address must be one of the certificate's whole.
	rows, err := b.DB.Query(ctx, `with p as materialized (
			select c.id, c.emails from certificate c where c.search like @words and (@before = 0::bigint or c.id < @before)
		)
		select `+columns+` from `+tables+` where c.id in (select p.id from p, unnest(p.emails) e where lower(e collate "C") = @folded)
			and (@officer or (c.account = @account and `+org.InSession+`) or `+org.IsContact+`) order by c.id desc limit @limit`,
		org.Scope(by, pgx.NamedArgs{"words": "%" + postgres.Like(a.Folded()) + "%", "folded": a.Folded(), "before": before, "limit": limit}))
	return collect(rows, err)
}
