package org

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/person"
)

// Membership is a contact group that an account belongs to.
type Membership struct {
	Group   GroupID
	Name    string
	Account bool // by account
	Claim   bool // by a group of the identity provider
}

// Memberships returns the contact groups of an account whose groups at the
// identity provider are claims, by name, to a registration officer.
func (b *Book) Memberships(ctx context.Context, by person.Actor, account person.ID, claims []string) ([]Membership, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select * from (
			select c.id as group, c.name,
				exists (select from contact_group_member m where m.contact_group = c.id and m.account = @account) as account,
				exists (select from contact_group_idp g where g.contact_group = c.id and g.idp_group = any(@claims)) as claim
			from contact_group c) x
		where account or claim order by lower(name) limit 500`,
		pgx.NamedArgs{"account": account, "claims": claims})
	if err != nil {
		return nil, fmt.Errorf("list memberships of account %d: %w", account, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Membership])
}

// KnownGroups returns those of the provider's groups that make anybody a member of
// a contact group, in order.
func (b *Book) KnownGroups(ctx context.Context, all []string) ([]string, error) {
	rows, err := b.DB.Query(ctx, `select distinct idp_group from contact_group_idp where idp_group = any($1) order by 1`, all)
	if err != nil {
		return nil, fmt.Errorf("look for groups of the provider: %w", err)
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for groups of the provider: %w", err)
	}
	return known, nil
}

// LooksAfter is IsContact for work that goes on without a request: the SQL
// condition that the account a, with the provider's groups as of its last
// sign-in, belongs to the contact group of the email_domain d.
const LooksAfter = `(exists (select from contact_group_member m where m.contact_group = d.contact_group and m.account = a.id)
	or exists (select from contact_group_idp g where g.contact_group = d.contact_group and g.idp_group = any(a.groups)))`
