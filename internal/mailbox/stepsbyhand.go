package mailbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// The steps of this file are what a person does by hand, one row at a time, as a
// part of larger work.

// RowIn is the step that locks a row and returns it, as Row does.
func (b *Book) RowIn(ctx context.Context, tx pgx.Tx, by person.Actor, name string, id ID) (Row, error) {
	return lock(ctx, tx, by, name, id)
}

// ChallengeByHandIn is Challenge: unlike with ChallengeIn all brakes hold.
func (b *Book) ChallengeByHandIn(ctx context.Context, tx pgx.Tx, s Step) error {
	return b.step(ctx, tx, s, func(r Row) error {
		_, err := b.challenge(ctx, tx, s.Now, s.By, r, false, s.Part)
		return err
	})
}

// EditIn is Edit.
func (b *Book) EditIn(ctx context.Context, tx pgx.Tx, s Step, version int64, in Input) error {
	return b.step(ctx, tx, s, func(r Row) error { return b.edit(ctx, tx, s.Now, s.By, r, version, in, s.Part) })
}

// UnlinkIn is Unlink.
func (b *Book) UnlinkIn(ctx context.Context, tx pgx.Tx, s Step) error {
	return b.step(ctx, tx, s, func(r Row) error { return b.unlink(ctx, tx, s.Now, s.By, r, s.Part) })
}

// RowByPrimary is the step that returns the row whose primary address a is, if
// by may see it; else it is missing.
func (b *Book) RowByPrimary(ctx context.Context, q postgres.Querier, by person.Actor, a org.Address) (Row, error) {
	return only(ctx, q, by, `r.id = (select x.row_id from address x where x.folded = @folded and x.place = 0)`, pgx.NamedArgs{"folded": a.Folded()})
}

// RowByID is the step that returns a row of whatever domain, if by may see it;
// else it is missing.
func (b *Book) RowByID(ctx context.Context, q postgres.Querier, by person.Actor, id ID) (Row, error) {
	return only(ctx, q, by, `r.id = @id`, pgx.NamedArgs{"id": id})
}

func only(ctx context.Context, q postgres.Querier, by person.Actor, where string, args pgx.NamedArgs) (Row, error) {
	found, err := several(ctx, q, by, where, args)
	if err != nil {
		return Row{}, err
	}
	if len(found) == 0 {
		return Row{}, fault.New(fault.Missing, "fault.missing")
	}
	return found[0], nil
}

// several returns the rows that by may see among those of where.
func several(ctx context.Context, q postgres.Querier, by person.Actor, where string, args pgx.NamedArgs) ([]Row, error) {
	rows, err := q.Query(ctx, `select `+rowColumns+` from `+rowTables+` where (@officer or `+org.IsContact+`) and `+where, org.Scope(by, args))
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Row])
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return found, nil
}

// AppliesFor returns the functional rows that the person of r looks after: whose
// applicant is an address of r, or that are linked to account. Only those that by
// may see, by name, at most limit.
func (b *Book) AppliesFor(ctx context.Context, by person.Actor, r Row, account *person.ID, limit int) ([]Row, error) {
	rows, err := b.DB.Query(ctx, `
		with f as (
			select x.id from address_row x where lower(x.applicant collate "C") = any(@folded) and x.applicant <> ''
			union
			select x.id from link l join address_row x on x.id = l.row_id where l.account = @who and x.kind = 'functional'
		)
		select `+rowColumns+` from `+rowTables+`
		where r.id in (select id from f) and (@officer or `+org.IsContact+`) and r.id <> @me order by r.name, r.id limit @limit`,
		org.Scope(by, pgx.NamedArgs{"folded": org.Folded(r.Addresses()), "who": account, "me": r.ID, "limit": limit}))
	if err != nil {
		return nil, fmt.Errorf("list what row %d applies for: %w", r.ID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Row])
}
