package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// keptMost bounds what one statement joins: a loop that writes thousands of
// rows must not make statements that no cache has seen.
const keptMost = 16

// Rows is a statement that writes one or many rows at once. SQL is one of few
// texts, which all write and read the same tables. See Add.
type Rows interface {
	SQL() string
	Args() pgx.NamedArgs
}

// keptPart is a statement that waits: with its arguments, or with rows that more
// may be added to.
type keptPart struct {
	part
	args []any
	rows Rows
}

// Write keeps sql, which inserts, updates or deletes and is read back by nobody,
// until something in tx could see that it is missing: the next statement by
// another way than Write and Add, or the commit. Then all that is kept goes out
// as one statement. sql is a constant; args is read now; what its values point to
// must stay as it is. Where tx is none that DB.Tx began, but a savepoint or a
// test's own, sql is executed at once.
//
// sql may consist of several statements which read what others return: each a
// CTE whose name begins with # in all places, separated by commas:
//
//	#l as (insert into line (text) values (@text) returning id),
//	#w as (insert into waiting (line) select id from #l)
//
// It holds no with of its own beside those, no comment, no text in dollars, no
// E'…', no $1, no semicolon, and no merge; one that does is refused.
//
// The parts of one statement see the database as it was before all of them, and
// run in no order. So a part sends off first what was kept when it reads a table
// that a kept one writes, or when both write one table and do more than insert.
// Foreign keys and AFTER triggers are asked when all parts are done, and see them
// all. A BEFORE trigger that looks at the table of another part sees any of it or
// none: what needs that is for Exec.
//
// A constraint that is broken comes out where the statement goes out, so what
// somebody answers by its name is for Exec, too. After any failure nothing else
// of tx is kept, sent or committed.
func Write(ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) error {
	p, err := parsed(tx, sql)
	if err != nil {
		return err
	}
	values, err := p.values(args)
	if err != nil {
		return err
	}
	return keep(ctx, tx, &keptPart{part: p, args: values})
}

// Add keeps rows as Write keeps a statement, but those of one type together, so
// that they go out as one part however many there are: add gets what tx keeps of
// the type already, or a new one.
func Add[T any, R interface {
	*T
	Rows
}](ctx context.Context, tx pgx.Tx, add func(R),
) error {
	if t, ok := tx.(*transaction); ok {
		for _, k := range t.kept {
			if rows, ok := k.rows.(R); ok {
				add(rows)
				return nil
			}
		}
	}
	rows := R(new(T))
	add(rows)
	p, err := parsed(tx, rows.SQL())
	if err != nil {
		return err
	}
	return keep(ctx, tx, &keptPart{part: p, rows: rows})
}

func keep(ctx context.Context, tx pgx.Tx, k *keptPart) error {
	t, ours := tx.(*transaction)
	switch {
	case !ours:
		return send(ctx, tx, tx, k)
	case t.closed:
		return pgx.ErrTxClosed
	case t.failed != nil:
		return t.failed
	}
	full := len(t.kept) == keptMost
	for _, other := range t.kept {
		full = full || k.mustFollow(other.part)
	}
	if full {
		if err := t.flush(ctx); err != nil {
			return err
		}
	}
	t.kept = append(t.kept, k)
	return nil
}

// flush sends off what is kept.
func (t *transaction) flush(ctx context.Context) error {
	if t.failed != nil || len(t.kept) == 0 {
		return t.failed
	}
	kept := t.kept
	t.kept = nil
	t.failed = send(ctx, t, t.inner, kept...)
	return t.failed
}

// send executes parts of tx as one statement, on the transaction of pgx that it
// is or wraps.
func send(ctx context.Context, tx, inner pgx.Tx, parts ...*keptPart) error {
	var args []any
	var sql strings.Builder
	for i, k := range parts {
		if err := k.settle(tx); err != nil {
			return err
		}
		k.write(&sql, i, len(parts), len(args))
		args = append(args, k.args...)
	}
	if _, err := inner.Exec(ctx, sql.String(), args...); err != nil {
		names := make([]string, len(parts))
		for i, k := range parts {
			names[i] = k.name()
		}
		return fmt.Errorf("%s: %w", strings.Join(names, ", "), err)
	}
	return nil
}

// parsed reads sql, or knows it from before. Texts of statements are constants, so
// there are not many.
func parsed(tx pgx.Tx, sql string) (part, error) {
	t, ours := tx.(*transaction)
	if !ours {
		return parse(sql)
	}
	if p, ok := t.texts.Load(sql); ok {
		return p.(part), nil
	}
	p, err := parse(sql)
	if err == nil {
		t.texts.Store(sql, p)
	}
	return p, err
}

// settle makes text and arguments of the rows that came together.
func (k *keptPart) settle(tx pgx.Tx) (err error) {
	if k.rows == nil {
		return nil
	}
	if k.part, err = parsed(tx, k.rows.SQL()); err == nil {
		k.args, err = k.values(k.rows.Args())
	}
	return err
}

// Ending is what happens once right before the commit of a transaction, after
// all that it wrote.
type Ending interface {
	End(ctx context.Context, tx pgx.Tx) error
}

type ending struct {
	key any
	Ending
}

// AtEnd returns what ends tx under key, a new one if there is none yet. They run
// in the order in which they came. It is false where tx is none that DB.Tx began:
// then nobody would run it.
func AtEnd[E Ending](tx pgx.Tx, key any, fresh func() E) (E, bool) {
	var none E
	t, ours := tx.(*transaction)
	if !ours || t.closed {
		return none, false
	}
	for _, e := range t.ends {
		if found, ok := e.Ending.(E); ok && e.key == key {
			return found, true
		}
	}
	e := fresh()
	t.ends = append(t.ends, ending{key, e})
	return e, true
}

// finish does what is left to do before the commit. An end may write and add
// ends.
func (t *transaction) finish(ctx context.Context) error {
	for len(t.ends) > 0 && t.failed == nil {
		if err := t.flush(ctx); err != nil {
			return err
		}
		e := t.ends[0]
		t.ends = t.ends[1:]
		if err := e.End(ctx, t); err != nil {
			t.failed = err
		}
	}
	return t.flush(ctx)
}
