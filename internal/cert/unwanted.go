package cert

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/web/paths"
)

// recordUnwanted tells of a certificate that came when nobody wanted it any more. Its
// columns say already that it is revoked, or that its authority is to be asked.
func (b *Book) recordUnwanted(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance) error {
	if !i.server() && i.Unexpected == nil {
		if err := b.note(ctx, tx, now, n, i); err != nil {
			return err
		}
	}
	revoking, err := i.external(), error(nil)
	if !revoking {
		err = b.Queue.Insert(ctx, tx, listArgs{Authority: i.Authority})
	} else {
		err = b.withdraw(ctx, tx, now, Withdrawal{Certificate: n, Authority: i.Authority, Reason: i.unwantedReason(), DER: i.Certificate.DER})
	}
	if err != nil {
		return err
	}
	if err := b.tellUnwanted(ctx, tx, now, n, i, revoking); err != nil {
		return err
	}
	line := i.line(now, n, "cert.unwanted")
	line.Detail["why"] = string(i.Unwanted)
	return audit.Write(ctx, tx, line)
}

// tellUnwanted writes to whom it was for and to the registration officers.
func (b *Book) tellUnwanted(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance, revoking bool) error {
	w := mail.UnwantedWords{Reference: i.Reference, Names: i.Certificate.Emails, Why: i.Unwanted, Revoking: revoking, At: now, Link: b.link(n)}
	to, err := i.Known.To, error(nil)
	if i.server() {
		w.Names, w.Link = SpelledAll(i.Certificate.DNS), b.serverLink(i.Reference)
		to, w.Organisation, err = contact(ctx, tx, i.Organisation)
	}
	if w.Reader = to; i.Unexpected != nil { // nobody but officers sees it
		w.To, w.Link = "", b.Base+paths.Unexpected
	} else if err == nil {
		err = b.Outbox.Post(ctx, tx, w)
	}
	if err != nil {
		return err
	}
	skip := w.To // has read it
	w.Office = true
	return b.TellOfficers(ctx, tx, skip, func(to mail.Reader) mail.Words { w.Reader = to; return w })
}

// contact is who gets letters to the technical contact of an organisation, and its name.
func contact(ctx context.Context, tx pgx.Tx, o org.OrganisationID) (to mail.Reader, name string, err error) {
	err = tx.QueryRow(ctx, `select `+LettersTo+`, a.language, o.name from organisation o join account a on a.id = o.contact where o.id = $1`, o).
		Scan(&to.To, &to.Lang, &name)
	if err != nil {
		return to, "", fmt.Errorf("read the technical contact of organisation %d: %w", o, err)
	}
	return to, name, nil
}

// TellOfficers writes to each registration officer but the one who reads it at skip.
func (b *Book) TellOfficers(ctx context.Context, tx pgx.Tx, skip string, w func(to mail.Reader) mail.Words) error {
	all, err := b.Mailbox.Org.People.OfficersToTell(ctx, tx, b.Officers)
	for _, o := range all {
		if err == nil && o.To != skip {
			err = b.Outbox.Post(ctx, tx, w(o))
		}
	}
	return err
}
