package org

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/text"
)

// extraLimit is how many further addresses an organisation may have, with those
// that are to be confirmed.
const extraLimit = 5

// SetReminders sets the further addresses that hear of certificates which end
// soon. The technical contact may, and so may officers. What is entered need not
// be confirmed any more; the rest of what is to be confirmed stays so.
func (b *Book) SetReminders(ctx context.Context, by person.Actor, id OrganisationID, addresses []string) error {
	extra, bad := readReminders(addresses)
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, err := b.change(ctx, tx, by, id)
		if err != nil {
			return err
		}
		waiting := slices.DeleteFunc(slices.Clone(o.Unconfirmed), func(a string) bool { return within(extra, a) })
		if len(extra)+len(waiting) > extraLimit {
			bad.Add("reminders", "org.organisation.reminders", "max", extraLimit)
		}
		if err := bad.Err(); err != nil || slices.Equal(o.Extra, extra) {
			return err
		}
		return b.remind(ctx, tx, b.Now(), by, id, "org.reminders_set", extra, waiting)
	})
}

// MayConfirmReminders tells whether by may decide about the further addresses
// that the contact before had entered: the contact who is.
func MayConfirmReminders(by person.Actor, o Organisation) error {
	if by.Account != o.ContactID {
		return fault.New(fault.Denied, "org.reminders.contact_only")
	}
	return nil
}

// ConfirmReminders keeps those of the addresses that are to be confirmed, and
// removes the others. Confirming twice changes nothing.
func (b *Book) ConfirmReminders(ctx context.Context, by person.Actor, id OrganisationID, keep []string) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, err := b.change(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if err := MayConfirmReminders(by, o); err != nil {
			return err
		}
		if len(o.Unconfirmed) == 0 {
			return nil
		}
		extra := slices.Clone(o.Extra)
		for _, a := range o.Unconfirmed {
			if within(keep, a) && !within(extra, a) {
				extra = append(extra, a)
			}
		}
		return b.remind(ctx, tx, b.Now(), by, id, "org.reminders_confirmed", extra, []string{})
	})
}

func (b *Book) remind(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id OrganisationID, action string, extra, waiting []string) error {
	_, err := tx.Exec(ctx, `update organisation set reminders = @extra, unconfirmed = @waiting where id = @id`,
		pgx.NamedArgs{"id": id, "extra": extra, "waiting": waiting})
	if err != nil {
		return fmt.Errorf("set reminders: %w", err)
	}
	return b.note(ctx, tx, now, by, action, audit.Detail{"reminders": extra}, id.Thing())
}

// within tells whether a is among all, without ASCII case.
func within(all []string, a string) bool {
	return slices.ContainsFunc(all, func(e string) bool { return Address(e).Folded() == Address(a).Folded() })
}

// readReminders reads each address once.
func readReminders(addresses []string) (extra []string, bad fault.Fields) {
	extra = []string{} // not null
	for _, s := range addresses {
		if s = text.Word(s); s == "" {
			continue
		}
		a, wrong := ParseAddress(s)
		if wrong != "" {
			bad.Add("reminders", wrong)
		} else if !within(extra, string(a)) {
			extra = append(extra, string(a))
		}
	}
	return extra, bad
}
