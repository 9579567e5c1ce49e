package postgres_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

func TestATransactionThatMetAnotherRunsAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	runs := 0
	err := db.Tx(t.Context(), func(pgx.Tx) error {
		if runs++; runs < 3 {
			return &pgconn.PgError{Code: "40P01"}
		}
		return nil
	})
	if err != nil || runs != 3 {
		t.Errorf("got %d runs and %v, want 3 and success", runs, err)
	}
	runs = 0
	err = db.Tx(t.Context(), func(pgx.Tx) error { runs++; return &pgconn.PgError{Code: "40001"} })
	if err == nil || runs != 4 {
		t.Errorf("got %d runs and %v, want it given up after 4", runs, err)
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	no := errors.New("no")
	err := db.Tx(t.Context(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `insert into contact_group (name, created) values ('x', now())`); err != nil {
			return err
		}
		return no
	})
	var n int
	if scan := db.QueryRow(t.Context(), `select count(*) from contact_group`).Scan(&n); scan != nil || n != 0 || !errors.Is(err, no) {
		t.Errorf("got %d rows, %v and %v; want none and the error", n, err, scan)
	}
}

func TestABrokenConstraintSpeaks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	add := func() error {
		return db.Tx(t.Context(), func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into contact_group (name, created) values ('Netz', now())`)
			return err
		})
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	if f := fault.Of(add()); f.Kind != fault.Conflict || f.ID != "schema.contact_group_name" {
		t.Errorf("got %v %q, want a conflict named after the index", f.Kind, f.ID)
	}
	if f := fault.Of(postgres.Fault(pgx.ErrNoRows)); f.Kind != fault.Missing {
		t.Errorf("no rows: got %v, want missing", f.Kind)
	}
}

func TestManyProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db := pgtest.Open(t, url)
	if _, err := db.Exec(t.Context(), `drop schema public cascade; create schema public`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := postgres.Migrate(t.Context(), pgtest.Open(t, url)); err != nil {
				t.Errorf("migrate: %v", err)
			}
		})
	}
	wg.Wait()
	if err := postgres.Current(t.Context(), db); err != nil {
		t.Errorf("after migrating: %v", err)
	}
}

func TestWhatWasSealedOpensForItsPurposeOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s, err := db.Sealer(t.Context(), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	var sealed []byte
	err = db.Tx(t.Context(), func(tx pgx.Tx) error {
		key, err := s.Key(t.Context(), tx)
		sealed = key.Seal([]byte("geheim"), "login 7")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := s.Open(sealed, "login 7"); err != nil || string(plain) != "geheim" {
		t.Errorf("got %q and %v, want what was sealed", plain, err)
	}
	if _, err := s.Open(sealed, "login 8"); err == nil {
		t.Error("it opened for another purpose")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := s.Open(sealed, "login 7"); err == nil {
		t.Error("it opened after it was altered")
	}
	if _, err := db.Sealer(t.Context(), append(make([]byte, 31), 1)); !errors.Is(err, postgres.ErrWrongSecret) {
		t.Errorf("another secret: got %v, want %v", err, postgres.ErrWrongSecret)
	}
}

// TestSessionsAreSetUpForShortStatements: on a large table Postgres compiled the
// list of one's own server certificates for 80 ms and ran it for 3.
func TestSessionsAreSetUpForShortStatements(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for setting, want := range map[string]string{"jit": "off", "TimeZone": "UTC", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min"} {
		var got string
		if err := db.QueryRow(t.Context(), `select current_setting($1)`, setting).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", setting, got, want)
		}
	}
}
