package cert

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// Withdrawal is a certificate whose authority, one outside, is asked to revoke it.
type Withdrawal struct {
	Certificate ID
	Authority   string
	Reason      pki.Reason
	DER         []byte
	Chain       [][]byte // those above it, as they are stored
}

// Withdrawer asks authorities outside to revoke.
type Withdrawer interface {
	// Withdraw sees to it that the authority is asked once tx is committed, however
	// often and however long it takes, and that then Revoked or RevocationRefused is
	// called. Nothing was said to the authority before.
	Withdraw(ctx context.Context, tx pgx.Tx, now time.Time, w Withdrawal) error
}

// errNobodyAsks is that there is nobody who could ask the authority.
var errNobodyAsks = fault.New(fault.Unavailable, "cert.revoke.unreachable")

const withdrawalColumns = `select c.id as certificate, c.authority, c.revoking_reason as reason, c.der, c.chain from certificate c
	where c.revoking is not null and c.revoked is null and `

// Withdrawal is what the authority of the certificate id is still to be asked; false
// where there is nothing to ask any more.
func (b *Book) Withdrawal(ctx context.Context, q postgres.Querier, id ID) (w Withdrawal, open bool, err error) {
	all, err := b.withdrawals(ctx, q, withdrawalColumns+`c.id = $1`, id)
	if err != nil || len(all) == 0 {
		return w, false, err
	}
	return all[0], true, nil
}

// Withdrawals are the first of those still open, the oldest in front, for a clock
// that looks whether each is on its way.
func (b *Book) Withdrawals(ctx context.Context, q postgres.Querier, limit int) ([]Withdrawal, error) {
	return b.withdrawals(ctx, q, withdrawalColumns+`true order by c.revoking, c.id limit $1`, limit)
}

func (b *Book) withdrawals(ctx context.Context, q postgres.Querier, sql string, arg any) ([]Withdrawal, error) {
	rows, err := q.Query(ctx, sql, arg)
	if err != nil {
		return nil, fmt.Errorf("look for what is being revoked: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Withdrawal])
}

func (b *Book) withdraw(ctx context.Context, tx pgx.Tx, now time.Time, w Withdrawal) error {
	if b.Withdrawer == nil {
		return errNobodyAsks
	}
	return b.Withdrawer.Withdraw(ctx, tx, now, w)
}
