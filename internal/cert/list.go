package cert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// Revocation lists are signed anew every day and at once after a revocation;
// each says that the next comes within a week.
const (
	listEvery = 24 * time.Hour
	listLife  = 7 * 24 * time.Hour
)

type listArgs struct {
	Authority string `json:"authority"`
}

func (listArgs) Kind() string { return "cert_list" }

type dailyArgs struct{}

func (dailyArgs) Kind() string { return "cert_daily" }

type responsesArgs struct{}

// Kind says answers, as the table does: jobs of the version before are queued under it.
func (responsesArgs) Kind() string { return "cert_answers" }

// Jobs registers what happens to certificates by itself and returns when: every
// minute phases turn, and it looks for revocations that are on no list, for lists
// older than a day, so that a missed day is caught up, and for responses whose turn
// it is; every hour for certificates without a response, and for reminders and
// digests, so that what a night missed is caught up.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, j *river.Job[listArgs]) error {
		return b.Announce(ctx, j.Args.Authority)
	}))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[dailyArgs]) error {
		return b.NoteMissingResponses(ctx)
	}))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[responsesArgs]) error { return b.AnnounceAll(ctx) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[phaseArgs]) error { return b.TurnPhases(ctx) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[remindArgs]) error { return b.Remind(ctx) }))
	return []queue.Task{
		queue.Every(time.Hour, remindArgs{}), queue.Every(time.Minute, phaseArgs{}),
		queue.Every(time.Hour, dailyArgs{}), queue.Every(time.Minute, responsesArgs{}),
	}
}

// toAnnounce makes the response about a certificate that tx revokes due, and has
// its authority's list signed. Whatever becomes of that job, AnnounceAll finds
// both.
func (b *Book) toAnnounce(ctx context.Context, tx pgx.Tx, now time.Time, id ID, authority string) error {
	if _, err := tx.Exec(ctx, `update ocsp_answer set due = $2 where certificate = $1`, id, now); err != nil {
		return fmt.Errorf("make the response about certificate %d due: %w", id, err)
	}
	return b.Queue.Insert(ctx, tx, listArgs{Authority: authority})
}

// AnnounceAll signs what is due of all authorities: responses, lists that do not
// name all that was revoked, and lists that are old.
func (b *Book) AnnounceAll(ctx context.Context) error {
	if b.Authority == nil {
		return nil
	}
	return errors.Join(b.Announce(ctx, b.Authority.Names()...), b.SignOldLists(ctx))
}

// Announce tells the world what the authorities revoked: by new responses, and by
// a new list unless the newest one names all of it. So a thousand revocations at
// once make a few lists and not a thousand. A list does not wait for responses that
// fail.
func (b *Book) Announce(ctx context.Context, authorities ...string) error {
	failed := []error{b.noteRevoked(ctx, authorities), b.RefreshResponses(ctx)}
	for _, a := range authorities {
		failed = append(failed, b.signMissing(ctx, a))
	}
	return errors.Join(failed...)
}

// signMissing signs the next list unless the newest one names everything.
func (b *Book) signMissing(ctx context.Context, authority string) error {
	return b.signList(ctx, authority, func(tx pgx.Tx) (named bool, err error) {
		// Nothing revoked is ever valid again, and keyCompromise stays, so as many are the same ones.
		err = tx.QueryRow(ctx, `select coalesce((select (l.entries, l.compromised) = (select count(*), count(*) filter (where c.reason = 1) from certificate c
				where c.authority = l.authority and not c.external and c.revoked is not null and c.not_after > l.this_update - @kept::interval)
			from revocation_list l where l.authority = @authority order by l.number desc limit 1), false)`,
			pgx.NamedArgs{"authority": authority, "kept": listLife}).Scan(&named)
		return named, err
	})
}

