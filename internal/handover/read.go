package handover

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

const columns = `h.id, h.organisation, o.name as organisation_name,
	h.giver, g.label as giver_name, g.verified_email as giver_email,
	h.successor, s.label as successor_name,
	s.verified_email as successor_email, s.locked is not null as successor_locked,
	h.state, h.wrong, h.created, h.ends, h.accepted, h.reminded, h.ended,
	h.giver = @account and ` + org.IsTechnicalContact + ` as gives, ` + receives + ` as receives`

// receives is the condition that the offer h was made to @account.
const receives = `(h.successor = @account and ` + org.InSession + `)`

const tables = `handover h join organisation o on o.id = h.organisation join account g on g.id = h.giver join account s on s.id = h.successor`

// One returns the offer id to its successor and to the contact of its
// organisation; to others it is missing.
func (b *Book) One(ctx context.Context, by person.Actor, id ID) (Offer, error) {
	return b.read(ctx, b.DB, by, id)
}

func (b *Book) read(ctx context.Context, q postgres.Querier, by person.Actor, id ID) (Offer, error) {
	all, err := b.list(ctx, q, by, `h.id = @id and (`+receives+` or `+org.IsTechnicalContact+`)`, pgx.NamedArgs{"id": id})
	if err == nil && len(all) == 0 {
		err = fault.New(fault.Missing, "fault.missing")
	}
	if err != nil {
		return Offer{}, err
	}
	return all[0], nil
}

// OfOrganisation returns the newest offers of an organisation to those who see
// it, newest first, at most 20.
func (b *Book) OfOrganisation(ctx context.Context, by person.Actor, o org.OrganisationID) ([]Offer, error) {
	return b.list(ctx, b.DB, by, `h.organisation = @organisation and (@officer or `+org.IsTechnicalContact+`)
		order by h.id desc limit 20`, pgx.NamedArgs{"organisation": o})
}

// Mine returns the open offers that by made or was made, newest first, at most
// 100.
func (b *Book) Mine(ctx context.Context, by person.Actor) ([]Offer, error) {
	return b.list(ctx, b.DB, by, `h.ended is null and h.ends > @now and (`+receives+` or h.giver = @account and `+org.IsTechnicalContact+`)
		order by h.id desc limit 100`, pgx.NamedArgs{"now": b.Now()})
}

// open is the offer of an organisation that has not ended, for the portal
// itself; nil when there is none.
func (b *Book) open(ctx context.Context, q postgres.Querier, o org.OrganisationID) (*Offer, error) {
	all, err := b.list(ctx, q, person.Actor{}, `h.organisation = @organisation and h.ended is null`, pgx.NamedArgs{"organisation": o})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

func (b *Book) list(ctx context.Context, q postgres.Querier, by person.Actor, where string, args pgx.NamedArgs) ([]Offer, error) {
	rows, err := q.Query(ctx, `select `+columns+` from `+tables+` where `+where, org.Scope(by, args))
	if err != nil {
		return nil, fmt.Errorf("read handovers: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Offer])
	if err != nil {
		return nil, fmt.Errorf("read handovers: %w", postgres.Fault(err))
	}
	return all, nil
}

// Moves is what goes over with an organisation.
type Moves struct {
	Certificates int // that have not ended, been revoked or replaced
	Orders       int // that are open
	Names        int // of servers
	Tokens       int // API tokens of the present contact that lose it
}

// Moves counts for organisations that by sees or was offered; others are left
// out.
func (b *Book) Moves(ctx context.Context, by person.Actor, organisations ...org.OrganisationID) (map[org.OrganisationID]Moves, error) {
	type line struct {
		ID      org.OrganisationID
		Contact person.ID
		Moves
	}
	rows, err := b.DB.Query(ctx, `select o.id, o.contact, 0 as tokens,
			(select count(*) from certificate c where c.organisation = o.id and c.phase in ('valid', 'ending')) as certificates,
			(select count(*) from server_order s where s.organisation = o.id and s.ended is null) as orders,
			(select count(*) from server_name n where n.organisation = o.id and n.ended is null and n.accepted is not null) as names
		from organisation o where o.id = any(@ids) and (@officer or `+org.IsTechnicalContact+`
			or exists (select from handover h where h.organisation = o.id and h.ended is null and `+receives+`))`,
		org.Scope(by, pgx.NamedArgs{"ids": organisations}))
	if err != nil {
		return nil, fmt.Errorf("count what moves: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[line])
	if err != nil {
		return nil, fmt.Errorf("count what moves: %w", err)
	}
	var contacts []person.ID
	var ids []int64
	for _, l := range lines {
		contacts, ids = append(contacts, l.Contact), append(ids, int64(l.ID))
	}
	tokens, err := b.Person.TokensFor(ctx, b.DB, contacts, ids)
	if err != nil {
		return nil, err
	}
	moves := make(map[org.OrganisationID]Moves, len(lines))
	for _, l := range lines {
		l.Tokens = tokens[int64(l.ID)]
		moves[l.ID] = l.Moves
	}
	return moves, nil
}
