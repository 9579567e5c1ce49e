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
	revoking := b.outside(i.Authority)
	if err := b.endUnwanted(ctx, tx, now, n, i, revoking); err != nil {
		return err
	}
	if err := b.tellUnwanted(ctx, tx, now, n, i, revoking); err != nil {
		return err
	}
	line := i.line(now, n, "cert.unwanted")
	line.Detail["why"] = string(i.Unwanted)
	return audit.Write(ctx, tx, line)
}

func (b *Book) endUnwanted(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance, revoking bool) error {
	if !revoking {
		return b.Queue.Insert(ctx, tx, listArgs{Authority: i.Authority})
	}
	return b.withdraw(ctx, tx, now, Withdrawal{Certificate: n, Authority: i.Authority, Reason: unwantedReason, DER: i.Certificate.DER})
}

// tellUnwanted writes to whom it was for and to the registration officers.
func (b *Book) tellUnwanted(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance, revoking bool) error {
	w := mail.UnwantedWords{Reference: i.Reference, Names: i.Certificate.Emails, Why: i.Unwanted, Revoking: revoking, At: now, Link: b.link(n)}
	to, err := i.Known.To, error(nil)
	if i.server() {
		w.Names, w.Link = SpelledAll(i.Certificate.DNS), b.serverLink(i.Reference)
		to, w.Organisation, err = contact(ctx, tx, i.Organisation)
	}
	if err != nil {
		return err
	}
	officers, err := b.officers(ctx, tx)
	if err != nil {
		return err
	}
	if w.Reader = to; i.Unexpected == nil {
		if err := b.Outbox.Post(ctx, tx, w); err != nil {
			return err
		}
	} else {
		w.Link = b.Base + paths.Unexpected
	}
	for _, o := range officers {
		if o.To == to.To && i.Unexpected == nil {
			continue // has read it
		}
		w.Reader, w.Office = o, true
		if err := b.Outbox.Post(ctx, tx, w); err != nil {
			return err
		}
	}
	return nil
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

// officers are the registration officers who can be written to, each address once.
func (b *Book) officers(ctx context.Context, tx pgx.Tx) ([]mail.Reader, error) {
	rows, err := tx.Query(ctx, `select distinct on (email) email, language from (
			select `+LettersTo+` as email, a.language, a.id from account a where @group <> '' and @group = any(a.groups) and a.locked is null) a
		where email <> '' order by email, id`, pgx.NamedArgs{"group": b.Officers})
	if err != nil {
		return nil, fmt.Errorf("look for registration officers: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r mail.Reader, err error) { return r, row.Scan(&r.To, &r.Lang) })
}
