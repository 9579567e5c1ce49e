package cert

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/web/paths"
)

// startRevoking writes that the authority of a certificate, one outside, is asked to
// revoke it, and sees to it that it is. Nobody is reminded of it meanwhile. Where its
// key was reported before, that is why.
func (b *Book) startRevoking(ctx context.Context, tx pgx.Tx, now time.Time, by *person.ID, w Withdrawal) error {
	err := tx.QueryRow(ctx, `update certificate set revoking = @now, revoking_by = @by, revoking_answered = null, revoking_refused = null,
			revoking_reason = case when compromised then 1 else @reason end, compromised = compromised or @reason = 1, remind = null
		where id = @id returning authority, der, revoking_reason`, pgx.NamedArgs{
		"id": w.Certificate, "now": now, "by": by, "reason": int16(w.Reason),
	}).Scan(&w.Authority, &w.DER, &w.Reason)
	if err != nil {
		return fmt.Errorf("begin to revoke certificate %d: %w", w.Certificate, err)
	}
	return b.withdraw(ctx, tx, now, w)
}

// reportKey keeps that the key of a certificate, which is being revoked for another
// reason, fell into other hands: the key is blocked from now on, and the authority is
// told so unless it has answered by then. line says who reported it.
func (b *Book) reportKey(ctx context.Context, tx pgx.Tx, now time.Time, id ID, line audit.Line) error {
	w := Withdrawal{Certificate: id, Reason: pki.KeyCompromise}
	err := tx.QueryRow(ctx, `update certificate set compromised = true where id = $1 and not compromised returning authority, der`, id).Scan(&w.Authority, &w.DER)
	if errors.Is(err, pgx.ErrNoRows) { // reported already
		return errRevoking
	}
	if err != nil {
		return fmt.Errorf("keep that the key of certificate %d is compromised: %w", id, err)
	}
	return errors.Join(b.withdraw(ctx, tx, now, w), audit.Write(ctx, tx, line))
}

// reports tells whether somebody gives r as the reason for what is being revoked, as
// err says: then reportKey keeps it.
func reports(err error, r pki.Reason) bool {
	return errors.Is(err, errRevoking) && r == pki.KeyCompromise
}

// asked is a certificate whose authority was asked to revoke it.
type asked struct {
	ID               ID
	Reference        string
	Serial           []byte
	Account          *person.ID // of a mailbox
	Row              *mailbox.ID
	Organisation     *org.OrganisationID // of a server
	OrganisationName string
	Emails           []string
	Names            []string
	By               string // who wanted it; empty: nobody wanted the certificate
	Reason           pki.Reason
	Authority        string
	Since            time.Time
}

// unexpected tells whether it is nobody's.
func (a asked) unexpected() bool { return a.Account == nil && a.Organisation == nil }

func (a asked) things() []thing {
	switch {
	case a.Organisation != nil:
		return []thing{a.ID.ServerThing(), a.Organisation.Thing()}
	case a.unexpected():
		return []thing{a.ID.UnexpectedThing()}
	}
	return []thing{a.ID.Thing(), a.Row.Thing(), a.Account.Thing()}
}

// holdAsked locks the row of a certificate and then itself; false where its authority is
// asked nothing any more.
func (b *Book) holdAsked(ctx context.Context, tx pgx.Tx, id ID) (a asked, open bool, err error) {
	var row *mailbox.ID
	if err := tx.QueryRow(ctx, `select row_id from certificate where id = $1`, id).Scan(&row); err != nil {
		return a, false, fmt.Errorf("read certificate %d: %w", id, err)
	}
	if row != nil {
		if err := b.Mailbox.LockRow(ctx, tx, *row); err != nil {
			return a, false, err
		}
	}
	rows, err := tx.Query(ctx, `
		select c.id, c.reference, c.serial, c.account, c.row_id as row, c.organisation, coalesce(o.name, '') as organisation_name, c.emails,
			coalesce(c.names, '{}') as names, coalesce(p.label, '') as by, c.authority, c.revoking as since, case when c.compromised then 1 else c.revoking_reason end as reason
		from certificate c left join organisation o on o.id = c.organisation left join account p on p.id = c.revoking_by
		where c.id = $1 and c.revoking is not null and c.revoked is null for update of c`, id)
	if err != nil {
		return a, false, fmt.Errorf("lock certificate %d: %w", id, err)
	}
	a, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[asked])
	if errors.Is(err, pgx.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("lock certificate %d: %w", id, err)
	}
	return a, true, nil
}

