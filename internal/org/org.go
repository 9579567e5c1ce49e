// Package org holds what belongs to the organisation rather than to a person:
// its e-mail domains, how each is validated, and the contact groups that look
// after them; organisations with their technical contacts and the names of
// their servers. It decides who sees a domain or an organisation and as what,
// and whether a name belongs to one. It never touches an address row, an order
// or a certificate.
package org

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// ID is the number of an e-mail domain.
type ID int64

// Thing is the domain as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "email_domain", ID: int64(id)} }

// GroupID is the number of a contact group.
type GroupID int64

// Thing is the group as an audit line names it.
func (id GroupID) Thing() audit.Thing { return audit.Thing{Kind: "contact_group", ID: int64(id)} }

// Standing is as what an actor sees a domain. Membership in the domain's
// primary contact group makes a contact; a registration officer who is none
// reads, but edits no row.
type Standing struct {
	Contact bool
	Officer bool
}

// Sees tells whether there is anything to see at all; to others the domain is
// missing.
func (s Standing) Sees() bool { return s.Contact || s.Officer }

// IsContact is the SQL condition that @account, or one of its provider's
// @groups, belongs to the contact group of the email_domain d, and that d is
// within the reach of the token that acts, if one does. Every statement that
// lists or loads something of a domain is scoped by it.
const IsContact = `((@domains::bigint[] is null or d.id = any(@domains)) and (exists (select from contact_group_member m where m.contact_group = d.contact_group and m.account = @account)
	or exists (select from contact_group_idp g where g.contact_group = d.contact_group and g.idp_group = any(@groups))))`

// Scope returns the arguments that IsContact, IsTechnicalContact and scoped
// statements need, with more added: account, groups, officer, and what the
// actor's token leaves of it as domains and organisations, null without one.
func Scope(by person.Actor, more pgx.NamedArgs) pgx.NamedArgs {
	a := pgx.NamedArgs{"account": by.Account, "groups": by.Groups, "officer": by.Officer, "domains": nil, "organisations": nil}
	if by.Groups == nil {
		a["groups"] = []string{}
	}
	if r := by.Reach; r != nil {
		a["domains"], a["organisations"] = append([]int64{}, r.Domains...), append([]int64{}, r.Organisations...)
	}
	for k, v := range more {
		a[k] = v
	}
	return a
}

// InSession is the SQL condition that a person acts in a session. What is their
// own for another reason than a domain or an organisation (a certificate issued
// to them, a row linked to them) is out of every token's reach.
const InSession = `(@domains::bigint[] is null)`

// Validation is how control over a domain's addresses is shown.
type Validation string

const (
	ByDomain  Validation = "domain"  // the domain itself is validated; see Proof
	ByMailbox Validation = "mailbox" // each challenge mail validates its address (S/MIME BR 3.2.2.2)
)

// ChallengeLife is how long a challenge may be answered from its sending on.
func (v Validation) ChallengeLife() time.Duration {
	if v == ByDomain {
		return 14 * 24 * time.Hour
	}
	return 24 * time.Hour
}

// maxProof is how long the validation of a domain counts (S/MIME BR 4.2.1).
const maxProof = 398 * 24 * time.Hour

// Proof records who validated a domain, how, and from when until when. It is
// empty where mailboxes are validated one by one.
type Proof struct {
	Method string
	By     string
	From   time.Time
	Until  time.Time
}

// EmailDomain is a domain whose addresses the portal looks after.
type EmailDomain struct {
	ID          ID
	Name        Domain
	Group       GroupID
	GroupName   string
	Notify      string // the group's mailbox for declines and conflicts, may be empty
	Validation  Validation
	ProofMethod string
	ProofBy     string
	ProofFrom   *time.Time
	ProofUntil  *time.Time
	Vouching    *OrganisationID // the organisation that vouches for the domain's people
	Authority   string          // by name, that certificates for its addresses come from; empty: the portal's own
	Standing
}

// Proven tells whether the domain's own validation counts at now.
func (d EmailDomain) Proven(now time.Time) bool {
	return d.Validation == ByDomain && d.ProofUntil != nil && !now.Before(*d.ProofFrom) && now.Before(*d.ProofUntil)
}

