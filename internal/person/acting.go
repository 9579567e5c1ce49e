package person

import (
	"context"

	"petschaft/internal/fault"
)

// Acting is the step that returns who acts in work that goes on after the
// request that began it: the account as it is now, with the groups of its last
// sign-in and without an officer's rights. A locked account is denied.
func (b *Book) Acting(ctx context.Context, q querier, id ID) (Actor, error) {
	a, err := b.one(ctx, q, id)
	if err != nil {
		return Actor{}, err
	}
	if a.Locked != nil {
		return Actor{}, fault.New(fault.Denied, "person.locked")
	}
	by := Actor{Account: a.ID, Name: a.Label(), Groups: a.Groups}
	if a.EmailVerified {
		by.Email = a.Email
	}
	return by, nil
}
