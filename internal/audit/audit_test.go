package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

var when = trial.Today().Add(123 * time.Microsecond)

func write(t testing.TB, db *postgres.DB, lines ...audit.Line) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx pgx.Tx) error {
		for _, l := range lines {
			if err := audit.Write(t.Context(), tx, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func line(n int) audit.Line {
	return audit.Line{
		Who: audit.Who{Account: 7, Token: int64(n), From: netip.MustParseAddr("2001:db8::1")}, At: when, Action: "test.done",
		Detail: audit.Detail{"name": [2]string{"Müller", fmt.Sprint(n)}}, About: []audit.Thing{{"row", int64(n)}, {"domain", 1}, {"row", int64(n)}},
	}
}

// book is a process that seals, fresh from its start.
func book(t testing.TB, db *postgres.DB) *audit.Book {
	t.Helper()
	sealer := trial.Must(db.Sealer(t.Context(), make([]byte, 32)))
	return &audit.Book{DB: db, Sealer: sealer, Now: func() time.Time { return when }, Log: slog.New(slog.DiscardHandler)}
}

// verify returns how many lines the record of db holds.
func verify(t testing.TB, db *postgres.DB) (int64, error) {
	t.Helper()
	r, err := audit.Verify(t.Context(), db, audit.Expected{})
	return r.Lines, err
}

// sealed is a database with n sealed lines.
func sealed(t testing.TB, n int) *postgres.DB {
	t.Helper()
	db := pgtest.New(t)
	for i := range n {
		write(t, db, line(i+1))
	}
	if got, err := book(t, db).Seal(t.Context()); err != nil || got != n {
		t.Fatalf("seal: got %d and %v, want %d", got, err, n)
	}
	return db
}

func exec(t testing.TB, db *postgres.DB, sql string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// unguarded runs sql as somebody who may switch off triggers and keys.
func unguarded(t testing.TB, db *postgres.DB, sql string) {
	t.Helper()
	exec(t, db, `begin; set local session_replication_role = replica; `+sql+`; commit`)
}

func TestAnUntouchedChainVerifies(t *testing.T) {
	t.Parallel()
	db := sealed(t, 5)
	write(t, db, audit.Line{At: when, Action: "test.portal"})
	if n, err := book(t, db).Seal(t.Context()); n != 1 || err != nil {
		t.Fatalf("seal: got %d and %v, want 1", n, err)
	}
	write(t, db, line(9)) // waits for its seal
	if n, err := verify(t, db); n != 6 || err != nil {
		t.Errorf("got %d lines and %v, want 6 and a whole chain", n, err)
	}
	if n, err := verify(t, pgtest.New(t)); n != 0 || err != nil {
		t.Errorf("an empty chain: got %d and %v, want 0", n, err)
	}
}

func TestWhatSomebodyDidToTheChainIsFound(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"another detail":                  `update audit_line set detail = '{"name":"x"}' where id = 2`,
		"another detail with its digest":  `update audit_line set detail = '{}', digest = sha256(salt || '{}'::bytea) where id = 2`,
		"another salt":                    `update audit_line set salt = '\x00' where id = 2`,
		"no salt but a detail":            `update audit_line set salt = null where id = 2`,
		"another account":                 `update audit_line set account = 8 where id = 2`,
		"another token":                   `update audit_line set token = null where id = 2`,
		"another time":                    `update audit_line set at = at + interval '1 microsecond' where id = 2`,
		"another origin":                  `update audit_line set origin = '192.0.2.1' where id = 2`,
		"another action":                  `update audit_line set action = 'test.undone' where id = 2`,
		"about another thing":             `update audit_about set id = 99 where line = 2 and kind = 'row'`,
		"about one thing less":            `delete from audit_about where line = 2 and kind = 'row'`,
		"about one thing more":            `insert into audit_about values (2, 'row', 99)`,
		"a line removed":                  `delete from audit_line where id = 2`,
		"the last line removed":           `delete from audit_line where id = 5`,
		"a line and its seal removed":     `delete from audit_line where id = 2; delete from audit_seal where line = 2`,
		"the first line and seal removed": `delete from audit_line where id = 1; delete from audit_seal where line = 1`,
		"another hash":                    `update audit_seal set hash = (select hash from audit_seal where line = 3) where line = 2`,
		"a line slipped in":               `insert into audit_line (at, action, digest) values (now(), 'test.never', '\x00')`,
	}
	for name, sql := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := sealed(t, 5)
			unguarded(t, db, sql)
			if n, err := verify(t, db); !errors.Is(err, audit.ErrBroken) {
				t.Errorf("%s\ngot %d lines and %v, want %v", sql, n, err, audit.ErrBroken)
			}
		})
	}
}

