package person

import (
	"context"
	"fmt"

	"petschaft/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// ByAddress is the step that returns the accounts that the provider in use says
// to be reached at one of these addresses, compared without ASCII case, at most
// ten. An address that is not verified is nobody's; unverified tells whether
// somebody has it all the same, where nobody's is verified.
func (b *Book) ByAddress(ctx context.Context, q postgres.Querier, addresses ...string) (found []Account, unverified bool, err error) {
	all, err := b.byAddress(ctx, q, addresses)
	if err != nil {
		return nil, false, err
	}
	for _, a := range all {
		if a.EmailVerified {
			found = append(found, a)
		}
	}
	return found, len(found) == 0 && len(all) > 0, nil
}

func (b *Book) byAddress(ctx context.Context, q postgres.Querier, addresses []string) ([]Account, error) {
	// lower folds more than ASCII, which is for the index; the collation "C" decides.
	rows, err := q.Query(ctx, `select `+accountColumns+` from account a
		where lower(a.email) in (select lower(x) from unnest(@addresses::text[]) x)
			and lower(a.email collate "C") in (select lower(x collate "C") from unnest(@addresses::text[]) x)
			and (@issuer = '' or a.issuer = @issuer)
		order by a.email_verified desc, a.id limit 10`, pgx.NamedArgs{"addresses": addresses, "issuer": b.Issuer})
	if err != nil {
		return nil, fmt.Errorf("look for an account by address: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Account])
	if err != nil {
		return nil, fmt.Errorf("look for an account by address: %w", err)
	}
	return found, nil
}
