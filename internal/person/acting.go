package person

import (
	"context"
	"net/netip"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
)

// ErrLocked is that an officer locked the account.
var ErrLocked = fault.New(fault.Denied, "person.locked")

// Behalf is in whose name work goes on after the request that ordered it, as its
// row keeps it: an account, the token that asked and the address it came from;
// nil where there was none.
type Behalf struct {
	Account ID
	Token   *int64
	From    *netip.Addr
}

// Behalf is what a row keeps of the actor.
func (a Actor) Behalf() Behalf {
	w := Behalf{Account: a.Account}
	if a.Token != 0 {
		w.Token = &a.Token
	}
	if a.From.IsValid() {
		w.From = &a.From
	}
	return w
}

// Actor is whoever it is without any right, for the audit line of work that came
// to an end.
func (w Behalf) Actor() Actor {
	by := Actor{Account: w.Account}
	if w.Token != nil {
		by.Token = *w.Token
	}
	if w.From != nil {
		by.From = *w.From
	}
	return by
}

// Acting is the step that returns who acts on behalf of w at now: the account as it is
// now, with the groups of its last sign-in and without an officer's rights; where
// a token asked, within its reach. A locked account is denied, and so is a token
// that does not count any more, or sleeps.
func (b *Book) Acting(ctx context.Context, q postgres.Querier, now time.Time, w Behalf) (Actor, error) {
	a, err := b.one(ctx, q, w.Account)
	if err != nil {
		return Actor{}, err
	}
	if a.Locked != nil {
		return Actor{}, ErrLocked
	}
	by := w.Actor()
	if w.Token != nil {
		if by, err = b.goingOn(ctx, q, now, a, TokenID(*w.Token)); err != nil {
			return Actor{}, err
		}
		by.From = w.Actor().From
		return by, nil
	}
	by.Name, by.Email, by.Groups = a.Label, a.VerifiedEmail, a.Groups
	return by, nil
}

func (b *Book) goingOn(ctx context.Context, q postgres.Querier, now time.Time, a Account, id TokenID) (Actor, error) {
	t, err := token(ctx, q, Actor{Account: a.ID}, id, "")
	if fault.Is(err, fault.Missing) || err == nil && !t.Live(now) {
		return Actor{}, ErrToken
	}
	if err != nil {
		return Actor{}, err
	}
	if b.sleepsBy(t, now) {
		return Actor{}, ErrAsleep
	}
	return b.acting(t, a.Groups, now), nil
}
