package signin

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/network"
)

const (
	keyAttempts = "attempts"

	attemptLimit = 5 // tabs that sign in at once; the oldest goes first
	attemptLife  = 10 * time.Minute
)

// attempt is a sign-in under way, bound to this browser by its session.
type attempt struct {
	State    string
	Nonce    string
	Verifier string // RFC 7636
	Next     string
	Begun    time.Time
	Again    *again // of somebody who is signed in; nil: of anybody
}

// ErrBraked is that too many sign-ins were begun from one network address;
// RetryAt says until when.
var ErrBraked = fault.New(fault.TooMany, "signin.braked")

// braked counts an attempt from where r comes from, before anything is written or
// asked for it.
func (d *Desk) braked(ctx context.Context, r *http.Request, now time.Time) error {
	b := brake.Brake{Kind: "signin.attempt", Most: cmp.Or(d.cfg.PerMinute, 600), Per: time.Minute}
	taken, err := b.Take(ctx, d.db, now, network.Of(d.cfg.ClientIP(r)).String())
	if err == nil && taken.Held {
		err = ErrBraked.With("at", taken.Until).Until(taken.Until)
	}
	return err
}

// attempted keeps a. A session that holds nothing else goes when the attempt is
// too old: nobody signed in there, and anybody can begin one.
func (d *Desk) attempted(ctx context.Context, a attempt) {
	all := append(d.attempts(ctx, a.Begun), a)
	d.put(ctx, keyAttempts, all[max(0, len(all)-attemptLimit):])
	if slices.Equal(d.sessions.Keys(ctx), []string{keyAttempts}) {
		d.sessions.SetDeadline(ctx, time.Now().Add(attemptLife))
	}
}

// attempts are those that are still young enough.
func (d *Desk) attempts(ctx context.Context, now time.Time) []attempt {
	var all []attempt
	d.get(ctx, keyAttempts, &all)
	return slices.DeleteFunc(all, func(a attempt) bool { return now.Sub(a.Begun) >= attemptLife })
}

// take hands out the attempt of state once.
func (d *Desk) take(ctx context.Context, state string) (attempt, bool) {
	all := d.attempts(ctx, d.now())
	i := slices.IndexFunc(all, func(a attempt) bool { return a.State == state })
	if i < 0 {
		return attempt{}, false
	}
	a := all[i]
	if all = slices.Delete(all, i, i+1); len(all) == 0 {
		d.sessions.Remove(ctx, keyAttempts)
	} else {
		d.put(ctx, keyAttempts, all)
	}
	return a, true
}
