package mailbox

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Explain is how Postgres goes about the statement of a page.
func Explain(t testing.TB, b *Book, by person.Actor, d org.EmailDomain, v View) string {
	t.Helper()
	v.defaults()
	at, err := postgres.ParseCursor(v.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	q := newPageQuery(d, v, at)
	q.args = org.Scope(by, q.args)
	rows, err := b.DB.Query(t.Context(), "explain "+q.sql(), q.args)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