// SignOldLists signs the lists that are older than a day, and takes over the list
// of a root whose key is elsewhere.
func (b *Book) SignOldLists(ctx context.Context) error {
	if b.Authority == nil {
		return nil
	}
	now := b.Now()
	failed := []error{b.takeRootList(ctx)} // one authority keeps no other waiting
	for _, name := range b.Authority.Names() {
		newest, err := b.Newest(ctx, name)
		if fault.Is(err, fault.Missing) || err == nil && !newest.ThisUpdate.After(now.Add(-listEvery)) {
			err = b.SignList(ctx, name)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// root is the name of the authority above all others.
const root = "root"

func (b *Book) takeRootList(ctx context.Context) error {
	l, kept, err := b.Authority.RootCRL(ctx)
	if err != nil || !kept {
		return err
	}
	newest, err := b.Newest(ctx, root)
	if err != nil && !fault.Is(err, fault.Missing) || newest.Number >= l.Number {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error { return keep(ctx, tx, root, l, nil) })
}

// SignList signs the next list of the authority (RFC 5280, 5.2.3: its number
// rises strictly). Certificates leave it a week after their end.
func (b *Book) SignList(ctx context.Context, authority string) error {
	return b.signList(ctx, authority, func(pgx.Tx) (bool, error) { return false, nil })
}

func (b *Book) signList(ctx context.Context, authority string, needless func(pgx.Tx) (bool, error)) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('cert.list'), hashtext($1))`, authority); err != nil {
			return fmt.Errorf("lock list: %w", err)
		}
		if done, err := needless(tx); err != nil || done {
			return err
		}
		now := b.Now()
		revoked, err := revocations(ctx, tx, authority, now)
		if err != nil {
			return fmt.Errorf("read revocations: %w", err)
		}
		var number int64
		if err := tx.QueryRow(ctx, `select coalesce(max(number), 0) + 1 from revocation_list where authority = $1`, authority).Scan(&number); err != nil {
			return fmt.Errorf("number list: %w", err)
		}
		l, err := b.Authority.SignCRL(ctx, authority, number, revoked, now, now.Add(listLife))
		if err != nil {
			return fmt.Errorf("sign list of %s: %w", authority, err)
		}
		return keep(ctx, tx, authority, l, revoked)
	})
}

// revocations are the entries of a list that is signed at now. Lists can be
// long, so the rows are not read by the names of their columns.
func revocations(ctx context.Context, tx pgx.Tx, authority string, now time.Time) (all []pki.Revocation, err error) {
	rows, err := tx.Query(ctx, `select serial, revoked, reason from certificate
		where authority = $1 and not external and revoked is not null and not_after > $2`, authority, now.Add(-listLife))
	if err != nil {
		return nil, err
	}
	var r pki.Revocation
	_, err = pgx.ForEachRow(rows, []any{&r.Serial, &r.At, &r.Reason}, func() error {
		all = append(all, r)
		return nil
	})
	return all, err
}

// keep stores a list, unless another process has, and forgets those whose time is long over.
func keep(ctx context.Context, tx pgx.Tx, authority string, l pki.CRL, entries []pki.Revocation) error {
	compromised := 0
	for _, r := range entries {
		if r.Reason == pki.KeyCompromise {
			compromised++
		}
	}
	_, err := tx.Exec(ctx, `insert into revocation_list (authority, number, der, this_update, next_update, entries, compromised)
		values (@authority, @number, @der, @this, @next, @entries, @compromised) on conflict (authority, number) do nothing`, pgx.NamedArgs{
		"authority": authority, "number": l.Number, "der": l.DER, "this": l.ThisUpdate, "next": l.NextUpdate, "entries": len(entries), "compromised": compromised,
	})
	if err != nil {
		return fmt.Errorf("keep list: %w", err)
	}
	if _, err := tx.Exec(ctx, `delete from revocation_list where authority = $1 and next_update < $2`, authority, l.ThisUpdate.Add(-listLife)); err != nil {
		return fmt.Errorf("forget old lists: %w", err)
	}
	return nil
}

// List is the newest revocation list of an authority.
type List struct {
	Number     int64
	DER        []byte
	ThisUpdate time.Time
	NextUpdate time.Time
	Entries    int
}

// Newest returns the list to serve; an authority without one is missing.
func (b *Book) Newest(ctx context.Context, authority string) (List, error) {
	rows, err := b.DB.Query(ctx, `select number, der, this_update, next_update, entries from revocation_list
		where authority = $1 order by number desc limit 1`, authority)
	if err != nil {
		return List{}, fmt.Errorf("read list: %w", err)
	}
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[List])
	return l, postgres.Fault(err)
}
