package compromise

import (
	"context"
	"fmt"
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
	return certificatesIn(ctx, q, by, key, `c.row_id nulls last, c.id`, nil)
}

// certificatesIn are those that come first in the order, at most limit (nil: all).
func certificatesIn(ctx context.Context, q postgres.Querier, by person.Actor, key Digest, order string, limit *int) ([]Certificate, error) {
	rows, err := q.Query(ctx, `select `+certificateColumns+` from `+certificateTables+` where c.key = @key order by `+order+` limit @limit`,
		org.Scope(by, pgx.NamedArgs{"key": key[:], "limit": limit}))
	if err != nil {
		return nil, fmt.Errorf("read the certificates of a key: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Certificate])
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

// standing is as much of certificates as decides their fate.
type standing struct {
	Earlier, External, Compromised bool
	Said, Revoked, Revoking, Over  bool // Said: they are revoked for it; Over: they have ended
	N                              int  // how many stand so
}

// Fate of c at now.
func (c Certificate) Fate(now time.Time) Fate {
	return standing{
		Earlier: c.Earlier, External: c.External, Compromised: c.Compromised, Said: c.Reason != nil && *c.Reason == keyCompromise,
		Revoked: c.Revoked != nil, Revoking: c.Revoking != nil, Over: now.After(c.NotAfter),
	}.fate()
}

func (s standing) fate() Fate {
	switch {
	case s.Said, s.Over && !s.Revoked:
		return Stays
	case s.Earlier && (s.Revoked || s.Compromised):
		return Stays
	case s.Earlier:
		return Told
	case s.Revoked:
		return Raised
	case s.Revoking && s.Compromised:
		return Stays
	case s.Revoking:
		return Raised
	case s.External:
		return Revoking
	}
	return Revoked
}

// fates counts the certificates of a key by what becomes of them at now.
func fates(ctx context.Context, q postgres.Querier, now time.Time, key Digest) (map[Fate]int, error) {
	rows, err := q.Query(ctx, `select imported is not null as earlier, external, compromised, coalesce(reason = @reason, false) as said,
			revoked is not null as revoked, revoked is null and revoking is not null as revoking, not_after < @now as over, count(*)::int as n
		from certificate where key = @key group by 1, 2, 3, 4, 5, 6, 7`, pgx.NamedArgs{"key": key[:], "now": now, "reason": keyCompromise})
	if err != nil {
		return nil, fmt.Errorf("count the certificates of a key: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[standing])
	if err != nil {
		return nil, fmt.Errorf("count the certificates of a key: %w", err)
	}
	n := map[Fate]int{}
	for _, s := range all {
		n[s.fate()] += s.N
	}
	return n, nil
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
