package cert

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// MayRevokeAll tells whether the reader of r may revoke all its certificates: a
// contact when it is inactive (R24), a registration officer always.
func MayRevokeAll(r mailbox.Row) error {
	switch {
	case r.Officer:
		return nil
	case !r.Contact:
		return fault.New(fault.Missing, "fault.missing")
	case r.Active:
		return fault.New(fault.Conflict, "cert.revoke.active")
	}
	return nil
}

// RevokeAll ends every valid certificate of a row for good, whoever holds it, as
// Revoke does with one. It returns how many there were; none is no error. What is being
// revoked already is none of them.
func (b *Book) RevokeAll(ctx context.Context, by person.Actor, name string, row mailbox.ID, r pki.Reason) (n int, err error) {
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := b.Hold(ctx, tx, r, row); err != nil {
			return err
		}
		locked, err := b.Mailbox.RowIn(ctx, tx, by, name, row)
		if err != nil {
			return err
		}
		n, err = b.RevokeAllIn(ctx, tx, b.Now(), by, locked, r)
		return err
	})
	return n, err
}

// RevokeAllIn is the step that does so with the row locked, after Hold; the audit
// lines, one for each certificate, name part too.
func (b *Book) RevokeAllIn(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, row mailbox.Row, r pki.Reason, part ...audit.Thing) (int, error) {
	if err := MayRevokeAll(row); err != nil {
		return 0, err
	}
	if err := mayGive(row.Officer, r); err != nil {
		return 0, err
	}
	rows, err := tx.Query(ctx, `select `+columns+` from `+tables+`
		where c.row_id = @row and c.revoked is null and c.revoking is null and c.not_after >= @now order by c.id for update of c`,
		org.Scope(by, pgx.NamedArgs{"row": row.ID, "now": now}))
	valid, err := collect(rows, err)
	if err != nil {
		return 0, err
	}
	for _, c := range valid {
		if err := b.revoke(ctx, tx, now, by, c, r, part...); err != nil {
			return 0, err
		}
	}
	for _, c := range valid {
		if err := b.keyLost(ctx, tx, now, by, c.ID, r); err != nil {
			return 0, err
		}
	}
	return len(valid), nil
}

// ValidAt returns how many certificates of a row that the caller has loaded are
// valid at now and not being revoked, of those issued until a moment (the zero one: of all).
func (b *Book) ValidAt(ctx context.Context, q postgres.Querier, now time.Time, row mailbox.ID, until time.Time) (int, error) {
	rows, err := q.Query(ctx, `select count(*)::int from certificate
		where row_id = @row and revoked is null and revoking is null and not_after >= @now and (@all or issued <= @until)`,
		pgx.NamedArgs{"row": row, "now": now, "all": until.IsZero(), "until": until})
	if err != nil {
		return 0, fmt.Errorf("count valid certificates of row %d: %w", row, err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
}
