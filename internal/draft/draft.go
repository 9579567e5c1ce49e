// Package draft keeps forms that were filled in and have not done anything yet,
// so that a change of language, the end of a session or a way back in the browser
// loses nothing typed. It decides how many there are and how long, and for whom:
// each is for one account, under a token of which only the hash is kept. It never
// looks into a form; what must not be kept is told apart where it comes in.
package draft

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

const (
	// MostBytes bounds a form, MostUnsigned one of somebody who is not signed in.
	MostBytes    = 256 << 10
	MostUnsigned = 64 << 10

	most         = 50   // of an account; the oldest go
	mostUnsigned = 500  // of all who are not signed in
	longestPath  = 2000 // bytes; far above any address of a form

	life         = 24 * time.Hour
	lifeUnsigned = time.Hour
	tidyEvery    = 10 * time.Minute
)

var (
	// ErrFull is that too much was left behind by people who are not signed in.
	ErrFull = fault.New(fault.TooMany, "kept.full")
	// ErrGone is that there is no such form, or not for this account.
	ErrGone = fault.New(fault.Missing, "kept.gone")
	// ErrForeign is that a form which was left in this browser is for another account.
	ErrForeign = fault.New(fault.Denied, "kept.foreign")
)

// Form is what somebody filled in.
type Form struct {
	Path string // that it is sent to, with its query
	Page string // that it stands on
	Kind string // its Content-Type
	Body []byte
	Sent bool // to be done; not only to be shown again
	// Refused is why it was not done, where that was found only when it was to be
	// written; nil for anything else.
	Refused *fault.Fault
}

// Book keeps drafts.
type Book struct {
	DB  *postgres.DB
	Now func() time.Time
}

// Keep keeps f for account, for a day, and returns its token. Of more than 50 the
// oldest go.
func (b *Book) Keep(ctx context.Context, account person.ID, f Form) (token string, err error) {
	token, args, err := b.args(account, f)
	if err != nil {
		return "", err
	}
	args["most"] = most - 1
	_, err = b.DB.Exec(ctx, `with old as (
			delete from draft where token in (
				select token from draft where account = @account and signed_in order by made desc offset @most)
		)
		insert into draft (token, account, signed_in, path, page, kind, body, sent, refused, made)
		values (@token, @account, true, @path, @page, @kind, @body, @sent, @refused, @now)`, args)
	if err != nil {
		return "", fmt.Errorf("keep form: %w", err)
	}
	return token, nil
}

// Leave keeps f of somebody whose session is over for account, which whoever
// signs in then must be, for an hour. All such forms are at most 500, of 64 KiB:
// ErrFull.
func (b *Book) Leave(ctx context.Context, account person.ID, f Form) (token string, err error) {
	if len(f.Body) > MostUnsigned {
		return "", ErrFull
	}
	token, args, err := b.args(account, f)
	if err != nil {
		return "", err
	}
	args["most"] = mostUnsigned
	tag, err := b.DB.Exec(ctx, `insert into draft (token, account, signed_in, path, page, kind, body, sent, refused, made)
		select @token, a.id, false, @path, @page, @kind, @body, @sent, @refused, @now from account a
		where a.id = @account and (select count(*) from draft where not signed_in) < @most`, args)
	if err != nil {
		return "", fmt.Errorf("leave form: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return "", ErrFull
	}
	return token, nil
}

func (b *Book) args(account person.ID, f Form) (token string, args pgx.NamedArgs, err error) {
	if len(f.Body) > MostBytes || len(f.Path) > longestPath || len(f.Page) > longestPath {
		return "", nil, fault.New(fault.TooLarge, "problem.large")
	}
	why, err := written(f.Refused)
	if err != nil {
		return "", nil, err
	}
	body := f.Body
	if body == nil {
		body = []byte{}
	}
	token = rand.Text() + rand.Text()
	return token, pgx.NamedArgs{
		"token": Hash(token), "account": account, "path": f.Path, "page": f.Page, "kind": f.Kind, "body": body,
		"sent": f.Sent, "refused": why, "now": b.Now(),
	}, nil
}

// Hash is what is kept of a token.
func Hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// Open returns the form of account under token. One that was left by somebody who
// was not signed in opens only where left knows its hash: in the browser that
// left it, where others hear that it is not theirs: ErrForeign. ErrGone for
// everything else.
func (b *Book) Open(ctx context.Context, account person.ID, token string, left func(hash []byte) bool) (Form, error) {
	now, hash := b.Now(), Hash(token)
	var f Form
	var signedIn bool
	var owner person.ID
	var why []byte
	err := b.DB.QueryRow(ctx, `select path, page, kind, body, sent, refused, signed_in, account from draft
		where token = @token and made > case when signed_in then @old::timestamptz else @older::timestamptz end`,
		pgx.NamedArgs{"token": hash, "old": now.Add(-life), "older": now.Add(-lifeUnsigned)}).
		Scan(&f.Path, &f.Page, &f.Kind, &f.Body, &f.Sent, &why, &signedIn, &owner)
	if err := postgres.Fault(err); fault.Is(err, fault.Missing) {
		return Form{}, ErrGone
	} else if err != nil {
		return Form{}, fmt.Errorf("open form: %w", err)
	}
	switch here := !signedIn && left(hash); {
	case owner != account && here:
		return Form{}, ErrForeign
	case owner != account, !signedIn && !here:
		return Form{}, ErrGone
	}
	f.Refused, err = read(why)
	return f, err
}

type tidyArgs struct{}

// Kind names the job.
func (tidyArgs) Kind() string { return "draft_tidy" }

// InsertOpts gives up early: the next one comes in minutes.
func (tidyArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 3} }

// Jobs adds this room's worker to w and returns what runs by the clock.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tidyArgs]) error { return b.Tidy(ctx) }))
	return []queue.Task{queue.Every(tidyEvery, tidyArgs{})}
}

// Tidy forgets what is too old. It may run any number of times.
func (b *Book) Tidy(ctx context.Context) error {
	now := b.Now()
	_, err := b.DB.Exec(ctx, `delete from draft where made <= @old or made <= @older and not signed_in`,
		pgx.NamedArgs{"old": now.Add(-life), "older": now.Add(-lifeUnsigned)})
	if err != nil {
		return fmt.Errorf("forget forms: %w", err)
	}
	return nil
}
