package signin

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/person"
)

// keyLogin is where the session holds the id of its row in login, keyEnded that
// it held one which has ended.
const (
	keyLogin = "login"
	keyEnded = "ended"
)

type visitKey struct{}

// visit is what Load found out about a request. It is part of the context
// because scs keeps its session there, too.
type visit struct {
	login int64 // 0: nobody is signed in
	actor person.Actor
	ended bool      // somebody was, in this session
	at    time.Time // of the proof of who it is; zero: unknown
	weak  bool      // an officer whose sign-in did not reach what it must
}

// Load gives next's requests their session and their actor. It writes a
// session only where something changed, and costs no query without a cookie
// and two with one, but for once a minute and at a refresh of claims. fail
// answers a request whose session cannot be read or written, which it may lack;
// nil means a bare 500 and a line in the log.
func (d *Desk) Load(fail func(http.ResponseWriter, *http.Request, error)) func(next http.Handler) http.Handler {
	if fail == nil {
		fail = d.fail
	}
	return func(next http.Handler) http.Handler { return d.load(next, fail) }
}

func (d *Desk) load(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	known := d.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := d.visit(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known.ServeHTTP(&shield{ResponseWriter: w, fail: fail}, r)
	})
}

// Actor is who acts; false when nobody is signed in. Any context will do.
func (d *Desk) Actor(ctx context.Context) (person.Actor, bool) {
	v := visiting(ctx)
	return v.actor, v.login != 0
}

// Ended tells whether nobody is signed in any more, but somebody was in this
// session, which ended by itself or from elsewhere.
func (d *Desk) Ended(ctx context.Context) bool { return visiting(ctx).ended }

// From is where a request comes from, as far as it can be believed.
func (d *Desk) From(r *http.Request) netip.Addr { return d.cfg.ClientIP(r) }

func visiting(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}

func (d *Desk) visit(r *http.Request) (visit, error) {
	ctx := r.Context()
	id := d.sessions.GetInt64(ctx, keyLogin)
	if id == 0 {
		return visit{ended: d.sessions.GetBool(ctx, keyEnded)}, nil
	}
	now := d.now()
	l, ok, err := d.login(ctx, id, now)
	if err != nil {
		return visit{}, err
	}
	if ok && l.Refreshable && now.Sub(l.Refreshed) >= d.cfg.RefreshEvery {
		if l, ok, err = d.refresh(ctx, l, now); err != nil {
			return visit{}, err
		}
	}
	if !ok {
		d.sessions.Remove(ctx, keyLogin)
		d.sessions.Put(ctx, keyEnded, true)
		return visit{ended: true}, nil
	}
	if now.Sub(l.Seen) >= seenEvery {
		_, err := d.db.Exec(ctx, `update login set seen = @now where id = @id and seen <= @before`,
			pgx.NamedArgs{"now": now, "id": l.ID, "before": now.Add(-seenEvery)})
		if err != nil {
			return visit{}, fmt.Errorf("note that login %d was seen: %w", l.ID, err)
		}
	}
	v := visit{login: l.ID, actor: d.actor(l, d.cfg.ClientIP(r)), weak: d.member(l) && !d.cfg.reached(l.ACR)}
	if l.AuthTime != nil {
		v.at = *l.AuthTime
	}
	return v, nil
}

// seenEvery keeps a busy browser from writing at each request.
const seenEvery = time.Minute

// current is a login that counts, with its account.
type current struct {
	ID            int64
	Account       person.ID
	Seen          time.Time
	Refreshed     time.Time
	Refreshable   bool
	Subject       string
	Label         string
	VerifiedEmail string
	Groups        []string
	AuthTime      *time.Time
	ACR           string
}

// counts is the condition under which a login l of account a counts.
const counts = `l.ended is null and l.seen > @idle and l.started > @absolute and l.started >= a.void_before
	and a.locked is null and a.issuer = @issuer`

func (d *Desk) limits(now time.Time) pgx.NamedArgs {
	return pgx.NamedArgs{"idle": now.Add(-d.cfg.Idle), "absolute": now.Add(-d.cfg.Absolute), "issuer": d.cfg.Issuer}
}

func (d *Desk) login(ctx context.Context, id int64, now time.Time) (current, bool, error) {
	args := d.limits(now)
	args["id"] = id
	rows, err := d.db.Query(ctx, `
		select l.id, l.account, l.seen, l.refreshed, l.refresh is not null as refreshable,
			a.subject, a.label, a.verified_email, a.groups, l.auth_time, coalesce(l.acr, '') as acr
		from login l join account a on a.id = l.account
		where l.id = @id and `+counts, args)
	if err != nil {
		return current{}, false, fmt.Errorf("read login %d: %w", id, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[current])
	if err != nil {
		return current{}, false, fmt.Errorf("read login %d: %w", id, err)
	}
	if len(found) == 0 {
		return current{}, false, nil
	}
	return found[0], true, nil
}

func (d *Desk) actor(l current, from netip.Addr) person.Actor {
	return person.Actor{
		Account: l.Account, Groups: l.Groups, From: from,
		Name: l.Label, Email: l.VerifiedEmail,
		Officer: d.member(l) && d.cfg.reached(l.ACR),
	}
}

// member tells whether l is of somebody whom the provider calls an officer.
func (d *Desk) member(l current) bool {
	return d.cfg.RAGroup != "" && slices.Contains(l.Groups, d.cfg.RAGroup)
}

// shield keeps what a handler goes on to write out of the answer that fail
// gave when the session could not be saved: scs saves at the first write.
type shield struct {
	http.ResponseWriter
	fail   func(http.ResponseWriter, *http.Request, error)
	closed bool
}

func (s *shield) WriteHeader(code int) {
	if !s.closed {
		s.ResponseWriter.WriteHeader(code)
	}
}

func (s *shield) Write(b []byte) (int, error) {
	if s.closed {
		return len(b), nil
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (s *shield) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// broken is scs's way to say that it could not read or write the session.
func (d *Desk) broken(w http.ResponseWriter, r *http.Request, err error) {
	for _, name := range []string{"Location", "Content-Length", "Content-Encoding", "ETag"} {
		w.Header().Del(name)
	}
	s, ok := w.(*shield)
	if !ok {
		d.fail(w, r, fmt.Errorf("keep session: %w", err))
		return
	}
	s.fail(s.ResponseWriter, r, fmt.Errorf("keep session: %w", err))
	s.closed = true
}
