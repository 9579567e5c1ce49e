package person

import (
	"context"

	"petschaft/internal/fault"
)

// ErrLocked is that an officer locked the account.
var ErrLocked = fault.New(fault.Denied, "person.locked")

// Acting is the step that returns who acts in work that goes on after the
// request that began it: the account as it is now, with the groups of its last
// sign-in and without an officer's rights; where a token began it (0: none),
// within its reach. A locked account is denied, and so is a token that does not
// count any more.
func (b *Book) Acting(ctx context.Context, q querier, id ID, began int64) (Actor, error) {
	a, err := b.one(ctx, q, id)
	if err != nil {
		return Actor{}, err
	}
	if a.Locked != nil {
		return Actor{}, ErrLocked
	}
	if began != 0 {
		return b.goingOn(ctx, q, a, TokenID(began))
	}
	return Actor{Account: a.ID, Name: a.Label, Email: a.VerifiedEmail, Groups: a.Groups}, nil
}

func (b *Book) goingOn(ctx context.Context, q querier, a Account, id TokenID) (Actor, error) {
	t, err := token(ctx, q, Actor{Account: a.ID}, id, "")
	if fault.Is(err, fault.Missing) || err == nil && !t.Live(b.Now()) {
		return Actor{}, ErrToken
	}
	if err != nil {
		return Actor{}, err
	}
	return b.acting(t, a.Groups), nil
}
