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
	case c.Revoking != nil:
		return errRevoking
	}
	return nil
}

// MayReportServer is MayReport for a server's.
func MayReportServer(c ServerCertificate) bool { return c.Revoking != nil && !c.Reported && c.Sees() }

// ServerReasons are those the reader of c may give.
func ServerReasons(c ServerCertificate) []pki.ReasonFacts { return pki.Reasons(c.Officer) }

// RevokeServer ends a server certificate for good. The list that announces it is
// signed at once, and the technical contact is told. An authority outside is asked to revoke it,
// as with Revoke.
func (b *Book) RevokeServer(ctx context.Context, by person.Actor, reference string, r pki.Reason) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		c, err := server(ctx, tx, by, reference)
		if err == nil {
			err = b.Hold(ctx, tx, r, 0, c.ID)
		}
		if err == nil {
			c, err = b.LockServer(ctx, tx, by, reference)
		}
		if err != nil {
			return err
		}
		now := b.Now()
		_, err = person.Once(ctx, tx, by, now, func() (ID, error) {
			if err := b.revokeServer(ctx, tx, now, by, c, r); err != nil {
				return 0, err
			}
			return c.ID, b.keyLost(ctx, tx, now, by, c.ID, r)
		})
		return err
	})
}

// revokeServer writes it, if by may; the certificate is locked.
func (b *Book) revokeServer(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, c ServerCertificate, r pki.Reason) error {
	if r == pki.KeyCompromise && MayRaiseServer(c) {
		return nil // the watch does
	}
	may := MayRevokeServer(c)
	if reports(may, r) {
		return b.reportKey(ctx, tx, now, c.ID, c.revokedLine("cert.key_reported", now, by, r))
	}
	if may != nil {
		return may
	}
	if err := mayGive(c.Officer, r); err != nil {
		return err
	}
	if c.External {
		if err := b.startRevoking(ctx, tx, now, &by.Account, Withdrawal{Certificate: c.ID, Reason: r}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, c.revokedLine("cert.server_revoking", now, by, r))
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
	return audit.Write(ctx, tx, c.revokedLine("cert.server_revoked", now, by, r))
}

func (c ServerCertificate) revokedLine(action string, now time.Time, by person.Actor, r pki.Reason) audit.Line {
	return audit.Line{
		Who: by.Who(), At: now, Action: action,
		Detail: audit.Detail{"reference": c.Reference, "serial": hex.EncodeToString(c.Serial), "reason": int(r)},
		About:  []audit.Thing{c.ID.ServerThing(), c.Organisation.Thing()},
	}
}

func (b *Book) tellRevoked(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, c ServerCertificate) error {
	to, link, err := b.ReaderOf(ctx, tx, c.ID, c.Reference, &c.Organisation)
	if err != nil {
		return err
	}
	return b.Outbox.Post(ctx, tx, mail.ServerRevokedWords{
		Reader: to, Organisation: c.OrganisationName, Reference: c.Reference, Names: SpelledAll(c.Names), By: by.Name, At: now, Link: link,
		Elsewhere: c.Earlier,
	})
}

func (b *Book) serverLink(reference string) string { return b.Base + paths.Certificate(reference) }
