package cert

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// errRevoking is that the authority is asked to revoke it already.
var errRevoking = fault.New(fault.Conflict, "cert.revoke.under_way")

// MayRevoke tells whether the reader of c may revoke it: its holder always, a
// contact all certificates of an inactive row (R24), a registration officer any.
func MayRevoke(c Certificate) error {
	switch {
	case c.Revoked != nil:
		return fault.New(fault.Conflict, "cert.revoked_already")
	case c.Revoking != nil && (c.Mine || c.Sees()):
		return errRevoking
	case c.Mine, c.Officer:
		return nil
	case c.Contact && c.RowActive:
		return fault.New(fault.Conflict, "cert.revoke.active")
	case c.Contact:
		return nil
	}
	return fault.New(fault.Missing, "fault.missing")
}

// MayReport tells whether the reader of c, which is being revoked for another reason,
// may say that its key fell into other hands.
func MayReport(c Certificate) bool {
	open := c.Revoking != nil && !c.Reported
	c.Revoking = nil
	return open && MayRevoke(c) == nil
}

// Reasons are those the reader of c may give.
func Reasons(c Certificate) []pki.ReasonFacts { return pki.Reasons(c.Officer) }

func mayGive(officer bool, r pki.Reason) error {
	var bad fault.Fields
	if !r.Allowed(officer) {
		bad.Add("reason", "field.required")
	}
	return bad.Err()
}

// Revoke ends a certificate for good. The list that announces it is signed at
// once, and its holder is told. An authority outside is asked to revoke it: until it
// has, the certificate is being revoked, and its holder is told then; meanwhile it can
// still be reported, once, that its key is compromised. Whose key is, is told to the
// Watch, also where it was revoked before.
func (b *Book) Revoke(ctx context.Context, by person.Actor, id ID, r pki.Reason) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		c, err := b.lock(ctx, tx, by, id, r)
		if err != nil {
			return err
		}
		now := b.Now()
		_, err = person.Once(ctx, tx, by, now, func() (ID, error) {
			if r == pki.KeyCompromise && MayRaise(c) {
				return c.ID, b.keyLost(ctx, tx, now, by, c.ID, r)
			}
			err := MayRevoke(c)
			if reports(err, r) && MayReport(c) {
				if err := b.reportKey(ctx, tx, now, c.ID, c.revokedLine("cert.key_reported", now, by, r)); err != nil {
					return 0, err
				}
				return c.ID, b.keyLost(ctx, tx, now, by, c.ID, r)
			}
			if err != nil {
				return 0, err
			}
			if err := mayGive(c.Officer, r); err != nil {
				return 0, err
			}
			if err := b.revoke(ctx, tx, now, by, c, r); err != nil {
				return 0, err
			}
			return c.ID, b.keyLost(ctx, tx, now, by, c.ID, r)
		})
		return err
	})
}

// revoke writes it; row and certificate are locked. part is the larger work that
// it belongs to, if any.
func (b *Book) revoke(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, c Certificate, r pki.Reason, part ...audit.Thing) error {
	if c.External {
		if err := b.startRevoking(ctx, tx, now, &by.Account, Withdrawal{Certificate: c.ID, Reason: r}); err != nil {
			return err
		}
		if err := b.Mailbox.NoteRevoking(ctx, tx, int64(c.ID), &now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, c.revokedLine("cert.revoking", now, by, r, part...))
	}
	_, err := tx.Exec(ctx, `update certificate set revoked = @now, revoked_by = @by, reason = @reason where id = @id`,
		pgx.NamedArgs{"id": c.ID, "now": now, "by": by.Account, "reason": int16(r)})
	if err != nil {
		return fmt.Errorf("revoke certificate %d: %w", c.ID, err)
	}
	if err := b.Mailbox.NoteRevocation(ctx, tx, c.RowID, int64(c.ID), now); err != nil {
		return err
	}
	return b.announce(ctx, tx, now, by, c, r, part...)
}

// lock takes the row before the certificate, as every other step does, and all of its
// key before both where r says that it fell.
func (b *Book) lock(ctx context.Context, tx pgx.Tx, by person.Actor, id ID, r pki.Reason) (Certificate, error) {
	c, err := one(ctx, tx, by, id)
	if err == nil {
		err = b.Hold(ctx, tx, r, 0, id)
	}
	if err != nil {
		return c, err
	}
	if err := b.Mailbox.LockRow(ctx, tx, c.RowID); err != nil {
		return c, err
	}
	if _, err := tx.Exec(ctx, `select from certificate where id = $1 for update`, id); err != nil {
		return c, fmt.Errorf("lock certificate %d: %w", id, err)
	}
	return one(ctx, tx, by, id)
}

func (b *Book) announce(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, c Certificate, r pki.Reason, part ...audit.Thing) error {
	if !c.Earlier {
		if err := b.toAnnounce(ctx, tx, now, c.ID, c.Authority); err != nil {
			return err
		}
	}
	to, err := holder(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if err := b.Outbox.Post(ctx, tx, mail.RevokedWords{Reader: to, Addresses: c.Emails, By: by.Name, At: now, Link: b.link(c.ID), Elsewhere: c.Earlier}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, c.revokedLine("cert.revoked", now, by, r, part...))
}

func (c Certificate) revokedLine(action string, now time.Time, by person.Actor, r pki.Reason, part ...audit.Thing) audit.Line {
	return audit.Line{
		Who: by.Who(), At: now, Action: action,
		Detail: audit.Detail{"reference": c.Reference, "serial": hex.EncodeToString(c.Serial), "reason": int(r)},
		About:  append(part, c.ID.Thing(), c.RowID.Thing(), c.Account.Thing()),
	}
}
