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
	"petschaft/web/paths"
)

// MayRevokeServer tells whether the reader of c may revoke it: the technical
// contact and registration officers, once.
func MayRevokeServer(c ServerCertificate) error {
	switch {
	case !c.Sees():
		return fault.New(fault.Missing, "fault.missing")
	case c.Revoked != nil:
		return fault.New(fault.Conflict, "cert.revoked_already")
	}
	return nil
}

// ServerReasons are those the reader of c may give.
func ServerReasons(c ServerCertificate) []pki.ReasonFacts { return pki.Reasons(c.Officer) }

// RevokeServer ends a server certificate for good. The list that announces it is
// signed at once, and the technical contact is told.
func (b *Book) RevokeServer(ctx context.Context, by person.Actor, reference string, r pki.Reason) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		c, err := b.LockServer(ctx, tx, by, reference)
		if err != nil {
			return err
		}
		now := b.Now()
		_, err = person.Once(ctx, tx, by, now, func() (ID, error) { return c.ID, b.revokeServer(ctx, tx, now, by, c, r) })
		return err
	})
}

// revokeServer writes it, if by may; the certificate is locked.
func (b *Book) revokeServer(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, c ServerCertificate, r pki.Reason) error {
	if err := MayRevokeServer(c); err != nil {
		return err
	}
	var bad fault.Fields
	if !r.Allowed(c.Officer) {
		bad.Add("reason", "field.required")
	}
	if err := bad.Err(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update certificate set revoked = @now, revoked_by = @by, reason = @reason, phase = 'over', turns = null, remind = null
		where id = @id`, pgx.NamedArgs{"id": c.ID, "now": now, "by": by.Account, "reason": int16(r)})
	if err != nil {
		return fmt.Errorf("revoke certificate %s: %w", c.Reference, err)
	}
	if !c.Earlier {
		if err := b.toAnnounce(ctx, tx, now, c.ID, c.Authority); err != nil {
			return err
		}
	}
	if err := b.tellRevoked(ctx, tx, now, by, c); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: "cert.server_revoked",
		Detail: audit.Detail{"reference": c.Reference, "serial": hex.EncodeToString(c.Serial), "reason": int(r)},
		About:  []audit.Thing{c.ID.ServerThing(), c.Organisation.Thing()},
	})
}

func (b *Book) tellRevoked(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, c ServerCertificate) error {
	var to mail.Reader
	err := tx.QueryRow(ctx, `select `+LettersTo+`, a.language from organisation o join account a on a.id = o.contact where o.id = $1`, c.Organisation).Scan(&to.To, &to.Lang)
	if err != nil {
		return fmt.Errorf("read the technical contact of certificate %s: %w", c.Reference, err)
	}
	return b.Outbox.Post(ctx, tx, mail.ServerRevokedWords{
		Reader: to, Organisation: c.OrganisationName, Reference: c.Reference, Names: SpelledAll(c.Names), By: by.Name, At: now, Link: b.serverLink(c.Reference),
		Elsewhere: c.Earlier,
	})
}

func (b *Book) serverLink(reference string) string { return b.Base + paths.Certificate(reference) }
