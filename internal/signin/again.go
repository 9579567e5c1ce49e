package signin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// Demand is what a sign-in of somebody who is signed in is for.
type Demand string

const (
	Fresh  Demand = "fresh"  // a step wants to know that the person is there
	Strong Demand = "strong" // it shall reach what an officer's must
)

var (
	// ErrNotFresh is that the provider does not say that somebody signed in just now.
	ErrNotFresh = fault.New(fault.Denied, "signin.not_fresh")
	// ErrNotStrong is that a sign-in did not reach what an officer's must.
	ErrNotStrong = fault.New(fault.Denied, "signin.not_strong")
	// ErrOther is that somebody else signed in than who was to sign in again.
	ErrOther = fault.New(fault.Denied, "signin.other_account")
	// ErrWeak is that an officer acts as a user, who signed in without what an officer's
	// sign-in must have reached.
	ErrWeak = fault.New(fault.Denied, "signin.weak")
)

// again is a sign-in of somebody who is signed in.
type again struct {
	Account person.ID
	Fresh   bool
	Strong  bool
	Pressed bool // the provider was asked with prompt=login: it is not asked once more
}

// demand is why somebody signs in again, "" for nobody.
func (a *again) demand() Demand {
	switch {
	case a == nil:
		return ""
	case a.Fresh:
		return Fresh
	}
	return Strong
}

// Again is Begin for who is signed in and shall prove it once more; for somebody else
// it is Begin. A sign-in that does not bring what it is for changes nothing: Finish
// then fails with ErrNotFresh or ErrNotStrong, or with ErrOther.
func (d *Desk) Again(w http.ResponseWriter, r *http.Request, next string, why Demand) error {
	v := visiting(r.Context())
	if v.login == 0 {
		return d.Begin(w, r, next)
	}
	return d.begin(w, r, attempt{Next: OwnPath(next), Again: &again{
		Account: v.actor.Account, Fresh: why == Fresh,
		Strong: len(d.cfg.ACR) > 0 && (why == Strong || v.actor.Officer), // who is an officer stays one
	}})
}

// IsFresh tells whether whoever is signed in proved it to the provider a short while
// ago, or none needs to.
func (d *Desk) IsFresh(ctx context.Context) bool {
	return d.cfg.AnyAge || fresh(visiting(ctx).at, d.now())
}

// IsWeak tells whether whoever is signed in would be an officer, had their sign-in
// reached what it must.
func (d *Desk) IsWeak(ctx context.Context) bool { return visiting(ctx).weak }

// asks is what the provider is asked for in the sign-in a.
func (d *Desk) asks(a attempt) []oauth2.AuthCodeOption {
	all := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if a.Again == nil {
		return all
	}
	if a.Again.Fresh {
		all = append(all, oauth2.SetAuthURLParam("max_age", "0"))
	}
	if a.Again.Strong {
		all = append(all, oauth2.SetAuthURLParam("acr_values", strings.Join(d.cfg.ACR, " ")))
	}
	if a.Again.Pressed {
		all = append(all, oauth2.SetAuthURLParam("prompt", "login"))
	}
	return all
}

// brings tells with an error what p lacks of what the sign-in is for.
func (d *Desk) brings(a *again, p proven, now time.Time) error {
	switch {
	case a == nil:
		return nil
	case a.Fresh && p.At.IsZero():
		return ErrNotFresh.Because(errors.New("asked with max_age=0, its ID token has no auth_time"))
	case a.Fresh && !fresh(p.At, now):
		return ErrNotFresh.Because(errors.New("asked with max_age=0, its ID token has an auth_time of more than 15 minutes ago"))
	case a.Strong && !d.cfg.reached(p.ACR):
		return ErrNotStrong.Because(errors.New("its ID token has none of these as acr"))
	}
	return nil
}

// press asks the provider once more, so that it cannot answer without asking the
// person, and returns its address.
func (d *Desk) press(ctx context.Context, p *provider, a attempt, now time.Time) string {
	more := *a.Again
	more.Pressed = true
	a.Again = &more
	return d.asked(ctx, p, a, now)
}

// unmet tells whether the provider says that it cannot reach what was asked (OpenID
// Connect Core Error Code unmet_authentication_requirements 1.0).
func (a *again) unmet(code string) bool {
	return a != nil && a.Strong && code == "unmet_authentication_requirements"
}
