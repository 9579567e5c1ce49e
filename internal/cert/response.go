package cert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// A response about a certificate is signed when it is issued, at once after its
// revocation, and whenever half of the response's life is over (S/MIME BR 4.9.10).
// It is given until a week after the certificate's end, as the lists are.
const (
	responseLife  = 24 * time.Hour
	responseEvery = responseLife / 2
	responseBatch = 500
	mostBatches   = 100 // in one run: what is left is done a minute later
)

// keepFirstResponse keeps the first response about the certificate n, of now. Where
// nobody is at hand to sign it, the job is to, and says what is wrong if there is more
// to it. About those of authorities outside nothing is said here.
func (b *Book) keepFirstResponse(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance) error {
	if b.Authority == nil || !slices.Contains(b.Authority.Responders(), i.Authority) {
		return nil
	}
	s := pki.Status{Serial: i.Certificate.Serial}
	if s.Revoked, _ = i.end(now); s.Revoked != nil {
		s.Reason = i.unwantedReason()
	}
	now = now.Truncate(time.Minute)
	args := pgx.NamedArgs{
		"id": n, "authority": i.Authority, "serial": s.Serial, "due": now, "sha1": nil, "sha256": nil, "this": nil, "next": nil, "revoked": false,
	}
	if a, err := b.Authority.SignStatus(i.Authority, s, now, now.Add(responseLife)); err == nil {
		args["sha1"], args["sha256"], args["this"], args["next"], args["due"] = a.SHA1, a.SHA256, now, now.Add(responseLife), now.Add(responseEvery)
		args["revoked"] = s.Revoked != nil
	}
	return postgres.Write(ctx, tx, `insert into ocsp_answer (certificate, authority, serial, sha1, sha256, revoked, this_update, next_update, due)
		values (@id, @authority, @serial, @sha1, @sha256, @revoked, @this, @next, @due)`, args)
}

// NoteMissingResponses puts every certificate that has no response yet in line for one:
// those from before there were responses, and those that an older version issued.
// So are responses an older version signed whose thisUpdate is not a whole minute
// (pki.Responder.Sign).
func (b *Book) NoteMissingResponses(ctx context.Context) error {
	if b.Authority == nil {
		return nil
	}
	now := b.Now()
	_, err := b.DB.Exec(ctx, `insert into ocsp_answer (certificate, authority, serial, due)
		select c.id, c.authority, c.serial, @now from certificate c
		where c.authority = any(@authorities) and not c.external and c.not_after > @ended and not exists (select from ocsp_answer a where a.certificate = c.id)
		on conflict do nothing`,
		pgx.NamedArgs{"authorities": b.Authority.Responders(), "now": now, "ended": now.Add(-listLife)})
	if err != nil {
		return fmt.Errorf("look for certificates without a response: %w", err)
	}
	_, err = b.DB.Exec(ctx, `update ocsp_answer set due = $1 where due > $1 and extract(second from this_update at time zone 'UTC') <> 0`, now)
	if err != nil {
		return fmt.Errorf("look for responses of an older version: %w", err)
	}
	return nil
}

// noteRevoked puts what was revoked in line for its new response, though a process
// of the version before did not in its transaction. What was revoked earlier has
// had its turn since.
func (b *Book) noteRevoked(ctx context.Context, authorities []string) error {
	now := b.Now()
	_, err := b.DB.Exec(ctx, `update ocsp_answer a set due = @now from certificate c
		where c.authority = any(@authorities) and c.revoked > @since and a.certificate = c.id and not a.revoked and a.due > @now`,
		pgx.NamedArgs{"authorities": authorities, "now": now, "since": now.Add(-responseLife)})
	if err != nil {
		return fmt.Errorf("look for revoked certificates: %w", err)
	}
	return nil
}

// RefreshResponses signs the responses whose turn it is. Many may do so at once.
func (b *Book) RefreshResponses(ctx context.Context) error {
	if b.Authority == nil {
		return nil
	}
	if err := b.Authority.RenewResponders(ctx); err != nil {
		return err
	}
	var failed []error // one authority keeps no other waiting
	for _, name := range b.Authority.Responders() {
		for range mostBatches {
			n, err := b.refreshSome(ctx, name)
			if err != nil {
				failed = append(failed, fmt.Errorf("response for %s: %w", name, err))
			}
			if err != nil || n < responseBatch {
				break
			}
		}
	}
	return errors.Join(failed...)
}

