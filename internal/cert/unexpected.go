package cert

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// Unexpected is a certificate that is not what was asked for. It is nobody's: only
// registration officers see it, until they have revoked it and after.
type Unexpected struct {
	ID          ID
	Reference   string
	Authority   string
	Serial      []byte
	DER         []byte
	External    bool
	Reported    bool   // its authority was told that its key fell into other hands
	For         string // the person or the organisation that it was asked for
	Server      bool
	Differences []pki.Difference
	Came        time.Time
	NotAfter    time.Time
	Revoked     *time.Time
	Revoking    *time.Time
	Refused     *time.Time
	Unwanted    bool // and the right to what was asked for had ended, too
}

// Open tells whether somebody should look at it at now.
func (u Unexpected) Open(now time.Time) bool {
	return u.Revoked == nil && u.Revoking == nil && !now.After(u.NotAfter)
}

const unexpectedColumns = `select c.id, c.reference, c.authority, c.serial, c.der, ` + outsideColumns + `, coalesce(a.label, o.name) as "for",
	c.meant_organisation is not null as server, c.unexpected as differences, c.issued as came, c.not_after, c.revoked
	from certificate c left join account a on a.id = c.meant_account left join organisation o on o.id = c.meant_organisation
	where c.unexpected is not null`

// AllUnexpected returns them to a registration officer, at most limit: those that are
// open first, the newest of each in front.
func (b *Book) AllUnexpected(ctx context.Context, by person.Actor, limit int) ([]Unexpected, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, unexpectedColumns+` order by (c.revoked is null and c.revoking is null and c.not_after >= $2) desc, c.id desc limit $1`, limit, b.Now())
	if err != nil {
		return nil, fmt.Errorf("list unexpected certificates: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Unexpected])
}

// Unexpected returns one of them.
func (b *Book) Unexpected(ctx context.Context, by person.Actor, id ID) (Unexpected, error) {
	if err := person.OfficersOnly(by); err != nil {
		return Unexpected{}, err
	}
	return unexpected(ctx, b.DB, id)
}

func unexpected(ctx context.Context, q postgres.Querier, id ID) (Unexpected, error) {
	rows, err := q.Query(ctx, unexpectedColumns+` and c.id = $1`, id)
	if err != nil {
		return Unexpected{}, fmt.Errorf("read unexpected certificate %d: %w", id, err)
	}
	u, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Unexpected])
	return u, postgres.Fault(err)
}

// MayRevokeUnexpected tells whether an officer may revoke u.
func MayRevokeUnexpected(u Unexpected) error {
	switch {
	case u.Revoked != nil:
		return fault.New(fault.Conflict, "cert.revoked_already")
	case u.Revoking != nil:
		return errRevoking
	}
	return nil
}

// MayReportUnexpected is MayReport for what is nobody's.
func MayReportUnexpected(u Unexpected) bool { return u.Revoking != nil && !u.Reported }

// RevokeUnexpected ends it for good, as Revoke does. Nobody is told.
func (b *Book) RevokeUnexpected(ctx context.Context, by person.Actor, id ID, r pki.Reason) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select from certificate where id = $1 and unexpected is not null for update`, id); err != nil {
			return fmt.Errorf("lock certificate %d: %w", id, err)
		}
		u, err := unexpected(ctx, tx, id)
		if err != nil {
			return err
		}
		now := b.Now()
		_, err = person.Once(ctx, tx, by, now, func() (ID, error) {
			if err := b.revokeUnexpected(ctx, tx, now, by, u, r); err != nil {
				return 0, err
			}
			return id, b.keyLost(ctx, tx, now, by, id, r)
		})
		return err
	})
}

func (b *Book) revokeUnexpected(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, u Unexpected, r pki.Reason) error {
	line := audit.Line{
		Who: by.Who(), At: now, Action: "cert.revoked", About: []thing{u.ID.UnexpectedThing()},
		Detail: audit.Detail{"reference": u.Reference, "serial": hex.EncodeToString(u.Serial), "reason": int(r)},
	}
	may := MayRevokeUnexpected(u)
	if reports(may, r) {
		line.Action = "cert.key_reported"
		return b.reportKey(ctx, tx, now, u.ID, line)
	}
	if may != nil {
		return may
	}
	if err := mayGive(true, r); err != nil {
		return err
	}
	if u.External {
		line.Action = "cert.revoking"
		if err := b.startRevoking(ctx, tx, now, &by.Account, Withdrawal{Certificate: u.ID, Reason: r}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, line)
	}
	_, err := tx.Exec(ctx, `update certificate set revoked = @now, revoked_by = @by, reason = @reason where id = @id`,
		pgx.NamedArgs{"id": u.ID, "now": now, "by": by.Account, "reason": int16(r)})
	if err != nil {
		return fmt.Errorf("revoke certificate %d: %w", u.ID, err)
	}
	if err := b.toAnnounce(ctx, tx, now, u.ID, u.Authority); err != nil {
		return err
	}
	return audit.Write(ctx, tx, line)
}

// Unrevoked is a certificate that should be revoked and counts still.
type Unrevoked struct {
	ID        ID
	Reference string
	Authority string
	Server    bool
	Nobodys   bool // it is Unexpected
	For       string
	Names     []string // addresses, or names of a server
	Said      string   // by the authority, when it refused
	At        time.Time
}

// AllUnrevoked returns to a registration officer those that an authority refused to
// revoke, the newest refusal first, at most limit.
func (b *Book) AllUnrevoked(ctx context.Context, by person.Actor, limit int) ([]Unrevoked, error) {
	return b.unrevoked(ctx, by, `c.revoking_answered`, `c.revoking_refused is not null`, `desc`, pgx.NamedArgs{"limit": limit})
}

// AllRevoking returns to a registration officer those that an authority was asked to
// revoke until a moment and has not, the longest wait first, at most limit.
func (b *Book) AllRevoking(ctx context.Context, by person.Actor, until time.Time, limit int) ([]Unrevoked, error) {
	return b.unrevoked(ctx, by, `c.revoking`, `c.revoking <= @until and c.revoked is null`, ``, pgx.NamedArgs{"until": until, "limit": limit})
}

func (b *Book) unrevoked(ctx context.Context, by person.Actor, at, which, turned string, args pgx.NamedArgs) ([]Unrevoked, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	args["now"] = b.Now()
	rows, err := b.DB.Query(ctx, `
		select c.id, c.reference, c.authority, coalesce(c.organisation, c.meant_organisation) is not null as server, c.unexpected is not null as nobodys,
			coalesce(a.label, o.name) as "for", coalesce(c.names, c.emails) as names, coalesce(c.revoking_refused, '') as said, `+at+` as at
		from certificate c left join account a on a.id = coalesce(c.account, c.meant_account)
			left join organisation o on o.id = coalesce(c.organisation, c.meant_organisation)
		where `+which+` and c.not_after >= @now order by `+at+` `+turned+`, c.id limit @limit`, args)
	if err != nil {
		return nil, fmt.Errorf("list what is not revoked: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Unrevoked])
}
