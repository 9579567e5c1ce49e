package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

func TestATransactionThatRunsAgainBeginsWithNothingKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	runs, ends := 0, 0
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		runs++
		postgres.AtEnd(tx, "k", func() end { return func(context.Context, pgx.Tx) error { ends++; return nil } })
		if err := d.note(tx, runs, "a"); err != nil || runs == 3 {
			return err
		}
		return &pgconn.PgError{Code: "40P01"}
	})
	if got := d.all(); err != nil || got != "3:a" || ends != 1 {
		t.Errorf("got %q, %d ends and %v, want what the last run wrote", got, ends, err)
	}
}

// TestADeadlockOfWhatWasKeptRunsAgain: two transactions hold a row each and want
// the other's at their commit.
func TestADeadlockOfWhatWasKeptRunsAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must(d.Exec(t.Context(), `insert into note values (1, ''), (2, '')`))
	var all, both sync.WaitGroup
	both.Add(2)
	for _, ids := range [][2]int{{1, 2}, {2, 1}} {
		first := true
		all.Go(func() {
			err := d.Tx(t.Context(), func(tx pgx.Tx) error {
				d.must(tx.Exec(t.Context(), `select from note where id = $1 for update`, ids[0]))
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				return d.rename(tx, ids[1], "x")
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, want := d.all(), "1:x 2:x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type end func(context.Context, pgx.Tx) error

func (e end) End(ctx context.Context, tx pgx.Tx) error { return e(ctx, tx) }

func TestEndsRunOnceInTheirOrderAfterWhatWasWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var ran []string
	at := func(tx pgx.Tx, key string, more func(tx pgx.Tx) error) {
		_, ok := postgres.AtEnd(tx, key, func() end {
			return func(_ context.Context, tx pgx.Tx) error {
				ran = append(ran, key+": "+d.in(tx))
				return more(tx)
			}
		})
		if !ok {
			t.Errorf("%s will not run", key)
		}
	}
	nothing := func(pgx.Tx) error { return nil }
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		at(tx, "b", func(tx pgx.Tx) error {
			at(tx, "late", nothing)
			return d.note(tx, 2, "b")
		})
		at(tx, "a", nothing)
		at(tx, "b", nothing)
		return d.note(tx, 1, "a")
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"b: 1:a", "a: 1:a 2:b", "late: 1:a 2:b"}, ran); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got := d.all(); got != "1:a 2:b" {
		t.Errorf("got %q, want also what an end wrote", got)
	}
}

func TestAnEndThatFailsUndoesTheTransaction(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	no := errors.New("no")
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		postgres.AtEnd(tx, 1, func() end { return func(context.Context, pgx.Tx) error { return no } })
		postgres.AtEnd(tx, 2, func() end { return func(context.Context, pgx.Tx) error { t.Error("the next one ran"); return nil } })
		return d.note(tx, 1, "a")
	})
	if got := d.all(); got != "" || !errors.Is(err, no) {
		t.Errorf("got %q and %v, want nothing and the error", got, err)
	}
}

func TestATransactionOfSomebodyElseWritesAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, begin := range map[string]func(f func(pgx.Tx) error) error{
		"of the pool": func(f func(pgx.Tx) error) error { return pgx.BeginFunc(t.Context(), d.DB, f) },
		"a savepoint": func(f func(pgx.Tx) error) error {
			return d.Tx(t.Context(), func(tx pgx.Tx) error { return pgx.BeginFunc(t.Context(), tx, f) })
		},
	} {
		var wrong *pgconn.PgError
		err := begin(func(tx pgx.Tx) error {
			if _, ok := postgres.AtEnd(tx, 1, func() end { return nil }); ok {
				t.Errorf("%s: it promises to run an end", name)
			}
			if err := d.note(tx, len(name), name); err != nil {
				return err
			}
			return d.note(tx, len(name), "twice")
		})
		if !errors.As(err, &wrong) || wrong.ConstraintName != "note_once" {
			t.Errorf("%s: got %v, want the second write to tell at once", name, err)
		}
	}
}

func TestASavepointThatIsUndoneTakesWhatWasWrittenInIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		if err := d.note(tx, 1, "a"); err != nil {
			return err
		}
		_ = pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error { return errors.Join(d.note(tx, 2, "b"), errors.New("no")) })
		return d.note(tx, 3, "c")
	})
	if got := d.all(); err != nil || got != "1:a 3:c" {
		t.Errorf("got %q and %v, want all but the savepoint's", got, err)
	}
}

func TestALookTriesWhatIsKeptAndUndoesIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	look := func(text string) error {
		return d.Look(t.Context(), func(tx pgx.Tx) error {
			postgres.AtEnd(tx, 1, func() end { return func(context.Context, pgx.Tx) error { t.Error("it ended"); return nil } })
			return d.note(tx, 1, text)
		})
	}
	if err := look("a"); err != nil || d.all() != "" {
		t.Errorf("got %v and %q, want nothing", err, d.all())
	}
	if f := fault.Of(look("wrong")); f == nil || f.ID != "schema.note_text" {
		t.Errorf("got %v, want what would be refused", f)
	}
}

