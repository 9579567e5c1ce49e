package mailbox

import (
	"context"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

// LinkedOf returns the rows linked to an account, as LinkedTo does, to a
// registration officer.
func (b *Book) LinkedOf(ctx context.Context, by person.Actor, account person.ID) ([]Linked, error) {
	if err := org.MayKeep(by); err != nil {
		return nil, err
	}
	return b.LinkedTo(ctx, person.Actor{Account: account})
}
