package mailbox

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Each calls f with every row of the domain that v selects, by number, from one
// statement: memory does not grow with the rows, and q can do nothing else
// meanwhile. An error of f ends it and is returned. How v sorts and pages does
// not matter.
func (b *Book) Each(ctx context.Context, q postgres.Querier, by person.Actor, d org.EmailDomain, v View, f func(Row) error) error {
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
		where += ` and r.state = @status`
		args["status"] = v.Status
	}
	where += v.only()
	where += sought(v.Text, d.Name, args)
	if v.IDs != nil {
		where += ` and r.id = any(@ids)`
		args["ids"] = v.IDs
	}
	if v.Only.SQL != "" {
		where += ` and ` + v.Only.SQL
		maps.Copy(args, v.Only.Args)
	}
	return where, args
}
