package org

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/person"
)

// NameCount is how many names an organisation has.
type NameCount struct {
	Organisation OrganisationID
	Accepted     int
	Proven       int // of the accepted ones
	Asked        int
}

// NameCounts counts the names of the organisations that by sees.
func (b *Book) NameCounts(ctx context.Context, by person.Actor) (map[OrganisationID]NameCount, error) {
	now := b.Now()
	rows, err := b.DB.Query(ctx, `select n.organisation, count(n.accepted) as accepted, count(*) - count(n.accepted) as asked,
			count(*) filter (where n.proof_from <= @now and n.proof_until > @now and n.proof_from > @oldest) as proven
		from server_name n join organisation o on o.id = n.organisation
		where n.ended is null and (@officer or `+IsTechnicalContact+`) group by n.organisation`,
		Scope(by, pgx.NamedArgs{"now": now, "oldest": now.AddDate(0, 0, -ReuseDays(now))}))
	if err != nil {
		return nil, fmt.Errorf("count server names: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[NameCount])
	if err != nil {
		return nil, fmt.Errorf("count server names: %w", err)
	}
	counts := make(map[OrganisationID]NameCount, len(all))
	for _, c := range all {
		counts[c.Organisation] = c
	}
	return counts, nil
}

// ServerName returns the name id of an organisation that by sees, also one that
// has ended; else it is missing.
func (b *Book) ServerName(ctx context.Context, by person.Actor, id ServerNameID) (ServerName, error) {
	return one(ctx, b.DB, `select `+serverNameColumns+` from server_name n join organisation o on o.id = n.organisation
		where n.id = @id and (@officer or `+IsTechnicalContact+`)`, Scope(by, pgx.NamedArgs{"id": id}), pgx.RowToStructByName[ServerName])
}

// AskedName is a name that waits for an officer.
type AskedName struct {
	ServerName
	OrganisationName string
	AskedByName      string
	OrganisationStanding
}

// AskedNames returns to officers what names wait for them, the longest waiting
// first, at most 100.
func (b *Book) AskedNames(ctx context.Context, by person.Actor) ([]AskedName, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+serverNameColumns+`, o.name as organisation_name, c.label as asked_by_name,
			`+IsTechnicalContact+` as contact, @officer::boolean as officer
		from server_name n join organisation o on o.id = n.organisation join account c on c.id = n.asked_by
		where n.accepted is null and n.ended is null order by n.asked, n.id limit 100`, Scope(by, nil))
	if err != nil {
		return nil, fmt.Errorf("list asked names: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[AskedName])
}

// LapsingName is a name whose validation has lapsed or soon will.
type LapsingName struct {
	ServerName
	OrganisationName string
}

// LapsingNames returns to an officer the accepted names that are not proven at
// the time given, those that were never validated first, at most 100. Names of
// organisations whose technical contact the officer is are left to others.
func (b *Book) LapsingNames(ctx context.Context, by person.Actor, at time.Time) ([]LapsingName, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	return b.lapsing(ctx, by, at, `not `+IsTechnicalContact)
}

// OwnLapsingNames are likewise those of organisations whose technical contact by is.
func (b *Book) OwnLapsingNames(ctx context.Context, by person.Actor, at time.Time) ([]LapsingName, error) {
	return b.lapsing(ctx, by, at, IsTechnicalContact)
}

func (b *Book) lapsing(ctx context.Context, by person.Actor, at time.Time, whose string) ([]LapsingName, error) {
	rows, err := b.DB.Query(ctx, `select `+serverNameColumns+`, o.name as organisation_name
		from server_name n join organisation o on o.id = n.organisation
		where n.accepted is not null and n.ended is null and `+whose+`
			and (n.proof_until is null or n.proof_until <= @at or n.proof_from <= @oldest)
		order by n.proof_until nulls first, n.id limit 100`, Scope(by, pgx.NamedArgs{"at": at, "oldest": at.AddDate(0, 0, -ReuseDays(at))}))
	if err != nil {
		return nil, fmt.Errorf("list names to validate: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[LapsingName])
}
