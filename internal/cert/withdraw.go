package cert

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// Withdrawal is a certificate whose authority, one outside, is asked to revoke it.
type Withdrawal struct {
	Certificate ID
	Authority   string
	Reason      pki.Reason
	DER         []byte
}

// Withdrawer asks authorities outside to revoke.
type Withdrawer interface {
	// Withdraw sees to it that the authority is asked once tx is committed, however
	// often and however long it takes, and that then Revoked or RevocationRefused is
	// called. Asked again for the same certificate, it tells the authority the new
	// reason, unless it has done what it was asked for by then.
	Withdraw(ctx context.Context, tx pgx.Tx, now time.Time, w Withdrawal) error
}

// errNobodyAsks is that there is nobody who could ask the authority.
var errNobodyAsks = fault.New(fault.Unavailable, "cert.revoke.unreachable")

func (b *Book) withdraw(ctx context.Context, tx pgx.Tx, now time.Time, w Withdrawal) error {
	if b.Withdrawer == nil {
		return errNobodyAsks
	}
	return b.Withdrawer.Withdraw(ctx, tx, now, w)
}
