package recipe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

const query = `
	select p.id, p.row_id, d.name as domain_name, p.kind, p.name, p.applicant, p.account, p.done, p.new_row, p.started, p.started_by,
		s.label as started_by_name, p.outcome, p.ended
	from recipe p join address_row r on r.id = p.row_id join email_domain d on d.id = r.domain join account s on s.id = p.started_by
	where (@officer or ` + org.IsContact + `) and `

// One returns the recipe id to those who may see its row; to others it is
// missing.
func (b *Book) One(ctx context.Context, by person.Actor, id ID) (State, error) {
	rc, err := one(ctx, b.DB, by, `p.id = @id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return State{}, err
	}
	row, err := b.Mailbox.Row(ctx, by, string(rc.DomainName), rc.RowID)
	if err != nil {
		return State{}, err
	}
	return b.state(ctx, b.DB, b.Now(), by, rc, row)
}

// OpenOf returns the open recipe of a row that the caller has loaded; false when
// there is none.
func (b *Book) OpenOf(ctx context.Context, by person.Actor, row mailbox.Row) (State, bool, error) {
	rc, err := one(ctx, b.DB, by, `p.row_id = @row and p.outcome = 'open'`, pgx.NamedArgs{"row": row.ID})
	if fault.Is(err, fault.Missing) {
		return State{}, false, nil
	}
	if err != nil {
		return State{}, false, err
	}
	s, err := b.state(ctx, b.DB, b.Now(), by, rc, row)
	return s, err == nil, err
}

func one(ctx context.Context, q postgres.Querier, by person.Actor, where string, args pgx.NamedArgs) (Recipe, error) {
	rows, err := q.Query(ctx, query+where, org.Scope(by, args))
	if err != nil {
		return Recipe{}, fmt.Errorf("read recipe: %w", err)
	}
	rc, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Recipe])
	return rc, postgres.Fault(err)
}

// state adds what says how far rc is. While the row rests every valid
// certificate counts; in use again, those from before the recipe.
func (b *Book) state(ctx context.Context, q postgres.Querier, now time.Time, by person.Actor, rc Recipe, row mailbox.Row) (State, error) {
	s := State{Recipe: rc, Row: row}
	var until time.Time
	if row.Active {
		until = rc.Started
	}
	var err error
	if s.Valid, err = b.Cert.ValidAt(ctx, q, now, row.ID, until); err != nil || rc.NewRow == nil {
		return s, err
	}
	n, err := b.Mailbox.RowByID(ctx, q, by, *rc.NewRow)
	if fault.Is(err, fault.Missing) {
		return s, nil
	}
	s.New = &n
	return s, err
}

// mostKept bounds the certificates that Kept returns.
const mostKept = 20

// Kept are the certificates that stay valid because their revocation was left out,
// newest first, at most 20.
func (b *Book) Kept(ctx context.Context, by person.Actor, s State) ([]cert.Certificate, error) {
	if !s.leftOut(Revoke) {
		return nil, nil
	}
	all, err := b.Cert.OfRow(ctx, by, s.RowID, mostKept)
	now := b.Now()
	return slices.DeleteFunc(all, func(c cert.Certificate) bool {
		return c.Revoked != nil || now.After(c.NotAfter) || c.Issued.After(s.Started)
	}), err
}

// change runs f with the recipe and its row locked, and ends the recipe when f
// did its last step.
func (b *Book) change(ctx context.Context, by person.Actor, id ID, r pki.Reason, f func(tx pgx.Tx, now time.Time, s State) error) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		s, now, err := b.locked(ctx, tx, by, id, r)
		if err != nil {
			return err
		}
		if err := f(tx, now, s); err != nil {
			return err
		}
		if s, err = b.lockedAt(ctx, tx, now, by, id); err != nil || s.Outcome != Open || s.Current() != "" {
			return err
		}
		return b.end(ctx, tx, now, by, s, Finished)
	})
}

// locked is the recipe, locked as its row is, and the time from then on.
func (b *Book) locked(ctx context.Context, tx pgx.Tx, by person.Actor, id ID, r pki.Reason) (s State, now time.Time, err error) {
	rc, row, err := b.lock(ctx, tx, by, id, r)
	if err != nil {
		return s, now, err
	}
	now = b.Now()
	s, err = b.state(ctx, tx, now, by, rc, row)
	return s, now, err
}

// lockedAt is locked for who has a time.
func (b *Book) lockedAt(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id ID) (State, error) {
	rc, row, err := b.lock(ctx, tx, by, id, pki.Unspecified)
	if err != nil {
		return State{}, err
	}
	return b.state(ctx, tx, now, by, rc, row)
}

// lock holds the recipe and then its row, whose certificates are about to be revoked for r.
func (b *Book) lock(ctx context.Context, tx pgx.Tx, by person.Actor, id ID, r pki.Reason) (rc Recipe, row mailbox.Row, err error) {
	if _, err := tx.Exec(ctx, `select from recipe where id = $1 for update`, id); err != nil {
		return rc, row, fmt.Errorf("lock recipe %d: %w", id, err)
	}
	if rc, err = one(ctx, tx, by, `p.id = @id`, pgx.NamedArgs{"id": id}); err != nil {
		return rc, row, err
	}
	if err := b.Cert.Hold(ctx, tx, r, rc.RowID); err != nil {
		return rc, row, err
	}
	row, err = b.Mailbox.RowIn(ctx, tx, by, string(rc.DomainName), rc.RowID)
	return rc, row, err
}
