package cert

import (
	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// ServerSQL is the statement of a page, for tests that look at its plan.
func ServerSQL(v ServerView) (string, pgx.NamedArgs) {
	v.defaults()
	at, _ := postgres.ParseCursor(v.Cursor)
	q := newServerQuery(v, at)
	return q.sql(), q.args
}
