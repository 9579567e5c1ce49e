package mailbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Each calls f with every row of the domain that v selects, by number, from one
// statement: memory does not grow with the rows, and q can do nothing else
// meanwhile. An error of f ends it and is returned. How v sorts and pages does
// not matter.
func (b *Book) Each(ctx context.Context, q org.Querier, by person.Actor, d org.EmailDomain, v View, f func(Row) error) error {
	where, args := v.selects(d)
	rows, err := q.Query(ctx, `select `+rowColumns+` from `+rowTables+` where `+where+` order by r.id`, org.Scope(by, args))
	if err != nil {
		return fmt.Errorf("read rows of a view: %w", err)
	}
	return stream(rows, f)
}

// stream reads rows one by one.
func stream[T any](rows pgx.Rows, f func(T) error) error {
	defer rows.Close()
	for rows.Next() {
		r, err := pgx.RowToStructByName[T](rows)
		if err != nil {
			return fmt.Errorf("read a row of a view: %w", err)
		}
		if err := f(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read rows of a view: %w", err)
	}
	return nil
}

// selects is the condition that a row r of rowTables is one of the domain's
// that v is about, and that the actor may see it.
func (v View) selects(d org.EmailDomain) (where string, args pgx.NamedArgs) {
	args = pgx.NamedArgs{"domain": d.ID}
	where = `d.id = @domain and r.domain = @domain and (@officer or ` + org.IsContact + `)`
	if slices.Contains(Statuses[:], v.Status) {
		where += ` and r.status = @status`
		args["status"] = v.Status
	}
	where += v.only()
	for i, w := range words(v.Text) {
		arg := fmt.Sprintf("w%d", i)
		where += ` and r.search like @` + arg
		args[arg] = w
	}
	if v.IDs != nil {
		where += ` and r.id = any(@ids)`
		args["ids"] = v.IDs
	}
	if v.ImportNew != 0 {
		where += ` and ` + addedBy
		args["added"] = v.ImportNew
	}
	if v.ImportMissing != 0 {
		where += ` and ` + missingFrom
		args["missing"] = v.ImportMissing
	}
	return where, args
}

// addedBy is the condition that the import @added, which is not undone, made
// the row r.
const addedBy = `r.id in (select l.row_id from import i join import_line l on l.import = i.id
	where i.id = @added and i.domain = @domain and i.state = 'applied' and l.class = 'new')`

// missingFrom is the condition that the row r is active and no line of the
// import @missing is about it, be it a wrong one: what MissingRows lists. From
// an import whose lines are not known, or not any more, nothing is missing.
const missingFrom = `r.active and exists (select from import i where i.id = @missing and i.domain = @domain and i.state in ('planned', 'applying', 'applied'))
	and r.id not in (select l.row_id from import_line l where l.import = @missing and l.row_id is not null)
	and lower(r.primary_address) not in (select lower(l.primary_address) from import_line l where l.import = @missing and l.primary_address is not null)`
