package queue

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

// TestOnlyTheOwnerRebuildsIndexes: another role's tries would be errors in the
// log, night after night.
func TestOnlyTheOwnerRebuildsIndexes(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	owner := trial.Must(Open(pgtest.Open(t, url)))
	lesser := trial.Must(Open(pgtest.Open(t, url, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["role"] = "pg_read_all_data" })))
	if got := trial.Must(owner.rebuilt(t.Context())); len(got) == 0 {
		t.Error("the owner rebuilds nothing")
	}
	if got := trial.Must(lesser.rebuilt(t.Context())); got == nil || len(got) != 0 {
		t.Errorf("a lesser role rebuilds %v, want an empty list, for none is River's own", got)
	}
}
