package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Deactivate takes a row out of use: its pending challenges end and nobody can
// apply for its addresses (R23, R26). The link stays.
func (b *Book) Deactivate(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error { return b.deactivate(ctx, tx, b.Now(), by, r) })
}

// deactivate and its like below are the operations on a locked row; part is the
// larger work that they belong to, if any.
func (b *Book) deactivate(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, part ...audit.Thing) error {
	if err := MayDeactivate(r); err != nil {
		return err
	}
	if err := b.endRounds(ctx, tx, now, "invalidated", r.ID); err != nil {
		return err
	}
	return b.turn(ctx, tx, now, by, r, "mailbox.deactivated", `active = false, state = 'inactive'`, part...)
}

// Activate takes a row into use again; alone it needs no new challenges (R27).
// An address that another active row took meanwhile is a conflict, and so is one
// that an inactive row's valid certificate still holds.
func (b *Book) Activate(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error { return b.activate(ctx, tx, b.Now(), by, r) })
}

func (b *Book) activate(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, part ...audit.Thing) error {
	if err := MayActivate(r); err != nil {
		return err
	}
	found, err := b.holders(ctx, tx, now, by, org.Folded(r.Addresses()), r.ID)
	if err != nil {
		return err
	}
	for _, h := range found {
		switch {
		case h.Active: // what comes between is for the schema to say, with the same words
			return fault.New(fault.Conflict, "schema.address_active_once", h.way()...)
		case h.Held:
			return fault.New(fault.Conflict, "mailbox.address.held", h.way()...)
		}
	}
	return b.turn(ctx, tx, now, by, r, "mailbox.activated", `active = true, state = 'none'`, part...)
}

func (b *Book) turn(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, action, set string, part ...audit.Thing) error {
	_, err := tx.Exec(ctx, `update address_row set `+set+`, version = version + 1, changed = $2 where id = $1`, r.ID, now)
	if err != nil {
		return fmt.Errorf("%s %d: %w", action, r.ID, err)
	}
	if err := refresh(ctx, tx, r.ID); err != nil {
		return err
	}
	return b.note(ctx, tx, now, by.Who(), action, nil, append(part, r.ID.Thing(), r.Domain.Thing())...)
}

// Delete removes a row for which no challenge was ever sent (R16). Its primary
// address is free again.
func (b *Book) Delete(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error { return b.delete(ctx, tx, b.Now(), by, r) })
}

func (b *Book) delete(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, part ...audit.Thing) error {
	if err := MayDelete(r); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from address_row where id = $1`, r.ID); err != nil {
		return fmt.Errorf("delete row %d: %w", r.ID, err)
	}
	gone := Draft{Kind: r.Kind, Name: r.Name, Primary: r.Primary, Aliases: r.Aliases, Applicant: r.Applicant, Comment: r.Comment}
	return b.note(ctx, tx, now, by.Who(), "mailbox.deleted", gone.Detail(), append(part, r.ID.Thing(), r.Domain.Thing())...)
}
