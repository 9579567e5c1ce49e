package compromise

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Certificate is one of a key: whose it is, and how it stands.
type Certificate struct {
	ID               cert.ID
	Reference        string
	Serial           []byte
	Row              *mailbox.ID // of a mailbox
	Account          *person.ID
	Organisation     *org.OrganisationID // of a server
	OrganisationName string
	For              string // the holder's or the organisation's name; of what is nobody's, whose it would have been
	Emails           []string
	Names            []string
	NotBefore        time.Time
	NotAfter         time.Time
	Revoked          *time.Time
	Reason           *int16
	Revoking         *time.Time
	Refused          *time.Time
	Earlier          bool // it is from before the portal, which cannot revoke it
	External         bool // an authority outside signed it
	Compromised      bool // its authority was told why already
	Unexpected       bool // it is nobody's
	Server           bool
	Mine             bool // the reader holds it
	Contact          bool // the reader looks after its domain, or after its organisation
	RowActive        bool
	Officer          bool // the reader is a registration officer
}

const certificateColumns = `c.id, c.reference, c.serial, c.row_id as row, c.account, c.organisation, coalesce(o.name, '') as organisation_name,
	coalesce(a.label, o.name, '') as "for", c.emails, coalesce(c.names, '{}') as names, c.not_before, c.not_after, c.revoked, c.reason,
	case when c.revoked is null then c.revoking end as revoking,
	case when c.revoked is null and c.revoking_refused is not null then c.revoking_answered end as refused,
	c.imported is not null as earlier, c.external, c.compromised,
	c.unexpected is not null as unexpected, coalesce(c.organisation, c.meant_organisation) is not null as server,
	coalesce(c.account = @account and ` + org.InSession + `, false) as mine, coalesce(r.active, false) as row_active,
	case when c.organisation is not null then ` + org.IsTechnicalContact + ` else coalesce(` + org.IsContact + `, false) end as contact,
	@officer::boolean as officer`

const certificateTables = `certificate c left join account a on a.id = coalesce(c.account, c.meant_account)
	left join organisation o on o.id = coalesce(c.organisation, c.meant_organisation)
	left join address_row r on r.id = c.row_id left join email_domain d on d.id = r.domain`

// certificates are all of a key as by sees them, those of the rows with the smallest
// numbers first.
func certificates(ctx context.Context, q postgres.Querier, by person.Actor, key Digest) ([]Certificate, error) {
	rows, err := q.Query(ctx, `select `+certificateColumns+` from `+certificateTables+` where c.key = @key order by c.row_id nulls last, c.id`,
		org.Scope(by, pgx.NamedArgs{"key": key[:]}))
	if err != nil {
		return nil, fmt.Errorf("read the certificates of a key: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Certificate])
}

// hold locks the key against certificates that come meanwhile, and its certificates
// with their rows, and returns all of them.
func (b *Book) hold(ctx context.Context, tx pgx.Tx, by person.Actor, key Digest) ([]Certificate, error) {
	rows, err := tx.Query(ctx, `select distinct row_id from certificate where key = $1 and row_id is not null`, key[:])
	if err != nil {
		return nil, fmt.Errorf("look for the rows of a key: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[mailbox.ID])
	if err != nil {
		return nil, fmt.Errorf("look for the rows of a key: %w", err)
	}
	for {
		if err := b.Cert.Mailbox.LockRows(ctx, tx, ids); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `select from certificate where key = $1 order by id for update`, key[:]); err != nil {
			return nil, fmt.Errorf("lock the certificates of a key: %w", err)
		}
		// Who records one of it holds this until their end: nobody is at it from here on.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('blocked_key'), hashtext($1))`, key.String()); err != nil {
			return nil, fmt.Errorf("lock a key: %w", err)
		}
		all, err := certificates(ctx, tx, by, key)
		if err != nil {
			return nil, err
		}
		came := missed(all, ids)
		if len(came) == 0 {
			return all, nil
		}
		ids = append(ids, came...)
	}
}

// missed are the rows of what came while somebody waited for the locks.
func missed(all []Certificate, locked []mailbox.ID) (ids []mailbox.ID) {
	for _, c := range all {
		if c.Row != nil && !slices.Contains(locked, *c.Row) {
			ids = append(ids, *c.Row)
		}
	}
	return ids
}

// Fate is what becomes of a certificate when its key falls.
type Fate string

const (
	Stays    Fate = ""         // it says so already, or it is over and was never revoked
	Revoked  Fate = "revoked"  // by an authority of the portal
	Revoking Fate = "revoking" // its authority, one outside, is asked
	Told     Fate = "told"     // its holder alone can have it revoked
	Raised   Fate = "raised"   // it was revoked for another reason, or is being
)

// Fate of c at now.
func (c Certificate) Fate(now time.Time) Fate {
	said := c.Reason != nil && *c.Reason == keyCompromise
	over := now.After(c.NotAfter)
	switch {
	case said, over && c.Revoked == nil:
		return Stays
	case c.Earlier && (c.Revoked != nil || c.Compromised):
		return Stays
	case c.Earlier:
		return Told
	case c.Revoked != nil:
		return Raised
	case c.Revoking != nil && c.Compromised:
		return Stays
	case c.Revoking != nil:
		return Raised
	case c.External:
		return Revoking
	}
	return Revoked
}

// Falls tells whether c stops counting, now or soon.
func (f Fate) Falls() bool { return f == Revoked || f == Revoking }

// mayRevoke tells whether by, who reads c, may revoke it without more ado than saying
// so: it is what cert.MayRevoke and cert.MayRevokeServer say of their own. A token may
// only what it was made for, whichever certificate it began with.
func (c Certificate) mayRevoke(by person.Actor) bool {
	verb := person.RevokeClientCertificates
	if c.Server {
		verb = person.RevokeCertificates
	}
	switch {
	case by.Can(verb) != nil:
		return false
	case c.Officer:
		return true
	case c.Unexpected:
		return false
	case c.Server:
		return c.Contact
	}
	return c.Mine || c.Contact && !c.RowActive
}

// things are what an audit line about c names.
func (c Certificate) things() []audit.Thing {
	switch {
	case c.Unexpected:
		return []audit.Thing{c.ID.UnexpectedThing()}
	case c.Server:
		return []audit.Thing{c.ID.ServerThing(), c.Organisation.Thing()}
	}
	return []audit.Thing{c.ID.Thing(), c.Row.Thing(), c.Account.Thing()}
}
