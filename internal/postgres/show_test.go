package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

func TestARequestThatOnlyShowsWritesNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := postgres.Show(t.Context(), nil)
	if err := db.Tx(ctx, func(pgx.Tx) error { t.Error("a transaction began"); return nil }); !errors.Is(err, postgres.ErrShown) {
		t.Errorf("a transaction: got %v, want ErrShown", err)
	}
	if _, err := db.Exec(ctx, `create table x (n int)`); !errors.Is(err, postgres.ErrShown) {
		t.Errorf("a statement: got %v, want ErrShown", err)
	}
	full := fault.New(fault.Conflict, "box.full")
	if err := db.Tx(postgres.Show(t.Context(), full), func(pgx.Tx) error { return nil }); !errors.Is(err, full) {
		t.Errorf("got %v, want what it was refused with before", err)
	}
	err := db.Look(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `create table x (n int)`)
		return err
	})
	if err != nil {
		t.Errorf("looking: got %v", err)
	}
	var there bool
	if err := db.QueryRow(ctx, `select to_regclass('x') is not null`).Scan(&there); err != nil || there {
		t.Errorf("got a table that was only looked at (%v)", err)
	}
	if err := db.Look(ctx, func(pgx.Tx) error { return full }); !errors.Is(err, full) {
		t.Errorf("looking: got %v, want the fault", err)
	}
}

func TestTheOutcomeTellsWhatWasWrittenAndRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	full := fault.New(fault.Conflict, "box.full")
	ctx, o := postgres.Watch(t.Context())
	_ = db.Look(ctx, func(pgx.Tx) error { return nil })
	if o.Wrote() || o.Refused() != nil {
		t.Errorf("after a look: got %v, %v", o.Wrote(), o.Refused())
	}
	_ = db.Tx(ctx, func(pgx.Tx) error { return full })
	_ = db.Tx(ctx, func(pgx.Tx) error { return fault.New(fault.Conflict, "another") })
	if o.Wrote() || !errors.Is(o.Refused(), full) {
		t.Errorf("after a refusal: got %v, %v", o.Wrote(), o.Refused())
	}
	_ = db.Tx(ctx, func(pgx.Tx) error { return nil })
	if !o.Wrote() {
		t.Error("after a commit: nothing was written")
	}
}
