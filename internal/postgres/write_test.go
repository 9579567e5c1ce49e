package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

// desk is a database with tables to write.
type desk struct {
	*postgres.DB
	t *testing.T
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{pgtest.New(t), t}
	d.must(d.Exec(t.Context(), `
		create table note (id int constraint note_once primary key, text text not null constraint note_text check (text <> 'wrong'));
		create table tag (note int not null references note, name text not null constraint tag_once unique);
		create table tally (name text primary key, n int not null)`))
	return d
}

func (d *desk) must(_ pgconn.CommandTag, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) note(tx pgx.Tx, id int, text string) error {
	return postgres.Write(d.t.Context(), tx, `insert into note (id, text) values (@id, @text)`, pgx.NamedArgs{"id": id, "text": text})
}

func (d *desk) tag(tx pgx.Tx, note int, name string) error {
	return postgres.Write(d.t.Context(), tx, `insert into tag (note, name) values (@note, @name)`, pgx.NamedArgs{"note": note, "name": name})
}

func (d *desk) rename(tx pgx.Tx, id int, text string) error {
	return postgres.Write(d.t.Context(), tx, `update note set text = @text where id = @id`, pgx.NamedArgs{"id": id, "text": text})
}

// all is what the tables hold.
func (d *desk) all() string {
	d.t.Helper()
	return d.in(d.DB)
}

func (d *desk) in(q postgres.Querier) (all string) {
	d.t.Helper()
	rows, err := q.Query(d.t.Context(), `select coalesce(string_agg(s, ' ' order by s), '') from (
		select id || ':' || text from note union all select note || '#' || name from tag union all select name || '=' || n from tally) x (s)`)
	if err == nil {
		all, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

func TestWhatATransactionWritesGoesOutAsOneStatement(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must(d.Exec(t.Context(), `insert into tally values ('notes', 0)`))
	count := pgtest.Queries(t, d.DB)
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		return errors.Join(
			d.tag(tx, 2, "late"), // its note comes after it: the key is asked at the end
			d.note(tx, 1, "it's @home #1"), d.note(tx, 2, "b"), d.tag(tx, 1, "first"),
			postgres.Write(t.Context(), tx, `update tally set n = n + @more where name = 'notes'`, pgx.NamedArgs{"more": 2}))
	})
	if n := count(); err != nil || n != 1 {
		t.Errorf("got %d statements and %v, want one", n, err)
	}
	if got, want := d.all(), "1#first 1:it's @home #1 2#late 2:b notes=2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatIsKeptIsThereForWhateverComesNext(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	seen := `select count(*) from note`
	for name, next := range map[string]func(tx pgx.Tx, n *int) error{
		"a row":   func(tx pgx.Tx, n *int) error { return tx.QueryRow(ctx, seen).Scan(n) },
		"rows":    func(tx pgx.Tx, n *int) error { return scanOne(n)(tx.Query(ctx, seen)) },
		"a batch": func(tx pgx.Tx, n *int) error { return oneBatch(ctx, tx, seen, n) },
		"a change": func(tx pgx.Tx, n *int) error {
			tag, err := tx.Exec(ctx, `update note set text = text`)
			*n = int(tag.RowsAffected())
			return err
		},
		"a copy": func(tx pgx.Tx, n *int) error {
			copied, err := tx.CopyFrom(ctx, pgx.Identifier{"tag"}, []string{"note", "name"}, pgx.CopyFromRows([][]any{{1, "a"}}))
			*n = int(copied) // its foreign key was found
			return err
		},
		"a savepoint": func(tx pgx.Tx, n *int) error {
			return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return tx.QueryRow(ctx, seen).Scan(n) })
		},
		"the connection": func(tx pgx.Tx, n *int) error { return tx.Conn().QueryRow(ctx, seen).Scan(n) },
		"a prepared statement": func(tx pgx.Tx, n *int) error {
			if _, err := tx.Prepare(ctx, "seen", seen); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "seen").Scan(n)
		},
		"a large object": func(tx pgx.Tx, n *int) error {
			objects := tx.LargeObjects()
			if _, err := objects.Create(ctx, 0); err != nil {
				return err
			}
			return tx.Conn().QueryRow(ctx, seen).Scan(n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			n := 0
			err := d.Tx(t.Context(), func(tx pgx.Tx) error { return errors.Join(d.note(tx, 1, "a"), next(tx, &n)) })
			if err != nil || n != 1 {
				t.Errorf("got %d notes and %v, want the one that was kept", n, err)
			}
		})
	}
}

func scanOne(n *int) func(pgx.Rows, error) error {
	return func(rows pgx.Rows, err error) error {
		if err == nil {
			*n, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
		}
		return err
	}
}

func oneBatch(ctx context.Context, tx pgx.Tx, sql string, n *int) error {
	b := &pgx.Batch{}
	b.Queue(sql)
	r := tx.SendBatch(ctx, b)
	return errors.Join(r.QueryRow().Scan(n), r.Close())
}

