package mail

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// posted are the letters of a transaction that wait to be inserted by one
// statement.
type posted struct {
	ids                    []ID
	kinds, readers, stored []string
	now                    []time.Time
}

func (p *posted) add(id ID, w Words, stored string, now time.Time) {
	p.ids, p.kinds, p.readers = append(p.ids, id), append(p.kinds, w.kind()), append(p.readers, w.recipient())
	p.stored, p.now = append(p.stored, stored), append(p.now, now)
}

func (*posted) SQL() string {
	return `
		insert into letter (id, kind, recipient, words, state, created, since) overriding system value
		select p.id, p.kind, p.recipient, p.words::jsonb, 'queued', p.now, p.now
		from unnest(@ids::bigint[], @kinds::text[], @readers::text[], @stored::text[], @now::timestamptz[]) p (id, kind, recipient, words, now)`
}

func (p *posted) Args() pgx.NamedArgs {
	return pgx.NamedArgs{"ids": p.ids, "kinds": p.kinds, "readers": p.readers, "stored": p.stored, "now": p.now}
}

const (
	numbersAtOnce = 50
	// numbersFresh bounds how long numbers wait for their letters: a standby that
	// took over may not know yet that they were drawn.
	numbersFresh = time.Minute
)

// numbers are drawn from the sequence of letters in advance, so that a letter and
// its job are written without asking for its number. They grow with each letter
// of the process; those that are never used leave gaps.
type numbers struct {
	sync.Mutex
	free  []ID
	drawn time.Time
}

// next draws outside the lock: what the transaction keeps goes out before, and
// may wait for another that is about to ask.
func (n *numbers) next(ctx context.Context, tx pgx.Tx) (ID, error) {
	if id := n.take(nil); id != 0 {
		return id, nil
	}
	rows, err := tx.Query(ctx, `select nextval(pg_get_serial_sequence('letter', 'id')) from generate_series(1, $1::int)`, numbersAtOnce)
	if err != nil {
		return 0, err
	}
	block, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return 0, err
	}
	return n.take(block), nil
}

// take returns the next number, after it has put block in the place of lower
// ones; 0 if there is none.
func (n *numbers) take(block []ID) ID {
	n.Lock()
	defer n.Unlock()
	now := time.Now()
	if now.Sub(n.drawn) > numbersFresh {
		n.free = nil
	}
	if len(block) > 0 && (len(n.free) == 0 || block[0] > n.free[0]) {
		n.free, n.drawn = block, now
	}
	if len(n.free) == 0 {
		return 0
	}
	id := n.free[0]
	n.free = n.free[1:]
	return id
}