// TestWhatCannotBeSentIsNotForgotten: an argument that no column takes fails
// before Postgres hears of it, so the commit would go well without it.
func TestWhatCannotBeSentIsNotForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		if err := postgres.Write(t.Context(), tx, `insert into note values (@id, 'a')`, pgx.NamedArgs{"id": struct{}{}}); err != nil {
			return err
		}
		_ = tx.QueryRow(t.Context(), `select 1`).Scan(new(int))
		return nil
	})
	if err == nil || d.all() != "" {
		t.Errorf("got %v and %q, want the error", err, d.all())
	}
}

func TestArgumentsAreThoseOfTheMomentOfWriting(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		args := pgx.NamedArgs{}
		for id := range 3 {
			args["id"], args["text"] = id, string(rune('a'+id))
			if err := postgres.Write(t.Context(), tx, `insert into note (text, id) values (@text || @text, @id)`, args); err != nil {
				return err
			}
		}
		return nil
	})
	if got := d.all(); err != nil || got != "0:aa 1:bb 2:cc" {
		t.Errorf("got %q and %v", got, err)
	}
}

func TestACancelledTransactionWritesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Tx(ctx, func(tx pgx.Tx) error {
		defer cancel()
		return d.note(tx, 1, "a")
	})
	if f := fault.Of(err); f == nil || f.Kind != fault.Unavailable || d.all() != "" {
		t.Errorf("got %v and %q, want it unavailable and nothing written", err, d.all())
	}
}

func TestACommitThatFailsIsToldAndNothingIsThere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must(d.Exec(t.Context(), `alter table tag add constraint tag_later unique (note) deferrable initially deferred`))
	err := d.Tx(t.Context(), func(tx pgx.Tx) error { return errors.Join(d.note(tx, 1, "a"), d.tag(tx, 1, "a"), d.tag(tx, 1, "b")) })
	if f := fault.Of(err); f == nil || f.ID != "schema.tag_later" || d.all() != "" {
		t.Errorf("got %v and %q, want the conflict that only the commit finds", err, d.all())
	}
}

func TestNothingIsKeptForATransactionThatIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var over pgx.Tx
	if err := d.Tx(t.Context(), func(tx pgx.Tx) error { over = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := d.note(over, 1, "a"); !errors.Is(err, pgx.ErrTxClosed) {
		t.Errorf("got %v, want it closed", err)
	}
	if _, ok := postgres.AtEnd(over, 1, func() end { return nil }); ok {
		t.Error("it promises an end")
	}
}

func TestWhatCannotBeKeptIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for sql, want := range map[string]string{
		`select pg_notify('a', 'b')`:                                 "neither inserts",
		`with x as (select 1) insert into note select from x`:        "with",
		`insert into note values ($1, 'a')`:                          "$",
		`insert into note values (1, $$a$$)`:                         "$",
		`insert into note values (1, E'it\'s')`:                      "E'…'",
		`insert into note values (1, 'a`:                             "an open quotation",
		`insert into note values (1, 'a') -- one`:                    "a comment",
		`insert into note /* here */ values (1, 'a')`:                "a comment",
		`insert into note values (1, 'a'); select 1`:                 "a semicolon",
		`merge into note using tag on true when matched then delete`: "merge",
		`insert into note values (@id, 'a')`:                         "no argument @id",
	} {
		err := d.Tx(t.Context(), func(tx pgx.Tx) error { return postgres.Write(t.Context(), tx, sql, nil) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want it refused for %s", sql, err, want)
		}
	}
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		return postgres.Write(t.Context(), tx, `insert into note (id, text) select 1, '@a #b ''c'' — ' || now()::text
			where '{"a": 1}'::jsonb @> '{"a": 1}' and '{"a": {"b": 1}}'::jsonb #> '{a,b}' is not null and now()::timestamptz > 'epoch'`, nil)
	})
	if err != nil || !strings.HasPrefix(d.all(), "1:@a #b 'c' — 2") {
		t.Errorf("got %q and %v, want operators and quoted text as they are", d.all(), err)
	}
}

// listener writes down the statements of a pool.
type listener struct {
	sync.Mutex
	heard []string
}

func (l *listener) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	l.Lock()
	defer l.Unlock()
	if strings.Contains(d.SQL, "note") {
		l.heard = append(l.heard, d.SQL)
	}
	return ctx
}

func (*listener) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestTheSamePartsMakeTheSameText(t *testing.T) {
	t.Parallel()
	d, l := newDesk(t), &listener{}
	db := pgtest.Open(t, d.Config().ConnString(), func(c *pgxpool.Config) { c.ConnConfig.Tracer = l })
	for i := range 2 {
		err := db.Tx(t.Context(), func(tx pgx.Tx) error {
			return errors.Join(d.note(tx, i, time.Now().String()), d.tag(tx, i, time.Now().String()))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Tx(t.Context(), func(tx pgx.Tx) error { return d.note(tx, 7, "a") }); err != nil {
		t.Fatal(err)
	}
	both := "with w0 as (insert into note (id, text) values ($1, $2)), w1 as (insert into tag (note, name) values ($3, $4)) select"
	if d := cmp.Diff([]string{both, both, "insert into note (id, text) values ($1, $2)"}, l.heard); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