func TestPartsThatMeetGoOutInTheirOrder(t *testing.T) {
	t.Parallel()
	count := func(name string) string {
		return fmt.Sprintf(`insert into tally (name, n) select '%s', count(*) from note`, name)
	}
	const upsert = `insert into tally as t (name, n) values ('x', 1) on conflict (name) do update set n = t.n + 1`
	for name, c := range map[string]struct {
		parts      []string
		statements int
		want       string
	}{
		"inserts of one table":          {[]string{`insert into note values (1, 'a')`, `insert into note values (2, 'b')`}, 1, "1:a 2:b"},
		"a change of what was inserted": {[]string{`insert into note values (1, 'a')`, `update note set text = 'b'`}, 2, "1:b"},
		"a row changed twice":           {[]string{`insert into tally values ('x', 1)`, `update tally set n = n + 1`, `update tally set n = n + 1`}, 3, "x=3"},
		"a key that was given up": {
			[]string{`insert into note values (1, 'a')`, `delete from note where id = 1`, `insert into note values (1, 'b')`}, 3, "1:b",
		},
		"an upsert met twice":     {[]string{upsert, upsert, upsert}, 3, "x=3"},
		"a table that is read":    {[]string{`insert into note values (1, 'a')`, count("x")}, 2, "1:a x=1"},
		"one that was read first": {[]string{count("x"), `insert into note values (1, 'a')`}, 1, "1:a x=0"},
		"a list of tables":        {[]string{`insert into note values (1, 'a')`, `insert into tally select 'x', n.id from pg_class c, note n where c.relname = 'note'`}, 2, "1:a x=1"},
		"named parts": {[]string{
			`#n as (insert into note values (1, 'a') returning id), #t as (insert into tag select id, 'a' from #n)`,
			`#n as (insert into note values (2, 'b') returning id), #t as (insert into tag select id, 'b' from #n)`,
		}, 1, "1#a 1:a 2#b 2:b"},
		"a named part that changes": {[]string{`insert into note values (1, 'a')`, `#n as (update note set text = 'b' returning text), #t as (insert into tally select text, 1 from #n)`}, 2, "1:b b=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			n := pgtest.Queries(t, d.DB)
			err := d.Tx(t.Context(), func(tx pgx.Tx) error {
				for _, sql := range c.parts {
					if err := postgres.Write(t.Context(), tx, sql, nil); err != nil {
						return err
					}
				}
				return nil
			})
			if got := n(); err != nil || got != c.statements {
				t.Errorf("got %d statements and %v, want %d", got, err, c.statements)
			}
			if d := cmp.Diff(c.want, d.all()); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestManyPartsGoOutInSeveralStatementsAndNoneIsLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := pgtest.Queries(t, d.DB)
	err := d.Tx(t.Context(), func(tx pgx.Tx) error {
		for i := range 40 {
			if err := d.note(tx, i, "n"); err != nil {
				return err
			}
		}
		return nil
	})
	if got, all := n(), len(strings.Fields(d.all())); err != nil || got != 3 || all != 40 {
		t.Errorf("got %d statements, %d notes and %v, want 40 by 3", got, all, err)
	}
}

func TestABrokenConstraintOfWhatWasKeptIsItsFault(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(d *desk, tx pgx.Tx) error{
		"at the commit": func(d *desk, tx pgx.Tx) error { return errors.Join(d.note(tx, 1, "a"), d.note(tx, 2, "wrong")) },
		"alone":         func(d *desk, tx pgx.Tx) error { return d.note(tx, 2, "wrong") },
		"of a change":   func(d *desk, tx pgx.Tx) error { return errors.Join(d.note(tx, 2, "right"), d.rename(tx, 2, "wrong")) },
		"that was swallowed": func(d *desk, tx pgx.Tx) error {
			_ = errors.Join(d.note(tx, 2, "wrong"))
			_ = tx.QueryRow(d.t.Context(), `select 1`).Scan(new(int))
			return d.note(tx, 1, "a")
		},
		"swallowed rows": func(d *desk, tx pgx.Tx) error {
			_ = d.note(tx, 2, "wrong")
			rows, _ := tx.Query(d.t.Context(), `select 1`)
			_, err := pgx.CollectRows(rows, pgx.RowTo[int])
			return err
		},
		"swallowed by a savepoint": func(d *desk, tx pgx.Tx) error {
			_ = d.note(tx, 2, "wrong")
			_ = pgx.BeginFunc(d.t.Context(), tx, func(pgx.Tx) error { d.t.Error("the savepoint began"); return nil })
			return nil
		},
		"swallowed by a batch": func(d *desk, tx pgx.Tx) error {
			return errors.Join(d.note(tx, 2, "wrong"), oneBatch(d.t.Context(), tx, `select 1`, new(int)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			err := d.Tx(t.Context(), func(tx pgx.Tx) error { return f(d, tx) })
			if g := fault.Of(err); g == nil || g.Kind != fault.Conflict || g.ID != "schema.note_text" {
				t.Errorf("got %v, want the conflict of the constraint", err)
			}
			if got := d.all(); got != "" {
				t.Errorf("got %q, want nothing", got)
			}
		})
	}
}

func TestAnErrorNamesWhatWasWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	err := d.Tx(t.Context(), func(tx pgx.Tx) error { return errors.Join(d.note(tx, 1, "a"), d.tag(tx, 9, "a")) })
	if cause := errors.Unwrap(err); fault.Of(err).Kind != fault.Missing || !strings.Contains(fmt.Sprint(err, cause), "write note, write tag") {
		t.Errorf("got %v (%v), want it missing, by what was written", err, cause)
	}
}
