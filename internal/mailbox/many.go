package mailbox

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// The steps of this file write many rows at once as a part of larger work: one
// statement for all, since addresses pass from row to row within it. They check
// no rights and no rule, for the caller has read each row with Input.Read or
// Input.Edit, and write no audit line but that of a link that ends.

// Query is a condition on, or a query about, rows that a room further left
// knows of. Its SQL is spelled out there.
type Query struct {
	SQL  string
	Args pgx.NamedArgs
}

func (q Query) with(args pgx.NamedArgs) pgx.NamedArgs {
	all := pgx.NamedArgs{}
	maps.Copy(all, args)
	maps.Copy(all, q.Args)
	return all
}

// Among returns the rows of a domain that the condition c on a row r holds of,
// behind the row after, by number, at most limit. Nobody's rights on them are
// known.
func (b *Book) Among(ctx context.Context, q postgres.Querier, d org.ID, c Query, after ID, limit int) ([]Row, error) {
	return several(ctx, q, person.Actor{Officer: true}, `r.domain = @domain and r.id > @after and `+c.SQL+` order by r.id limit @limit`,
		c.with(pgx.NamedArgs{"domain": d, "after": after, "limit": limit}))
}

// LockMany holds the rows whose numbers q selects until the transaction ends.
func (b *Book) LockMany(ctx context.Context, tx pgx.Tx, q Query) error {
	if _, err := tx.Exec(ctx, `select from address_row where id in (`+q.SQL+`) order by id for update`, q.with(nil)); err != nil {
		return fmt.Errorf("lock rows: %w", err)
	}
	return nil
}

// Reserve returns n numbers for rows that AddMany makes.
func (b *Book) Reserve(ctx context.Context, tx pgx.Tx, n int) ([]ID, error) {
	rows, err := tx.Query(ctx, `select nextval(pg_get_serial_sequence('address_row', 'id')) from generate_series(1, $1::int)`, n)
	if err != nil {
		return nil, fmt.Errorf("reserve numbers: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return nil, fmt.Errorf("reserve numbers: %w", err)
	}
	return ids, nil
}

// AddMany makes the rows that q selects, under numbers of Reserve: row_id, kind,
// name, primary_address, aliases, applicant, comment.
func (b *Book) AddMany(ctx context.Context, tx pgx.Tx, now time.Time, d org.ID, q Query) error {
	_, err := tx.Exec(ctx, `
		insert into address_row (id, domain, kind, name, primary_address, aliases, applicant, comment, created, changed)
		overriding system value
		select l.row_id, @domain, l.kind, l.name, l.primary_address, l.aliases, l.applicant, l.comment, @now, @now
		from (`+q.SQL+`) l`, q.with(pgx.NamedArgs{"domain": d, "now": now}))
	if err != nil {
		return fmt.Errorf("add rows: %w", err)
	}
	return nil
}

// ChangeMany gives locked rows the values that q selects: row_id, kind, name,
// aliases, applicant, comment. What follows is FollowMany's.
func (b *Book) ChangeMany(ctx context.Context, tx pgx.Tx, now time.Time, q Query) error {
	_, err := tx.Exec(ctx, `
		update address_row r set kind = l.kind, name = l.name, aliases = l.aliases, applicant = l.applicant, comment = l.comment,
			version = r.version + 1, changed = @now
		from (`+q.SQL+`) l where r.id = l.row_id`, q.with(pgx.NamedArgs{"now": now}))
	if err != nil {
		return fmt.Errorf("change rows: %w", err)
	}
	return nil
}

// DeleteMany deletes locked rows whose numbers q selects.
func (b *Book) DeleteMany(ctx context.Context, tx pgx.Tx, q Query) error {
	if _, err := tx.Exec(ctx, `delete from address_row where id in (`+q.SQL+`)`, q.with(nil)); err != nil {
		return fmt.Errorf("delete rows: %w", err)
	}
	return nil
}

// Changed are rows of a domain whose aliases or applicants ChangeMany replaced.
type Changed struct {
	By            person.Actor
	Domain        org.ID
	Rows          []ID
	NewAliases    []ID
	NewApplicants []ID
	Detail        audit.Detail // of the audit line of a link that ends
	Part          audit.Thing  // what else that names
}

// FollowMany draws the consequences, as an edit by hand does.
func (b *Book) FollowMany(ctx context.Context, tx pgx.Tx, now time.Time, c Changed) error {
	if err := b.endRounds(ctx, tx, now, "invalidated", c.Rows...); err != nil {
		return err
	}
	if err := suspendLinks(ctx, tx, c.NewAliases...); err != nil {
		return err
	}
	gone, err := endLinks(ctx, tx, c.NewApplicants...)
	if err != nil {
		return err
	}
	lines := make([]audit.Line, len(gone))
	for i, g := range gone {
		lines[i] = audit.Line{
			Who: c.By.Who(), At: now, Action: "mailbox.unlinked", Detail: c.Detail,
			About: []audit.Thing{g.RowID.Thing(), c.Domain.Thing(), g.Account.Thing(), c.Part},
		}
	}
	if err := audit.Copy(ctx, tx, lines); err != nil {
		return err
	}
	return refresh(ctx, tx, c.Rows...)
}
