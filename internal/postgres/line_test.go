package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

func through(t *testing.T, p *pgtest.Proxy, conns int32) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), p.URL, func(c *pgxpool.Config) { c.MaxConns = conns })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// all takes every connection of db at once and gives them back.
func all(t *testing.T, db *postgres.DB, conns int) {
	t.Helper()
	var taken []*pgxpool.Conn
	for range conns {
		c, err := db.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, c)
	}
	for _, c := range taken {
		c.Release()
	}
}

// idle waits until the connections have lain long enough to be asked first.
func idle(t *testing.T) {
	t.Helper()
	<-time.After(1100 * time.Millisecond)
}

// TestOneAskerIsEnoughToFindAllThatDiedSilently: the connections go together,
// not one in three seconds.
func TestOneAskerIsEnoughToFindAllThatDiedSilently(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.URL(t))
	const conns = 8
	db := through(t, p, conns)
	all(t, db, conns)
	idle(t)
	if n := p.Swallow(); n != conns {
		t.Fatalf("got %d connections to swallow, want %d", n, conns)
	}
	began := time.Now()
	if _, err := db.Exec(t.Context(), `select 1`); err != nil {
		t.Fatalf("first statement after the connections died: %v", err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the first statement took %s, want one look at a dead connection (3s) and a new one", took)
	}
	for range conns {
		if _, err := db.Exec(t.Context(), `select 1`); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("took %s to be as before", took)
	}
}

// TestAPlaceInThePoolIsSoonFreeAgain: pgx waits 15 seconds for a silent peer's
// farewell, and as long for the answer to its request to cancel.
func TestAPlaceInThePoolIsSoonFreeAgain(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.URL(t))
	db := through(t, p, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c, err := db.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p.Dark()
	_, err = c.Exec(ctx, `select 1`)
	c.Release()
	if fault.Of(postgres.Fault(err)).ID != "fault.away" {
		t.Errorf("got %v, want a database that is away", err)
	}
	p.Light()
	began := time.Now()
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := db.Exec(soon, `select 1`); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the only place was taken for %s after its statement was given up", took)
	}
}

func TestAStatementWithoutADeadlineEnds(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.URL(t))
	db := through(t, p, 4)
	quick := postgres.Slow(context.WithoutCancel(t.Context()), time.Second) // seconds instead of twenty
	for name, do := range map[string]func(tx pgx.Tx) error{
		"a statement": func(tx pgx.Tx) error { _, err := tx.Exec(quick, `select pg_sleep(3600)`); return err },
		"a row":       func(tx pgx.Tx) error { return tx.QueryRow(quick, `select pg_sleep(3600)::text`).Scan(new(string)) },
		"a batch": func(tx pgx.Tx) error {
			b := &pgx.Batch{}
			b.Queue(`select pg_sleep(3600)`)
			return tx.SendBatch(quick, b).Close()
		},
		"a copy": func(tx pgx.Tx) error {
			if _, err := tx.Exec(quick, `create temporary table slow (n int check (pg_sleep(3600) is not null))`); err != nil {
				return err
			}
			_, err := tx.CopyFrom(quick, pgx.Identifier{"slow"}, []string{"n"}, pgx.CopyFromRows([][]any{{1}}))
			return err
		},
	} {
		began := time.Now()
		err := db.Tx(context.WithoutCancel(t.Context()), do)
		if !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want its limit over", name, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
}

func TestClosingWaitsForNobodyForEver(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.URL(t))
	db := through(t, p, 2)
	c, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Swallow()
	began := time.Now()
	db.Close()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("closing took %s while somebody held a connection", took)
	}
	c.Release()
}

func TestAnAddressThatWantsNoTimeoutGetsOne(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.URL(t))
	p.Dark()
	began := time.Now()
	_, err := postgres.Open(t.Context(), p.URL+"&connect_timeout=0")
	if took := time.Since(began); !postgres.Passing(err) || took < time.Second || took > 12*time.Second {
		t.Errorf("got %v after %s, want a server that says nothing given up after some seconds", err, took)
	}
	p.Light()
	db, err := postgres.Open(t.Context(), p.URL+"&connect_timeout=0")
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}
