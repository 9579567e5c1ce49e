package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/oauth2"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/text"
)

// Begin sends the browser to the provider; afterwards Finish returns next, or
// "/" when it is no path of ours. It fails with ErrBraked, and with Unavailable
// when the provider cannot be reached.
func (d *Desk) Begin(w http.ResponseWriter, r *http.Request, next string) error {
	return d.begin(w, r, attempt{Next: OwnPath(next)})
}

func (d *Desk) begin(w http.ResponseWriter, r *http.Request, a attempt) (err error) {
	defer func() { d.count(err) }()
	ctx := r.Context()
	now := d.now()
	if err := d.braked(ctx, r, now); err != nil {
		return err
	}
	p, err := d.lately(ctx, now)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, d.asked(ctx, p, a, now), http.StatusSeeOther)
	return nil
}

// asked notes the sign-in a, and returns where the provider is asked for it.
func (d *Desk) asked(ctx context.Context, p *provider, a attempt, now time.Time) string {
	a.State, a.Nonce, a.Verifier, a.Begun = rand.Text(), rand.Text(), oauth2.GenerateVerifier(), now
	d.attempted(ctx, a)
	return p.oauth.AuthCodeURL(a.State, d.asks(a)...)
}

// Arrival is a sign-in that was finished.
type Arrival struct {
	Next     string // the own path that Begin was asked to lead to, or the provider's address where it is asked once more
	Language string // that the account chose; "": none
	Demand   Demand // what Again asked for; "" after Begin
}

// Finish reads the provider's answer at paths.SignedIn, signs the person in and
// returns where to go. It fails with Conflict signin.stale when this browser
// asked for no such answer, or too long ago; Denied signin.refused when the
// provider refused or its answer is not to be trusted; Unavailable
// signin.provider_down; as Again says; and as person does for a locked account.
// Whoever was signed in here before is signed in still, then; after success no more.
// What is known of the sign-in is returned beside an error, too.
func (d *Desk) Finish(w http.ResponseWriter, r *http.Request) (done Arrival, err error) {
	defer func() { d.count(err) }()
	ctx, q := r.Context(), r.URL.Query()
	w.Header().Set("Cache-Control", "no-store")
	a, ok := d.take(ctx, q.Get("state"))
	if !ok {
		return Arrival{}, stale(errors.New("no sign-in with this state in this session"))
	}
	done = Arrival{Next: a.Next, Demand: a.Again.demand()}
	p, err := d.provider(ctx)
	if err != nil {
		return done, err
	}
	c, said, err := d.answer(ctx, p, a, q)
	if err != nil {
		return done, err
	}
	now := d.now()
	has := provenIn(said.idToken, now)
	if err := d.brings(a.Again, has, now); err != nil {
		if !a.Again.Pressed {
			done.Next = d.press(ctx, p, a, now)
			return done, nil
		}
		return done, err
	}
	account, err := d.admit(r, c, a.Again, has, said)
	if err != nil {
		return done, err
	}
	d.remark(ctx, c, account)
	done.Language = account.Language
	return done, nil
}

// answer is what the provider says of who signed in in a, in its answer q.
func (d *Desk) answer(ctx context.Context, p *provider, a attempt, q url.Values) (person.Claims, secrets, error) {
	iss, named := q["iss"]
	if named && !slices.Equal(iss, []string{d.cfg.Issuer}) || !named && p.AnswersIssuer {
		return person.Claims{}, secrets{}, refused(errors.New("the answer is from another issuer (RFC 9207)"))
	}
	if code := q.Get("error"); a.Again.unmet(code) {
		return person.Claims{}, secrets{}, ErrNotStrong.Because(errors.New("the provider says " + known(code)))
	} else if code != "" {
		return person.Claims{}, secrets{}, refusal(code)
	}
	t, err := p.oauth.Exchange(d.outward(ctx), q.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return person.Claims{}, secrets{}, exchangeFault(err)
	}
	c, idToken, err := d.claims(d.outward(ctx), p, t, expected{nonce: a.Nonce})
	return c, secrets{idToken, t.RefreshToken}, err
}

// remark logs what an operator could mend, once a sign-in and without the
// address.
func (d *Desk) remark(ctx context.Context, c person.Claims, a person.Account) {
	switch {
	case a.EmailVerified:
	case c.EmailUnsaid:
		d.log.WarnContext(ctx, "the provider does not say whether it verified an e-mail address, so it counts as not verified: see docs/signin.md", "account", a.ID)
	default:
		d.log.InfoContext(ctx, "the provider names no verified e-mail address of somebody", "account", a.ID, "address", a.Email != "")
	}
	d.remarkLost(ctx, a)
}

