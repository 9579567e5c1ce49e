package audit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

func TestManyLinesAreWrittenAsOneIs(t *testing.T) {
	t.Parallel()
	one, many := pgtest.New(t), pgtest.New(t)
	var lines []audit.Line
	for i := range 50 {
		lines = append(lines, line(i+1))
	}
	lines = append(lines, audit.Line{At: when, Action: "test.portal"}, audit.Line{At: when, Action: "test.odd", Detail: audit.Detail{"name": "ä\u2028<b>\"\\"}})
	write(t, one, lines...)
	count := pgtest.Queries(t, many)
	copyLines(t, many, lines)
	if n := count(); n > 4 {
		t.Errorf("got %d statements for %d lines, want 4", n, len(lines))
	}
	copyLines(t, many, nil)
	for _, thing := range []audit.Thing{{Kind: "row", ID: 7}, {Kind: "domain", ID: 1}} {
		if d := cmp.Diff(about(t, one, thing), about(t, many, thing)); d != "" {
			t.Errorf("about %v (-one by one +at once)\n%s", thing, d)
		}
	}
	a, err := audit.Search(t.Context(), one, audit.Filter{Prefix: "test."}, 0, 100)
	b, err2 := audit.Search(t.Context(), many, audit.Filter{Prefix: "test."}, 0, 100)
	if d := cmp.Diff(texts(a), texts(b)); d != "" || err != nil || err2 != nil || len(b) != len(lines) {
		t.Errorf("got %d lines (%v, %v); -one by one +at once\n%s", len(b), err, err2, d)
	}
}

func TestManyLinesAreSealedAndVerify(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	write(t, db, line(1))
	copyLines(t, db, []audit.Line{line(2), line(3), line(4)})
	write(t, db, line(5))
	if n, err := book(t, db).Seal(t.Context()); n != 5 || err != nil {
		t.Fatalf("sealed %d lines (%v), want 5", n, err)
	}
	if n, err := verify(t, db); n != 5 || err != nil {
		t.Errorf("verified %d lines (%v), want 5 in a whole chain", n, err)
	}
	unguarded(t, db, `update audit_line set detail = '{}' where id = 3`)
	if _, err := verify(t, db); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("after altering a copied line: got %v, want %v", err, audit.ErrBroken)
	}
}

func copyLines(t testing.TB, db *postgres.DB, lines []audit.Line) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx pgx.Tx) error { return audit.Copy(t.Context(), tx, lines) }); err != nil {
		t.Fatal(err)
	}
}

func about(t testing.TB, db *postgres.DB, thing audit.Thing) []string {
	t.Helper()
	all, err := audit.About(t.Context(), db, thing, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return texts(all)
}

func texts(all []audit.Entry) []string {
	s := make([]string, len(all))
	for i, e := range all {
		account, token := int64(0), int64(0)
		if e.Account != nil {
			account, token = *e.Account, *e.Token
		}
		s[i] = fmt.Sprint(e.ID, e.At, account, token, e.Origin, e.Action, e.Detail)
	}
	return s
}
