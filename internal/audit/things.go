package audit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// Things returns what each of the lines is about.
func Things(ctx context.Context, db *postgres.DB, lines []Entry) (map[int64][]Thing, error) {
	ids := make([]int64, len(lines))
	for i, l := range lines {
		ids[i] = l.ID
	}
	rows, err := db.Query(ctx, `select a.line, a.kind, a.id from audit_about a where a.line = any($1) order by a.line, a.kind, a.id`, ids)
	if err != nil {
		return nil, fmt.Errorf("read what audit lines are about: %w", err)
	}
	about := map[int64][]Thing{}
	var line int64
	var t Thing
	if _, err := pgx.ForEachRow(rows, []any{&line, &t.Kind, &t.ID}, func() error { about[line] = append(about[line], t); return nil }); err != nil {
		return nil, fmt.Errorf("read what audit lines are about: %w", err)
	}
	return about, nil
}