func TestErasingADetailKeepsTheChain(t *testing.T) {
	t.Parallel()
	db := sealed(t, 3)
	exec(t, db, `update audit_line set detail = null, salt = null where id = 2`)
	if n, err := verify(t, db); n != 3 || err != nil {
		t.Errorf("got %d lines and %v, want 3 and a whole chain", n, err)
	}
	all, err := audit.About(t.Context(), db, audit.Thing{Kind: "row", ID: 2}, 0, 10)
	if err != nil || len(all) != 1 || all[0].Detail != nil || !all[0].Sealed || all[0].Action != "test.done" {
		t.Errorf("got %+v and %v, want the line without its detail", all, err)
	}
}

func TestLinesAreNeverChanged(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`update audit_line set action = 'x'`, `update audit_line set detail = '{}'`, `update audit_line set detail = null`,
		`update audit_line set salt = null`, `update audit_line set detail = null, salt = null, at = now()`, `delete from audit_line`,
		`update audit_about set id = 2`, `delete from audit_about`, `update audit_seal set hash = ''`, `delete from audit_seal`,
		`truncate audit_line cascade`, `truncate audit_about`, `truncate audit_seal`, `truncate audit_key`, `delete from audit_key`, `update audit_key set first = 7`,
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			db := sealed(t, 1)
			_, err := db.Exec(t.Context(), sql)
			if f := fault.Of(postgres.Fault(err)); f == nil || f.ID != "schema.audit_append_only" {
				t.Errorf("got %v, want schema.audit_append_only", err)
			}
		})
	}
}

func TestALineOfATransactionThatFailsIsNotThere(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	err := db.Tx(t.Context(), func(tx pgx.Tx) error {
		return errors.Join(audit.Write(t.Context(), tx, line(1)), errors.New("changed my mind"))
	})
	if err == nil {
		t.Fatal("the transaction went well")
	}
	if n, err := book(t, db).Seal(t.Context()); n != 0 || err != nil {
		t.Errorf("sealed %d lines (%v), want none", n, err)
	}
}

func TestWritersAndSealersAtOnceLeaveAWholeChain(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const writers, each = 8, 25
	var writing, sealing sync.WaitGroup
	one := book(t, db)
	done := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				write(t, db, line(w*each+i+1), line(1000+i))
			}
		})
	}
	for _, b := range []*audit.Book{one, one, book(t, db)} {
		sealing.Go(func() {
			for {
				if _, err := b.Seal(t.Context()); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	sealing.Wait()
	if _, err := book(t, db).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := verify(t, db); n != 2*writers*each || err != nil {
		t.Errorf("got %d lines and %v, want %d in a whole chain", n, err, 2*writers*each)
	}
}

func TestLinesAreReadNewestFirstAndPaged(t *testing.T) {
	t.Parallel()
	db := sealed(t, 5)
	about, err := audit.About(t.Context(), db, audit.Thing{Kind: "domain", ID: 1}, 0, 3)
	if err != nil || len(about) != 3 || about[0].ID != 5 || about[2].ID != 3 {
		t.Fatalf("got %+v and %v, want lines 5 to 3", about, err)
	}
	rest, err := audit.About(t.Context(), db, audit.Thing{Kind: "domain", ID: 1}, about[2].ID, 3)
	if err != nil || len(rest) != 2 || rest[0].ID != 2 {
		t.Errorf("got %+v and %v, want lines 2 and 1", rest, err)
	}
	if got := fmt.Sprint(about[0].Detail["name"]); got != "[Müller 5]" || about[0].Origin.String() != "2001:db8::1" {
		t.Errorf("got detail %s from %v, want before and after, and the address", got, about[0].Origin)
	}
	for prefix, want := range map[string]int{"test.": 5, "tesT": 0, "test_": 0, "": 5} {
		if got, err := audit.Search(t.Context(), db, audit.Filter{Prefix: prefix}, 0, 10); err != nil || len(got) != want {
			t.Errorf("recent %q: got %d lines and %v, want %d", prefix, len(got), err, want)
		}
	}
}

// TestARecordIsWholeWhileItsFirstSealIsMade, and with it the key that signs it: after
// whoever verifies looked for a key, and before it looks at seals.
func TestARecordIsWholeWhileItsFirstSealIsMade(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	other := pgtest.Open(t, url)
	for n := range 3 {
		write(t, other, line(n+1))
	}
	meanwhile := &before{sql: "from audit_seal", do: sync.OnceFunc(func() { trial.Must(book(t, other).Seal(t.Context())) })}
	db := pgtest.Open(t, url, func(c *pgxpool.Config) { c.ConnConfig.Tracer = meanwhile })
	if n, err := verify(t, db); err != nil || n != 3 {
		t.Errorf("got %d lines and %v, want 3 and none", n, err)
	}
}

// before does something before statements that hold a text.
type before struct {
	sql string
	do  func()
}

func (b *before) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, b.sql) {
		b.do()
	}
	return ctx
}

func (b *before) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
