package org

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// OrganisationID is the number of an organisation.
type OrganisationID int64

// Thing is the organisation as an audit line names it.
func (id OrganisationID) Thing() audit.Thing { return audit.Thing{Kind: "organisation", ID: int64(id)} }

// OrganisationStanding is as what an actor sees an organisation: as its
// technical contact, as a registration officer, or as both.
type OrganisationStanding struct {
	Contact bool
	Officer bool
}

// Sees tells whether there is anything to see at all; to others the
// organisation is missing.
func (s OrganisationStanding) Sees() bool { return s.Contact || s.Officer }

// IsTechnicalContact is the SQL condition that @account is the technical
// contact of the organisation o, and that o is within the reach of the token
// that acts, if one does. Every statement that lists or loads something
// of an organisation is scoped by it; Scope gives the arguments.
const IsTechnicalContact = `(o.contact = @account and (@organisations::bigint[] is null or o.id = any(@organisations)))`

// Organisation is one that has server certificates. It has exactly one
// technical contact, a registered person.
type Organisation struct {
	ID           OrganisationID
	Name         string
	Identifier   string // organizationIdentifier (S/MIME BR 7.1.4.2.2), may be empty
	Country      string // ISO 3166-1, two capitals
	ContactID    person.ID
	ContactName  string
	ContactEmail string   // as of the contact's last sign-in, may be empty
	Extra        []string // further addresses that hear of certificates which end soon
	Unconfirmed  []string // likewise, of a contact before: nobody writes to them until the contact confirms them
	AutoApprove  bool     // orders without a finding need no officer
	Appointed    time.Time
	Created      time.Time
	OrganisationStanding
}

const organisationColumns = `o.id, o.name, o.identifier, o.country, o.contact as contact_id,
	c.label as contact_name, c.verified_email as contact_email,
	o.reminders as extra, o.unconfirmed, o.auto_approve, o.appointed, o.created, ` + IsTechnicalContact + ` as contact, @officer::boolean as officer`

const organisationTables = `organisation o join account c on c.id = o.contact`

// organisationLimit bounds the list; with more, an office searches.
const organisationLimit = 500

// Organisations returns those that by may see, by name, at most 500.
func (b *Book) Organisations(ctx context.Context, by person.Actor) ([]Organisation, error) {
	rows, err := b.DB.Query(ctx, `select `+organisationColumns+` from `+organisationTables+`
		where @officer or `+IsTechnicalContact+` order by lower(o.name), o.id limit @limit`, Scope(by, pgx.NamedArgs{"limit": organisationLimit}))
	if err != nil {
		return nil, fmt.Errorf("list organisations: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Organisation])
}

// OrganisationsOf returns to a registration officer those whose technical contact
// the account is, by name, at most 500.
func (b *Book) OrganisationsOf(ctx context.Context, by person.Actor, account person.ID) ([]Organisation, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+organisationColumns+` from `+organisationTables+`
		where o.contact = @of order by lower(o.name), o.id limit @limit`, Scope(by, pgx.NamedArgs{"of": account, "limit": organisationLimit}))
	if err != nil {
		return nil, fmt.Errorf("list organisations of account %d: %w", account, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Organisation])
}

// Organisation returns the organisation id if by may see it; else it is
// missing.
func (b *Book) Organisation(ctx context.Context, by person.Actor, id OrganisationID) (Organisation, error) {
	return organisation(ctx, b.DB, by, id, "")
}

// OrganisationIn is Organisation as a step: inside a transaction, which must
// not wait for a second connection.
func (b *Book) OrganisationIn(ctx context.Context, q postgres.Querier, by person.Actor, id OrganisationID) (Organisation, error) {
	return organisation(ctx, q, by, id, "")
}

// LockOrganisation is the step that loads the organisation and holds it as it
// is until tx ends: its contact, its rules and its names do not change
// meanwhile. Any number may hold it so at once.
func (b *Book) LockOrganisation(ctx context.Context, tx pgx.Tx, by person.Actor, id OrganisationID) (Organisation, error) {
	return organisation(ctx, tx, by, id, ` for share of o`)
}

// change loads the organisation to change it or its names.
func (b *Book) change(ctx context.Context, tx pgx.Tx, by person.Actor, id OrganisationID) (Organisation, error) {
	return organisation(ctx, tx, by, id, ` for no key update of o`)
}

func organisation(ctx context.Context, q postgres.Querier, by person.Actor, id OrganisationID, lock string) (Organisation, error) {
	args := Scope(by, pgx.NamedArgs{"id": id})
	if lock != "" {
		// By itself, so that the read below sees the contact who is appointed
		// when the lock was waited for.
		if _, err := one[OrganisationID](ctx, q, `select o.id from organisation o where o.id = @id and (@officer or `+IsTechnicalContact+`)`+lock, args, pgx.RowTo); err != nil {
			return Organisation{}, err
		}
	}
	return one(ctx, q, `select `+organisationColumns+` from `+organisationTables+`
		where o.id = @id and (@officer or `+IsTechnicalContact+`)`, args, pgx.RowToStructByName[Organisation])
}

func one[T any](ctx context.Context, q postgres.Querier, sql string, args pgx.NamedArgs, as pgx.RowToFunc[T]) (T, error) {
	var none T
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return none, fmt.Errorf("read organisation: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, as)
	if err != nil {
		return none, postgres.Fault(err)
	}
	return found, nil
}

// MayKeepOrganisation tells whether by may decide, set rules, validate names or
// appoint for o: a registration officer who is not its technical contact.
func MayKeepOrganisation(by person.Actor, o Organisation) error {
	switch {
	case !by.Officer:
		return fault.New(fault.Denied, "fault.officers_only")
	case by.Account == o.ContactID:
		return fault.New(fault.Denied, "org.organisation.own")
	}
	return nil
}
