package mailbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/person"
)

// LinkedOf returns the rows linked to an account, as LinkedTo does, to a
// registration officer.
func (b *Book) LinkedOf(ctx context.Context, by person.Actor, account person.ID) ([]Linked, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	return b.LinkedTo(ctx, person.Actor{Account: account})
}

// CheckLink lets a contact say that a doubtful link is to the right person. A
// round that completes later is judged anew.
func (b *Book) CheckLink(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error {
		if err := MayCheckLink(r); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update link set doubtful = false where row_id = $1`, r.ID); err != nil {
			return fmt.Errorf("check link of row %d: %w", r.ID, err)
		}
		if err := refresh(ctx, tx, r.ID); err != nil {
			return err
		}
		return b.note(ctx, tx, b.Now(), by.Who(), "mailbox.link_checked", nil, r.ID.Thing(), r.Domain.Thing(), r.Linked.Thing())
	})
}
