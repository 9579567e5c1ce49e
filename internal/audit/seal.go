package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// Book seals the record, watches it and tells others how far it is.
type Book struct {
	DB     *postgres.DB
	Sealer *postgres.Sealer // keeps the key that signs
	Now    func() time.Time
	Log    *slog.Logger
	// Tell takes a seal that is new out of the database once an hour, besides the
	// log, and says each hour that the record is broken.
	Tell func(context.Context, pgx.Tx, Telling) error

	mu   sync.Mutex
	seen Anchor            // the newest seal this process knows of
	key  ed25519.PublicKey // and by which key
}

const (
	// sealBatch bounds the lines sealed in one transaction.
	sealBatch = 5000
	// Longest is more than any transaction takes from what it calls now to its
	// commit: a line that says it is older than that was not there when sealing last
	// looked, and should have been.
	Longest = time.Hour
	// keyPurpose is what the private key is sealed for.
	keyPurpose = "audit.key"
)

// watch is the one row of what is known of the record.
type watch struct {
	Ran    *time.Time // when sealing last looked
	Seq    int64      // checked up to here
	Hash   []byte
	Line   int64
	At     *time.Time // when
	Whole  *time.Time // when from the beginning
	Kind   string     // of the break that was found, "" for none
	AtSeq  int64      // where
	AtLine int64
	Since  *time.Time // since when
}

const watchColumns = `ran, seq, hash, line, at, whole, kind, at_seq, at_line, since`

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func watched(ctx context.Context, db querier) (watch, error) {
	rows, err := db.Query(ctx, `select `+watchColumns+` from audit_watch`)
	if err != nil {
		return watch{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[watch])
}

// Seal chains the committed lines that wait, in the order of their ids, signs the
// last seal, and returns how many. Two processes sealing at once take turns. A line
// that came to wait too late stays, for somebody to look at, and nothing is built
// on an end that this process knows to be another, or that the key did not sign.
func (b *Book) Seal(ctx context.Context) (int, error) {
	now := b.Now()
	var n int
	var end Anchor
	var key ed25519.PublicKey
	err := b.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
		n, end, key = 0, Anchor{}, nil
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('audit.seal'))`); err != nil {
			return err
		}
		if end, key, err = b.end(ctx, tx); err != nil {
			return err
		}
		lines, err := b.waiting(ctx, tx, now)
		if err != nil || len(lines) == 0 {
			return err
		}
		signs, err := b.signer(ctx, tx, now, end.Seq+1)
		if err != nil {
			return err
		}
		n, key = len(lines), signs.Public().(ed25519.PublicKey)
		end, err = store(ctx, tx, signs, end, lines)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("seal audit lines: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if end.Seq > b.seen.Seq {
		b.seen = end
	}
	if key != nil {
		b.key = key
	}
	return n, nil
}

// end is the newest seal, if it is one to build on, and the key.
func (b *Book) end(ctx context.Context, tx pgx.Tx) (a Anchor, public ed25519.PublicKey, err error) {
	var signature []byte
	var first int64
	err = tx.QueryRow(ctx, `select coalesce(s.seq, 0), s.hash, s.signature, k.public, coalesce(k.first, 0)
		from (select) one left join (select * from audit_seal order by seq desc limit 1) s on true left join audit_key k on true`).
		Scan(&a.Seq, &a.Hash, &signature, (*[]byte)(&public), &first)
	if err != nil {
		return a, nil, err
	}
	b.mu.Lock()
	seen, key := b.seen, b.key
	b.mu.Unlock()
	switch {
	case key != nil && !bytes.Equal(key, public):
		return a, nil, &Break{Kind: OtherKey}
	case a.Seq < seen.Seq || first > a.Seq:
		return a, nil, &Break{Kind: Cut, Seq: a.Seq + 1}
	case first > 0 && signature == nil:
		return a, nil, &Break{Kind: Unsigned, Seq: a.Seq}
	case first > 0 && !ed25519.Verify(public, a.signed(), signature):
		return a, nil, &Break{Kind: Forged, Seq: a.Seq}
	case seen.Seq == 0:
		return a, public, nil
	}
	var was []byte
	err = tx.QueryRow(ctx, `select hash from audit_seal where seq = $1`, seen.Seq).Scan(&was)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return a, nil, &Break{Kind: Gap, Seq: seen.Seq}
	case err == nil && !bytes.Equal(was, seen.Hash):
		return a, nil, &Break{Kind: Rewritten, Seq: seen.Seq}
	}
	return a, public, err
}

// waiting are the lines to seal next. What is late is late by when sealing last
// looked, not by now: after a day without the portal its last lines are sealed.
func (b *Book) waiting(ctx context.Context, tx pgx.Tx, now time.Time) ([]chained, error) {
	rows, err := tx.Query(ctx, `select `+chainedColumns+`
		from audit_waiting w join audit_line l on l.id = w.line cross join audit_watch x
		where (x.ran is null or l.at >= x.ran - make_interval(secs => $2)) and not exists (select from audit_seal s where s.line = l.id)
		order by l.id limit $1`, sealBatch, Longest.Seconds())
	if err != nil {
		return nil, err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[chained])
	if err != nil || len(lines) == sealBatch { // it looks again at once, and some of these may be old
		return lines, err
	}
	_, err = tx.Exec(ctx, `update audit_watch set ran = $1::timestamptz where ran is null or ran < $1::timestamptz - interval '1 minute'`, now)
	return lines, err
}

// signer is the key that signs, made before the first seal that it is for.
func (b *Book) signer(ctx context.Context, tx pgx.Tx, now time.Time, first int64) (ed25519.PrivateKey, error) {
	var public, sealed []byte
	err := tx.QueryRow(ctx, `select public, sealed from audit_key`).Scan(&public, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		seals, err := b.Sealer.Key(ctx, tx)
		if err != nil {
			return nil, err
		}
		seed := make([]byte, ed25519.SeedSize)
		rand.Read(seed)
		key := ed25519.NewKeyFromSeed(seed)
		_, err = tx.Exec(ctx, `insert into audit_key (public, sealed, first, since) values ($1, $2, $3, $4)`,
			[]byte(key.Public().(ed25519.PublicKey)), seals.Seal(seed, keyPurpose), first, now)
		return key, err
	}
	if err != nil {
		return nil, err
	}
	return unsealed(b.Sealer, public, sealed)
}

// unsealed is the private key, if it is the one of public.
func unsealed(sealer *postgres.Sealer, public, sealed []byte) (ed25519.PrivateKey, error) {
	seed, err := sealer.Open(sealed, keyPurpose)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.Join(&Break{Kind: OtherKey}, err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	if !bytes.Equal(key.Public().(ed25519.PublicKey), public) {
		return nil, &Break{Kind: OtherKey}
	}
	return key, nil
}

func store(ctx context.Context, tx pgx.Tx, signs ed25519.PrivateKey, end Anchor, lines []chained) (Anchor, error) {
	ids := make([]int64, len(lines))
	seals := make([][]any, len(lines))
	for i, c := range lines {
		end = Anchor{end.Seq + 1, next(end.Hash, end.Seq+1, c)}
		ids[i], seals[i] = c.ID, []any{end.Seq, c.ID, end.Hash, nil}
	}
	seals[len(seals)-1][3] = ed25519.Sign(signs, end.signed())
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audit_seal"}, []string{"seq", "line", "hash", "signature"}, pgx.CopyFromRows(seals)); err != nil {
		return end, err
	}
	_, err := tx.Exec(ctx, `delete from audit_waiting where line = any($1)`, ids)
	return end, err
}
