package org

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/person"
)

// HoldOrganisation is the step that loads the organisation, for whoever acts,
// and lets nobody else hold or change it until tx ends. It checks no rights: the
// standing says what by is to the organisation.
func (b *Book) HoldOrganisation(ctx context.Context, tx pgx.Tx, by person.Actor, id OrganisationID) (Organisation, error) {
	all := by
	all.Officer = true
	o, err := b.change(ctx, tx, all, id)
	o.Officer = by.Officer
	return o, err
}

// Reassign is the step that makes account the technical contact in the place of
// whoever is. It checks no rights. Who was contact sees nothing of the
// organisation from the next request on; whoever holds the organisation, to
// order for it or to decide, comes before that or after it. The further
// addresses are to be confirmed by the new contact. Reassigning to the same again
// changes nothing.
func (b *Book) Reassign(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id OrganisationID, account person.ID) error {
	o, err := b.HoldOrganisation(ctx, tx, by, id)
	if err != nil || o.ContactID == account {
		return err
	}
	_, err = tx.Exec(ctx, `update organisation set contact = @account, appointed = @now, unconfirmed = unconfirmed || reminders, reminders = '{}'
		where id = @id`, pgx.NamedArgs{"id": id, "account": account, "now": now})
	if err != nil {
		return fmt.Errorf("reassign organisation %d: %w", id, err)
	}
	after, err := b.HoldOrganisation(ctx, tx, by, id)
	if err != nil {
		return err
	}
	return b.note(ctx, tx, now, by, "org.contact_appointed", audit.Detail{"contact": [2]string{o.ContactName, after.ContactName}},
		id.Thing(), o.ContactID.Thing(), account.Thing())
}
