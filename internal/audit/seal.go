package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// ErrBroken says that a line was altered, removed or slipped in after sealing.
var ErrBroken = errors.New("the audit chain is broken")

// sealBatch bounds the lines sealed in one transaction.
const sealBatch = 5000

// chained is what a seal covers of a line. about is "kind:id" in order.
type chained struct {
	ID      int64
	At      time.Time
	Account *int64
	Token   *int64
	Origin  *netip.Addr
	Action  string
	Digest  []byte
	About   []string
}

const chainedColumns = `l.id, l.at, l.account, l.token, l.origin, l.action, l.digest,
	array(select a.kind || ':' || a.id from audit_about a where a.line = l.id order by a.kind collate "C", a.id) as about`

// next is the hash of line c as number seq after the line with hash prev:
// SHA-256 over the fields, each with its length before it.
func next(prev []byte, seq int64, c chained) []byte {
	h := sha256.New()
	put(h, prev)
	put(h, fmt.Append(nil, seq, c.ID, c.At.UnixMicro(), value(c.Account), value(c.Token)))
	origin := ""
	if c.Origin != nil {
		origin = c.Origin.String()
	}
	put(h, []byte(origin))
	put(h, []byte(c.Action))
	put(h, c.Digest)
	for _, a := range c.About {
		put(h, []byte(a))
	}
	return h.Sum(nil)
}

func put(h hash.Hash, b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	h.Write(n[:])
	h.Write(b)
}

func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// Seal chains the committed lines that wait, in the order of their ids, and
// returns how many. Two processes sealing at once take turns.
func Seal(ctx context.Context, db *postgres.DB) (int, error) {
	n := 0
	err := db.Tx(ctx, func(tx pgx.Tx) error {
		n = 0
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('audit.seal'))`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select `+chainedColumns+`
			from audit_unsealed u join audit_line l on l.id = u.line order by l.id limit $1`, sealBatch)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[chained])
		if err != nil || len(lines) == 0 {
			return err
		}
		var seq int64
		var prev []byte
		err = tx.QueryRow(ctx, `select seq, hash from audit_seal order by seq desc limit 1`).Scan(&seq, &prev)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		n = len(lines)
		return store(ctx, tx, seq, prev, lines)
	})
	if err != nil {
		return 0, fmt.Errorf("seal audit lines: %w", err)
	}
	return n, nil
}

func store(ctx context.Context, tx pgx.Tx, seq int64, prev []byte, lines []chained) error {
	ids := make([]int64, len(lines))
	seals := make([][]any, len(lines))
	for i, c := range lines {
		seq++
		prev = next(prev, seq, c)
		ids[i], seals[i] = c.ID, []any{seq, c.ID, prev}
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audit_seal"}, []string{"seq", "line", "hash"}, pgx.CopyFromRows(seals)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `delete from audit_unsealed where line = any($1)`, ids)
	return err
}

// Verify walks the whole chain and returns how many lines it holds; ErrBroken
// names the first one that does not fit. That lines were cut off together with
// their seals at the end shows only in the number.
func Verify(ctx context.Context, db *postgres.DB) (int64, error) {
	n, err := walk(ctx, db)
	if err == nil {
		err = strays(ctx, db)
	}
	if err != nil {
		return n, fmt.Errorf("verify audit chain: %w", err)
	}
	return n, nil
}

// strays looks for lines that neither have a seal nor wait for one.
func strays(ctx context.Context, db *postgres.DB) error {
	var line *int64
	err := db.QueryRow(ctx, `select min(l.id) from audit_line l
		where not exists (select from audit_seal s where s.line = l.id) and not exists (select from audit_unsealed u where u.line = l.id)`).Scan(&line)
	if err == nil && line != nil {
		return fmt.Errorf("%w: line %d slipped in", ErrBroken, *line)
	}
	return err
}

func walk(ctx context.Context, db *postgres.DB) (int64, error) {
	rows, err := db.Query(ctx, `select s.seq, s.hash, l.line is null or l.detail is not null
			and sha256(l.salt || convert_to(l.detail::text, 'UTF8')) is distinct from l.digest as altered,
			s.line, coalesce(l.at, 'epoch'), l.account, l.token, l.origin, coalesce(l.action, ''), l.digest, l.about
		from audit_seal s left join lateral (select l.id as line, l.detail, l.salt, `+chainedColumns+`
			from audit_line l where l.id = s.line) l on true
		order by s.seq`)
	if err != nil {
		return 0, fmt.Errorf("read audit chain: %w", err)
	}
	var n int64
	var prev []byte
	var s struct {
		Seq     int64
		Hash    []byte
		Altered bool
		chained
	}
	c := &s.chained
	_, err = pgx.ForEachRow(rows, []any{&s.Seq, &s.Hash, &s.Altered, &c.ID, &c.At, &c.Account, &c.Token, &c.Origin, &c.Action, &c.Digest, &c.About}, func() error {
		n++
		prev = next(prev, n, s.chained)
		if s.Seq != n || s.Altered || !bytes.Equal(prev, s.Hash) {
			return fmt.Errorf("%w at seal %d, line %d", ErrBroken, s.Seq, s.ID)
		}
		prev = bytes.Clone(s.Hash)
		return nil
	})
	return n, err
}

type sealArgs struct{}

func (sealArgs) Kind() string { return "audit_seal" }

// Jobs registers the sealing and returns when it runs: every five seconds.
func Jobs(w *river.Workers, db *postgres.DB) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[sealArgs]) error {
		for {
			n, err := Seal(ctx, db)
			if err != nil || n < sealBatch {
				return err
			}
		}
	}))
	return []queue.Task{queue.Every(5*time.Second, sealArgs{})}
}