const domainColumns = `d.id, d.name, d.contact_group as group, g0.name as group_name, g0.notify, d.validation,
	d.proof_method, d.proof_by, d.proof_from, d.proof_until, d.organisation as vouching, d.authority, ` + IsContact + ` as contact, @officer::boolean as officer`

const domainTables = `email_domain d join contact_group g0 on g0.id = d.contact_group`

// Book keeps domains and contact groups, organisations and the names of servers.
type Book struct {
	DB     *postgres.DB
	People *person.Book
	Now    func() time.Time
	Outbox *mail.Outbox
	Base   string // the portal's own address, for letters
	// Authorities are the names of those that issue for mailboxes, from which a
	// domain may have one.
	Authorities []string
}

// Domains returns the domains that by may see, by name, at most 500.
func (b *Book) Domains(ctx context.Context, by person.Actor) ([]EmailDomain, error) {
	rows, err := b.DB.Query(ctx, `select `+domainColumns+` from `+domainTables+`
		where @officer or `+IsContact+` order by d.name limit 500`, Scope(by, nil))
	if err != nil {
		return nil, fmt.Errorf("list domains: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[EmailDomain])
}

// Sections are the parts of the portal that somebody may use besides their own.
type Sections struct {
	Domains       bool // a contact of an e-mail domain
	Organisations bool // the technical contact of an organisation
}

// Sections tells what by looks after; it decides which sections are shown.
func (b *Book) Sections(ctx context.Context, by person.Actor) (s Sections, err error) {
	err = b.DB.QueryRow(ctx, `select exists (select from email_domain d where `+IsContact+`), exists (select from organisation o where `+IsTechnicalContact+`)`,
		Scope(by, nil)).Scan(&s.Domains, &s.Organisations)
	if err != nil {
		return Sections{}, fmt.Errorf("look for what account %d looks after: %w", by.Account, err)
	}
	return s, nil
}

// Domain returns the domain called name if by may see it; else it is missing.
func (b *Book) Domain(ctx context.Context, by person.Actor, name string) (EmailDomain, error) {
	return domain(ctx, b.DB, by, `d.name = @name`, pgx.NamedArgs{"name": name})
}

// DomainIn is Domain as a step: inside a transaction, which must not wait for a
// second connection.
func (b *Book) DomainIn(ctx context.Context, q postgres.Querier, by person.Actor, name string) (EmailDomain, error) {
	return domain(ctx, q, by, `d.name = @name`, pgx.NamedArgs{"name": name})
}

// DomainByID is Domain by number.
func (b *Book) DomainByID(ctx context.Context, by person.Actor, id ID) (EmailDomain, error) {
	return domain(ctx, b.DB, by, `d.id = @id`, pgx.NamedArgs{"id": id})
}

func domain(ctx context.Context, q postgres.Querier, by person.Actor, where string, args pgx.NamedArgs) (EmailDomain, error) {
	rows, err := q.Query(ctx, `select `+domainColumns+` from `+domainTables+` where `+where, Scope(by, args))
	if err != nil {
		return EmailDomain{}, fmt.Errorf("read domain: %w", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[EmailDomain])
	if err != nil {
		return EmailDomain{}, postgres.Fault(err)
	}
	if !d.Sees() {
		return EmailDomain{}, fault.New(fault.Missing, "fault.missing")
	}
	return d, nil
}

// Known is the step that returns the registered domains among names, seen by
// by. Domains match exactly: a subdomain is registered by itself.
func (b *Book) Known(ctx context.Context, q postgres.Querier, by person.Actor, names []string) (map[Domain]EmailDomain, error) {
	rows, err := q.Query(ctx, `select `+domainColumns+` from `+domainTables+` where d.name = any(@names)`,
		Scope(by, pgx.NamedArgs{"names": names}))
	if err != nil {
		return nil, fmt.Errorf("read domains: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[EmailDomain])
	if err != nil {
		return nil, fmt.Errorf("read domains: %w", err)
	}
	known := make(map[Domain]EmailDomain, len(all))
	for _, d := range all {
		known[d.Name] = d
	}
	return known, nil
}
