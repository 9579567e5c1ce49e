package postgres_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

// A constraint that is called otherwise than the fault that code waits for would
// change what happens, and nothing would say so.
func TestEveryFaultOfAConstraintHasItsConstraint(t *testing.T) {
	t.Parallel()
	rows, err := pgtest.New(t).Query(t.Context(), `
		select conname::text from pg_constraint where connamespace = 'public'::regnamespace
		union select indexrelid::regclass::text from pg_index where indisunique
		union select (regexp_matches(prosrc, 'constraint = ''([a-z0-9_]+)''', 'g'))[1] from pg_proc where pronamespace = 'public'::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	waited := waitedFor(t)
	if len(waited) < 5 {
		t.Fatalf("got %q, want the variables of the whole tree: the test does not find them any more", waited)
	}
	for _, name := range waited {
		if !slices.Contains(there, name) {
			t.Errorf("a fault waits for the constraint %q, which the schema does not have", name)
		}
	}
}

// waitedFor are the constraints that the tree's code names.
func waitedFor(t *testing.T) (names []string) {
	named := regexp.MustCompile(`"schema\.(\w+)"`)
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		code, err := os.ReadFile(name)
		for _, m := range named.FindAllSubmatch(code, -1) {
			names = append(names, string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestABrokenConstraintIsKnownWithoutItsName(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	add := func(name string) error {
		_, err := db.Exec(t.Context(), `insert into contact_group (name, created) values ($1, now())`, name)
		return err
	}
	if err := add("Rechenzentrum"); err != nil || postgres.Broken(err) {
		t.Fatalf("got %v, want a group", err)
	}
	if err := add("Rechenzentrum"); !postgres.Broken(err) || !postgres.Broken(postgres.Fault(err)) {
		t.Errorf("got %v, want a broken constraint, with and without its words", err)
	}
	if _, err := db.Exec(t.Context(), `insert into contact_group (name) values ('Mensa')`); err == nil || postgres.Broken(err) {
		t.Errorf("got %v, want a failure that is no constraint's", err)
	}
	if postgres.Broken(fault.New(fault.Conflict, "mailbox.changed_meanwhile")) || postgres.Broken(nil) {
		t.Error("a conflict that no constraint found is a broken one")
	}
}
