package pgtest_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/pgtest"
)

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	one, two := pgtest.New(t), pgtest.New(t)
	if _, err := one.Exec(ctx, "create table mine (id int)"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := two.QueryRow(ctx, "select to_regclass('mine') is not null").Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		t.Error("a table of one database is in the other: clones share something")
	}
}

func TestAClonedDatabaseHasOurSchemaAndRivers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, table := range []string{"account", "river_job"} {
		var there bool
		if err := db.QueryRow(t.Context(), "select to_regclass($1) is not null", table).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if !there {
			t.Errorf("no table %s in a fresh clone, want all migrations in it", table)
		}
	}
}

func TestManyClonesAtOnceWork(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := pgtest.New(t).Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestADatabaseIsGoneAfterItsTest(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("inner", func(t *testing.T) { url = pgtest.URL(t) })
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		conn.Close(t.Context())
		t.Errorf("%s still answers, want it dropped", url)
	}
}

func TestQueriesCountsStatementsOnly(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := pgtest.New(t)
	count := pgtest.Queries(t, db)
	err := db.Tx(ctx, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue("select 1")
		b.Queue("select 2")
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "select 3")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := count(), 3; got != want {
		t.Errorf("counted %d queries for two in a batch and one alone, want %d", got, want)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		pgtest.URL(b)
	}
}
