package person

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
)

// OfficersToTell are the registration officers who can be written to, by
// address: accounts with the provider's group, as of their last sign-in, whose
// address is verified.
func OfficersToTell(ctx context.Context, tx pgx.Tx, group string) ([]mail.Reader, error) {
	rows, err := tx.Query(ctx, `
		select email as "to", max(language) as lang from account
		where @group <> '' and @group = any(groups) and locked is null and verified_email <> ''
		group by email order by email`, pgx.NamedArgs{"group": group})
	if err != nil {
		return nil, fmt.Errorf("list officers: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[mail.Reader])
}
