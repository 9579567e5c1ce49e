package org

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/person"
)

// Absent is a contact who has not signed in for long, with what rests on them.
type Absent struct {
	Account       person.ID
	Label         string
	SignedIn      time.Time
	Locked        bool
	Groups        []Kept // contact groups, by account or by a group of the provider
	Organisations []Kept // whose technical contact they are
	Tokens        int    // API tokens that are not over; they sleep, or soon do
}

// Kept is something that a contact looks after.
type Kept struct {
	ID   int64
	Name string
	Only bool // nobody else looks after it, as far as the portal knows
}

// absentLimit bounds Absents.
const absentLimit = 200

// Absents returns to a registration officer the contacts, of organisations and in
// contact groups, who have not signed in since a time, longest ago first, at most 200;
// more tells that there are others. Whom a group of the provider makes a contact is one
// as of their last sign-in.
func (b *Book) Absents(ctx context.Context, by person.Actor, since time.Time) (all []Absent, more bool, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, false, err
	}
	rows, err := b.DB.Query(ctx, `
		with keeps as materialized (
			select m.account, m.contact_group from contact_group_member m
			union select a.id, g.contact_group from account a join contact_group_idp g on g.idp_group = any(a.groups)),
		away as (
			select a.id, a.label, a.signed_in, a.locked is not null as locked from account a
			where a.signed_in < @since and (exists (select from keeps k where k.account = a.id) or exists (select from organisation o where o.contact = a.id))
			order by a.signed_in, a.id limit @limit)
		select a.id as account, a.label, a.signed_in, a.locked,
			coalesce((select jsonb_agg(jsonb_build_object('ID', c.id, 'Name', c.name, 'Only',
					not exists (select from keeps o where o.contact_group = c.id and o.account <> a.id)) order by lower(c.name))
				from keeps k join contact_group c on c.id = k.contact_group where k.account = a.id), '[]') as groups,
			coalesce((select jsonb_agg(jsonb_build_object('ID', o.id, 'Name', o.name, 'Only', true) order by lower(o.name))
				from organisation o where o.contact = a.id), '[]') as organisations,
			(select count(*) from token t where t.account = a.id and t.withdrawn is null and t.ends > @now) as tokens
		from away a order by a.signed_in, a.id`, pgx.NamedArgs{"since": since, "now": b.Now(), "limit": absentLimit + 1})
	if err != nil {
		return nil, false, fmt.Errorf("list contacts who do not sign in: %w", err)
	}
	if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Absent]); err != nil {
		return nil, false, fmt.Errorf("list contacts who do not sign in: %w", err)
	}
	if len(all) > absentLimit {
		return all[:absentLimit], true, nil
	}
	return all, false, nil
}
