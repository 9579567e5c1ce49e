package audit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/pgtest"
)

func TestTheLinesOfATransactionAreOneStatementInTheirOrder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	write(t, db, line(0))
	const lines = 20
	count := pgtest.Queries(t, db)
	all := make([]audit.Line, lines)
	for i := range all {
		all[i] = line(lines - i) // against the order of everything that is in them
	}
	write(t, db, all...)
	if n := count(); n != 1 {
		t.Errorf("got %d statements for %d lines, want one", n, lines)
	}
	got, err := audit.Search(t.Context(), db, audit.Filter{Prefix: "test."}, 0, lines)
	if err != nil || len(got) != lines {
		t.Fatalf("got %d lines and %v", len(got), err)
	}
	about, err := audit.Things(t.Context(), db, got)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range got { // the newest first
		if want := fmt.Sprintf("[Müller %d]", i+1); fmt.Sprint(l.Detail["name"]) != want {
			t.Errorf("line %d: got %v, want %s", l.ID, l.Detail["name"], want)
		}
		if d := cmp.Diff([]audit.Thing{{Kind: "domain", ID: 1}, {Kind: "row", ID: int64(i + 1)}}, about[l.ID]); d != "" {
			t.Errorf("line %d (-want +got)\n%s", l.ID, d)
		}
	}
	if n, err := book(t, db).Seal(t.Context()); n != lines+1 || err != nil {
		t.Errorf("sealed %d and %v, want all", n, err)
	}
	if n, err := verify(t, db); n != lines+1 || err != nil {
		t.Errorf("got %d lines and %v, want a whole chain", n, err)
	}
}

func TestLinesBeforeAndBehindAReadKeepTheirOrder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	err := db.Tx(t.Context(), func(tx pgx.Tx) error {
		if err := errors.Join(audit.Write(t.Context(), tx, line(1)), audit.Write(t.Context(), tx, line(2))); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(t.Context(), `select count(*) from audit_line`).Scan(&n); err != nil || n != 2 {
			t.Errorf("got %d lines and %v within the transaction, want 2", n, err)
		}
		if err := audit.Write(t.Context(), tx, line(3)); err != nil {
			return err
		}
		if err := audit.Copy(t.Context(), tx, []audit.Line{line(4), {At: when, Action: "test.portal"}}); err != nil {
			return err
		}
		return pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error { return audit.Write(t.Context(), tx, line(5)) })
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := audit.About(t.Context(), db, audit.Thing{Kind: "domain", ID: 1}, 0, 10)
	if err != nil || len(all) != 5 {
		t.Fatalf("got %d lines and %v, want 5", len(all), err)
	}
	for i, l := range all {
		if *l.Token != int64(5-i) {
			t.Errorf("got the line of token %d at place %d from the end", *l.Token, i)
		}
	}
}
