package person

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
)

// OfficersToTell are the registration officers who can be written to, each address
// once: accounts with the provider's group, as of their last sign-in.
func (b *Book) OfficersToTell(ctx context.Context, tx pgx.Tx, group string) ([]mail.Reader, error) {
	rows, err := tx.Query(ctx, `select id from account where @group <> '' and @group = any(groups) and locked is null order by id`, pgx.NamedArgs{"group": group})
	if err != nil {
		return nil, fmt.Errorf("list officers: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return nil, fmt.Errorf("list officers: %w", err)
	}
	found, err := b.Readers(ctx, tx, ids...)
	if err != nil {
		return nil, err
	}
	var all []mail.Reader
	for _, id := range ids {
		r := found[id]
		if r.To != "" && !slices.ContainsFunc(all, func(o mail.Reader) bool { return o.To == r.To }) {
			all = append(all, r)
		}
	}
	return all, nil
}
