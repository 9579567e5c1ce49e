package audit

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// Watched is what the hourly check knows of the record.
type Watched struct {
	Seq    int64      // checked up to this seal
	At     *time.Time // when; nil: never yet
	Broken *Break     // nil: whole, as far as it was checked
	Since  time.Time  // since when it is known to be broken
}

// Watch returns it.
func Watch(ctx context.Context, db *postgres.DB) (Watched, error) {
	w, err := watched(ctx, db)
	if err != nil {
		return Watched{}, fmt.Errorf("read how far the audit record is checked: %w", err)
	}
	x := Watched{Seq: w.Seq, At: w.At}
	if w.Kind != "" {
		x.Broken, x.Since = &Break{Kind: Kind(w.Kind), Seq: w.AtSeq, Line: w.AtLine}, *w.Since
	}
	return x, nil
}

// Telling is what leaves the database.
type Telling struct {
	End    Anchor
	Key    string // the public key, in base64
	At     time.Time
	Broken *Break // nil: whole
}

// Hash is the hash of the newest seal, in hex, as verify wants it.
func (t Telling) Hash() string { return hex.EncodeToString(t.End.Hash) }

const (
	// wholeEvery is how often everything is checked again, not only what is new.
	wholeEvery = 24 * time.Hour
	// lineBack is how many ids below the last one a check looks again: a transaction
	// that was open has its lines below those of shorter ones.
	lineBack = 100_000
	// checkTime is enough for tens of millions of lines.
	checkTime = 30 * time.Minute
)

// Check verifies what is new since the last check, once a day all, remembers how
// far it came or where it is broken, and tells the newest seal to whom is outside.
// What was found broken stays so until all of it is whole.
func (b *Book) Check(ctx context.Context) (Telling, error) {
	w, err := watched(ctx, b.DB)
	if err != nil {
		return Telling{}, fmt.Errorf("check the audit record: %w", err)
	}
	now := b.Now()
	from := w
	whole := w.Kind != "" || w.Whole == nil || now.Sub(*w.Whole) >= wholeEvery
	if whole {
		from = watch{}
	}
	from.Line = max(0, from.Line-lineBack)
	r, line, err := verify(ctx, b.DB, b.expected(), from)
	t := Telling{End: r.End, Key: base64.StdEncoding.EncodeToString(r.Key), At: now}
	if broken, ok := errors.AsType[*Break](err); ok {
		t.Broken = broken
		_, err = b.DB.Exec(ctx, `update audit_watch set since = case when kind = '' then $1 else since end, kind = $2, at_seq = $3, at_line = $4`,
			now, string(broken.Kind), broken.Seq, broken.Line)
	} else if err == nil {
		_, err = b.DB.Exec(ctx, `update audit_watch set seq = $1, hash = coalesce($2::bytea, ''), line = $3, at = $4, whole = case when $5 then $4 else whole end,
			kind = '', at_seq = 0, at_line = 0, since = null`, r.End.Seq, r.End.Hash, line, now, whole)
	}
	if err != nil {
		return t, fmt.Errorf("check the audit record: %w", err)
	}
	return t, nil
}

// expected is what this process knows of the record.
func (b *Book) expected() Expected {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := Expected{Key: b.key, Sealer: b.Sealer}
	if b.seen.Seq > 0 {
		seen := b.seen
		x.Anchor = &seen
	}
	return x
}

// tell lets the newest seal leave the database.
func (b *Book) tell(ctx context.Context, t Telling) error {
	if t.Broken != nil {
		b.Log.ErrorContext(ctx, "the audit record is broken", "seal", t.Broken.Seq, "line", t.Broken.Line, "why", t.Broken.words())
	} else if t.End.Seq > 0 {
		b.Log.InfoContext(ctx, "the audit record is whole", "seal", t.End.Seq, "hash", t.Hash(), "key", t.Key)
	}
	if t.End.Seq == 0 && t.Broken == nil {
		return nil
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		var told int64
		if err := tx.QueryRow(ctx, `select told from audit_watch for update`).Scan(&told); err != nil || t.Broken == nil && told == t.End.Seq {
			return err
		}
		if _, err := tx.Exec(ctx, `update audit_watch set told = $1`, t.End.Seq); err != nil {
			return err
		}
		return b.Tell(ctx, tx, t)
	})
}

type sealArgs struct{}

func (sealArgs) Kind() string { return "audit_seal" }

type checkArgs struct{}

func (checkArgs) Kind() string           { return "audit_check" }
func (checkArgs) MayTake() time.Duration { return checkTime }

type checker struct {
	river.WorkerDefaults[checkArgs]
	book *Book
}

func (*checker) Timeout(*river.Job[checkArgs]) time.Duration { return checkTime }

func (c *checker) Work(ctx context.Context, _ *river.Job[checkArgs]) error {
	t, err := c.book.Check(ctx)
	if err != nil {
		return err
	}
	return c.book.tell(ctx, t)
}

// Jobs registers sealing and checking and returns when they run: every five
// seconds, every hour.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[sealArgs]) error {
		for {
			n, err := b.Seal(ctx)
			if err != nil || n < sealBatch {
				return err
			}
		}
	}))
	river.AddWorker(w, &checker{book: b})
	return []queue.Task{queue.Every(5*time.Second, sealArgs{}), queue.Every(time.Hour, checkArgs{})}
}
