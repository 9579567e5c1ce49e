package cert

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// Watch hears of keys that fell into other hands.
type Watch interface {
	// Hold takes the locks that KeyLost needs for any of these certificates and of those
	// of the row that count (0: none), in one order for everybody. It comes before every
	// other lock of an operation.
	Hold(ctx context.Context, tx pgx.Tx, row mailbox.ID, ids ...ID) error
	// KeyLost is the step of somebody who may revoke the certificate and says that its
	// key fell into other hands: what else of that key they may revoke falls with it,
	// the rest waits for an officer. One that was revoked for another reason is now
	// revoked for this one.
	KeyLost(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id ID) error
}

// MayRaise tells whether the reader of c, which was revoked for another reason, may say
// that its key fell into other hands.
func MayRaise(c Certificate) bool {
	return raisable(c.Revoked, c.Reason, c.Earlier) && (c.Mine || c.Officer || c.Contact && !c.RowActive)
}

// MayRaiseServer is MayRaise for a server's.
func MayRaiseServer(c ServerCertificate) bool {
	return raisable(c.Revoked, c.Reason, c.Earlier) && c.Sees()
}

func raisable(revoked *time.Time, reason *int16, earlier bool) bool {
	return revoked != nil && !earlier && reason != nil && pki.Reason(*reason) != pki.KeyCompromise
}

// Hold is the step before every other lock of an operation that is about to revoke
// certificates, or those of a row, for r: the watch takes its locks.
func (b *Book) Hold(ctx context.Context, tx pgx.Tx, r pki.Reason, row mailbox.ID, ids ...ID) error {
	if r != pki.KeyCompromise || b.Watch == nil {
		return nil
	}
	return b.Watch.Hold(ctx, tx, row, ids...)
}

// keyLost tells the watch, if that is why the certificate was revoked.
func (b *Book) keyLost(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id ID, r pki.Reason) error {
	if r != pki.KeyCompromise || b.Watch == nil {
		return nil
	}
	return b.Watch.KeyLost(ctx, tx, now, by, id)
}

// KeyFell is the step that ends a certificate because its key fell into other hands:
// the portal's own is revoked, the authority of one from outside is asked to. What was
// revoked for another reason, or is being, is so for this one from now on; one from
// before the portal is only marked. by is nil where nobody was signed in. Row and
// certificate are locked; who is to be told, and the audit line, are the caller's.
func (b *Book) KeyFell(ctx context.Context, tx pgx.Tx, now time.Time, by *person.ID, id ID) error {
	var (
		w                 = Withdrawal{Certificate: id, Reason: pki.KeyCompromise}
		row               *mailbox.ID
		external, earlier bool
		revoked, revoking *time.Time
	)
	err := tx.QueryRow(ctx, `update certificate c set compromised = c.external or c.imported is not null,
			revoked = case when w.own then coalesce(c.revoked, @now) else c.revoked end,
			revoked_by = case when w.own and c.revoked is null then @by else c.revoked_by end,
			reason = case when w.own or c.revoked is not null then @reason::smallint end,
			phase = case when w.own and c.organisation is not null then 'over' else c.phase end,
			turns = case when w.own then null else c.turns end, remind = case when w.own then null else c.remind end
		from (select id, revoked, revoking, not external and imported is null as own from certificate where id = @id) w
		where c.id = w.id returning c.row_id, c.authority, c.der, c.external, c.imported is not null, w.revoked, w.revoking`,
		pgx.NamedArgs{"id": id, "now": now, "by": by, "reason": int16(pki.KeyCompromise)}).
		Scan(&row, &w.Authority, &w.DER, &external, &earlier, &revoked, &revoking)
	if err != nil {
		return fmt.Errorf("end certificate %d, whose key fell: %w", id, err)
	}
	switch {
	case earlier, external && revoked != nil:
		return nil
	case external && revoking != nil: // for another reason: it is told this one, if it still asks
		return b.withdraw(ctx, tx, now, w)
	case external:
		if err := b.startRevoking(ctx, tx, now, by, w); err != nil || row == nil {
			return err
		}
		return b.Mailbox.NoteRevoking(ctx, tx, int64(id), &now)
	case revoked == nil && row != nil:
		if err := b.Mailbox.NoteRevocation(ctx, tx, *row, int64(id), now); err != nil {
			return err
		}
	}
	return b.toAnnounce(ctx, tx, now, id, w.Authority)
}