// Revoked is the step that notes that an authority outside revoked a certificate, at a
// moment. It locks row and certificate itself: the caller's own locks of what is left of
// them come after. Where the authority is asked nothing any more, nothing happens.
func (b *Book) Revoked(ctx context.Context, tx pgx.Tx, now time.Time, id ID, at time.Time) error {
	a, open, err := b.holdAsked(ctx, tx, id)
	if err != nil || !open {
		return err
	}
	_, err = tx.Exec(ctx, `update certificate set revoked = @at, revoked_by = revoking_by, reason = case when compromised then 1 else revoking_reason end, revoking_answered = @now, remind = null,
			phase = case when organisation is not null then 'over' end, turns = null
		where id = @id`, pgx.NamedArgs{"id": id, "at": at, "now": now})
	if err != nil {
		return fmt.Errorf("revoke certificate %s: %w", a.Reference, err)
	}
	if a.Row != nil {
		if err := b.Mailbox.NoteRevocation(ctx, tx, *a.Row, int64(id), at); err != nil {
			return err
		}
	}
	if a.By != "" && !a.unexpected() {
		if err := b.tellHolderRevoked(ctx, tx, at, a); err != nil {
			return err
		}
	}
	line := audit.Line{
		At: now, Action: "cert.revoked", About: a.things(),
		Detail: audit.Detail{"reference": a.Reference, "serial": hex.EncodeToString(a.Serial), "reason": int(a.Reason)},
	}
	if a.Organisation != nil {
		line.Action = "cert.server_revoked"
	}
	return audit.Write(ctx, tx, line)
}

// tellHolderRevoked writes to the holder or to the technical contact.
func (b *Book) tellHolderRevoked(ctx context.Context, tx pgx.Tx, at time.Time, a asked) error {
	to, link, err := b.ReaderOf(ctx, tx, a.ID, a.Reference, a.Organisation)
	if err != nil {
		return err
	}
	if a.Organisation == nil {
		return b.Outbox.Post(ctx, tx, mail.RevokedWords{Reader: to, Addresses: a.Emails, By: a.By, At: at, Link: link})
	}
	return b.Outbox.Post(ctx, tx, mail.ServerRevokedWords{
		Reader: to, Organisation: a.OrganisationName, Reference: a.Reference, Names: SpelledAll(a.Names), By: a.By, At: at, Link: link,
	})
}

// ReaderOf is who gets letters about a certificate, and the link to it: the technical
// contact of its organisation, and the holder where there is none.
func (b *Book) ReaderOf(ctx context.Context, tx pgx.Tx, id ID, reference string, o *org.OrganisationID) (to mail.Reader, link string, err error) {
	if o != nil {
		to, _, err = contact(ctx, tx, *o)
		return to, b.serverLink(reference), err
	}
	to, err = holder(ctx, tx, id)
	return to, b.link(id), err
}

// RevocationRefused is the step that notes that an authority outside will not revoke a
// certificate, in its words, which are for the registration officers: it counts again, and
// they are to sort it out. Nobody is reminded of what nobody wanted. Locks and repetition are as with Revoked.
func (b *Book) RevocationRefused(ctx context.Context, tx pgx.Tx, now time.Time, id ID, words string) error {
	a, open, err := b.holdAsked(ctx, tx, id)
	if err != nil || !open {
		return err
	}
	_, err = tx.Exec(ctx, `update certificate set revoking = null, revoking_by = null, revoking_reason = null, revoking_answered = @now,
			revoking_refused = @words, remind = case when unexpected is null and not unwanted and replaced_by is null then '-infinity'::timestamptz end
		where id = @id`, pgx.NamedArgs{"id": id, "now": now, "words": words})
	if err != nil {
		return fmt.Errorf("note that certificate %s is not revoked: %w", a.Reference, err)
	}
	if a.Row != nil {
		if err := b.Mailbox.NoteRevoking(ctx, tx, int64(id), nil); err != nil {
			return err
		}
	}
	if err := b.tellRefused(ctx, tx, a, words); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{
		At: now, Action: "cert.revocation_refused", About: a.things(),
		Detail: audit.Detail{"reference": a.Reference, "serial": hex.EncodeToString(a.Serial)},
	})
}

// tellRefused writes to whom it is for, and to the registration officers what the
// authority said.
func (b *Book) tellRefused(ctx context.Context, tx pgx.Tx, a asked, words string) error {
	w := mail.UnrevokedWords{Organisation: a.OrganisationName, Reference: a.Reference, Names: a.Emails, Authority: a.Authority, Since: a.Since}
	if a.Organisation != nil {
		w.Names = SpelledAll(a.Names)
	}
	if !a.unexpected() {
		var err error
		if w.Reader, w.Link, err = b.ReaderOf(ctx, tx, a.ID, a.Reference, a.Organisation); err == nil {
			err = b.Outbox.Post(ctx, tx, w)
		}
		if err != nil {
			return err
		}
	}
	w.Office, w.Said, w.Link = true, words, b.Base+paths.Unexpected
	return b.TellOfficers(ctx, tx, "", func(to mail.Reader) mail.Words { w.Reader = to; return w })
}