func (d *Desk) remarkLost(ctx context.Context, a person.Account) {
	switch a.Lost {
	case person.GroupsElsewhere:
		d.log.WarnContext(ctx, "the provider sends no groups of somebody but only where to ask, as it does where there are too many; their rights by groups rest", "account", a.ID, "claim", d.cfg.GroupsClaim)
	case person.GroupsUnsaid:
		d.log.WarnContext(ctx, "the provider says nothing of the groups of somebody who had some; their rights by groups rest", "account", a.ID, "claim", d.cfg.GroupsClaim)
	}
}

func stale(err error) error {
	return fault.New(fault.Conflict, "signin.stale").Because(err)
}

// refusal is an error of RFC 6749, 4.1.2.1 or OpenID Connect Core 1.0, 3.1.2.6. It
// keeps nothing else of the address, which anybody may have put together.
func refusal(code string) error {
	err := &refusedError{known(code)}
	if code == "temporarily_unavailable" || code == "server_error" {
		return providerDown(err)
	}
	return refused(err)
}

func exchangeFault(err error) error {
	switch {
	case away(err):
		return providerDown(err)
	case refusedGrant(err):
		return stale(err)
	default:
		return refused(err)
	}
}

// secrets of a login that lie sealed in the database.
type secrets struct{ idToken, refresh string }

// admit writes the login and gives the browser a new session id, so that one
// that somebody planted is worth nothing. It fails with ErrOther where it is not who
// was to sign in again.
func (d *Desk) admit(r *http.Request, c person.Claims, wanted *again, p proven, s secrets) (account person.Account, err error) {
	ctx := r.Context()
	who := audit.Who{From: d.cfg.ClientIP(r)}
	var id int64
	err = d.db.Tx(ctx, func(tx pgx.Tx) error {
		now := d.now()
		before, err := d.end(ctx, tx, now, visiting(ctx).login)
		if err != nil {
			return err
		}
		account, err = d.people.SignedIn(ctx, tx, c, who)
		if errors.Is(err, person.ErrLocked) {
			return &shutOutError{account.ID, err}
		}
		if err != nil {
			return err
		}
		if wanted != nil && wanted.Account != account.ID {
			return ErrOther
		}
		who.Account = int64(account.ID)
		if before.ID != 0 {
			if err := d.note(ctx, tx, now, who, "signin.ended", before); err != nil {
				return err
			}
		}
		id, err = d.start(ctx, tx, now, account.ID, p, sessionIn(s.idToken), r)
		if err != nil {
			return err
		}
		return d.seal(ctx, tx, id, s)
	})
	if err != nil {
		return person.Account{}, err
	}
	if err := d.sessions.RenewToken(ctx); err != nil {
		return person.Account{}, fmt.Errorf("renew session: %w", err)
	}
	d.sessions.Put(ctx, keyLogin, id)
	return account, nil
}

func (d *Desk) start(ctx context.Context, tx pgx.Tx, now time.Time, account person.ID, p proven, session string, r *http.Request) (int64, error) {
	agent := text.Line(r.UserAgent())
	agent = strings.ToValidUTF8(agent[:min(len(agent), 400)], "")
	args := pgx.NamedArgs{"account": account, "now": now, "origin": nil, "agent": agent, "sid": session, "auth_time": nil, "acr": p.ACR}
	if from := d.cfg.ClientIP(r); from.IsValid() {
		args["origin"] = from
	}
	if !p.At.IsZero() {
		args["auth_time"] = p.At
	}
	var id int64
	err := tx.QueryRow(ctx, `insert into login (account, started, seen, refreshed, origin, user_agent, sid, auth_time, acr)
		values (@account, @now, @now, @now, @origin, @agent, nullif(@sid, ''), @auth_time, nullif(@acr, '')) returning id`, args).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("start login: %w", err)
	}
	return id, nil
}

// seal keeps the secrets of a login, bound to its id. What is empty stays as
// it was.
func (d *Desk) seal(ctx context.Context, tx pgx.Tx, id int64, s secrets) error {
	key, err := d.sealer.Key(ctx, tx)
	if err != nil {
		return fmt.Errorf("keep tokens of login %d: %w", id, err)
	}
	var idToken, refresh []byte
	if s.idToken != "" {
		idToken = key.Seal([]byte(s.idToken), idTokenPurpose(id))
	}
	if s.refresh != "" {
		refresh = key.Seal([]byte(s.refresh), refreshPurpose(id))
	}
	_, err = tx.Exec(ctx, `update login set id_token = coalesce(@id_token, id_token), refresh = coalesce(@refresh, refresh)
		where id = @id and ended is null`, pgx.NamedArgs{"id": id, "id_token": idToken, "refresh": refresh})
	if err != nil {
		return fmt.Errorf("keep tokens of login %d: %w", id, err)
	}
	return nil
}