// refreshSome signs a batch and returns how many there were. What a certificate
// is, is read after its response is locked: a revocation that comes later finds
// the new response and puts it in line again.
func (b *Book) refreshSome(ctx context.Context, authority string) (n int, err error) {
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		rows, err := tx.Query(ctx, `select certificate from ocsp_answer where authority = $1 and due <= $2
			order by due limit $3 for update skip locked`, authority, now, responseBatch)
		if err != nil {
			return fmt.Errorf("lock responses: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
		if n = len(ids); err != nil || n == 0 {
			return err
		}
		rows, err = tx.Query(ctx, `select id, serial, not_after, revoked, coalesce(reason, 0) as reason from certificate where id = any($1)`, ids)
		if err != nil {
			return fmt.Errorf("read certificates: %w", err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[standing])
		if err != nil {
			return fmt.Errorf("read certificates: %w", err)
		}
		return b.sign(ctx, tx, authority, found, now.Truncate(time.Minute))
	})
	return n, err
}

// standing is what a response says of a certificate.
type standing struct {
	ID       ID
	Serial   []byte
	NotAfter time.Time
	Revoked  *time.Time
	Reason   pki.Reason
}

// sign keeps new responses about all, and forgets those whose time is over.
func (b *Book) sign(ctx context.Context, tx pgx.Tx, authority string, all []standing, now time.Time) error {
	var over, ids []ID
	var short, long [][]byte
	var revoked []bool
	for _, s := range all {
		if s.NotAfter.Before(now.Add(-listLife)) {
			over = append(over, s.ID)
			continue
		}
		a, err := b.Authority.SignStatus(authority, pki.Status{Serial: s.Serial, Revoked: s.Revoked, Reason: s.Reason}, now, now.Add(responseLife))
		if err != nil {
			return fmt.Errorf("certificate %d: %w", s.ID, err)
		}
		ids, short, long, revoked = append(ids, s.ID), append(short, a.SHA1), append(long, a.SHA256), append(revoked, s.Revoked != nil)
	}
	_, err := tx.Exec(ctx, `update ocsp_answer a
		set sha1 = x.sha1, sha256 = x.sha256, revoked = x.revoked, this_update = @now, next_update = @next, due = @due
		from unnest(@ids::bigint[], @short::bytea[], @long::bytea[], @revoked::boolean[]) x(id, sha1, sha256, revoked) where a.certificate = x.id`,
		pgx.NamedArgs{
			"ids": ids, "short": short, "long": long, "revoked": revoked, "now": now, "next": now.Add(responseLife), "due": now.Add(responseEvery),
		})
	if err != nil {
		return fmt.Errorf("keep responses: %w", err)
	}
	if _, err := tx.Exec(ctx, `delete from ocsp_answer where certificate = any($1)`, over); err != nil {
		return fmt.Errorf("forget responses: %w", err)
	}
	return nil
}

// Response is what is said about a certificate, signed before.
type Response struct {
	DER        []byte
	Tag        string // in quotes; other bytes have another
	ThisUpdate time.Time
	NextUpdate time.Time

	read time.Time
}

// Responses are kept in memory for a moment: long enough that a server asked by
// thousands asks Postgres once, short enough that nobody waits for a revocation
// to be seen.
const (
	responseKept  = 30 * time.Second
	mostResponses = 10_000
)

type responseKey struct {
	authority, serial string
	sha256            bool
}

// responses are those asked for lately. The zero value is empty.
type responses struct {
	mu   sync.RWMutex
	kept map[responseKey]Response
}

func (k *responses) find(key responseKey, now time.Time) (Response, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	a, ok := k.kept[key]
	return a, ok && now.Sub(a.read) < responseKept
}

func (k *responses) keep(key responseKey, a Response) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= mostResponses {
		k.kept = map[responseKey]Response{}
	}
	k.kept[key] = a
}

// Response returns what is said to q about a certificate of the authority. One
// that was never issued is missing; one whose response is not signed yet, or was
// not renewed in time, is unavailable.
func (b *Book) Response(ctx context.Context, authority string, q pki.Question) (Response, error) {
	key, now := responseKey{authority, string(q.Serial), q.SHA256}, b.Now()
	if a, ok := b.responses.find(key, now); ok && now.Before(a.NextUpdate) {
		return a, nil
	}
	var from, until *time.Time
	a := Response{read: now}
	err := b.DB.QueryRow(ctx, `select case when $3 then sha256 else sha1 end, this_update, next_update from ocsp_answer
		where authority = $1 and serial = $2`, authority, q.Serial, q.SHA256).Scan(&a.DER, &from, &until)
	if err != nil {
		return Response{}, postgres.Fault(err)
	}
	if from == nil || !now.Before(*until) {
		return Response{}, fault.New(fault.Unavailable, "").Because(fmt.Errorf("the response about %x of %s is overdue", q.Serial, authority))
	}
	digest := sha256.Sum256(a.DER)
	a.Tag, a.ThisUpdate, a.NextUpdate = `"`+hex.EncodeToString(digest[:16])+`"`, *from, *until
	b.responses.keep(key, a)
	return a, nil
}
