package org

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// Group is a contact group.
type Group struct {
	ID      GroupID
	Name    string
	Notify  string
	Members int
	Domains int
	Claims  []string // group names of the identity provider whose carriers belong
}

const groupColumns = `c.id, c.name, c.notify,
	(select count(*) from contact_group_member m where m.contact_group = c.id) as members,
	(select count(*) from email_domain d where d.contact_group = c.id) as domains,
	array(select g.idp_group from contact_group_idp g where g.contact_group = c.id order by 1) as claims`

// Groups returns all contact groups to a registration officer, by name, at
// most 500.
func (b *Book) Groups(ctx context.Context, by person.Actor) ([]Group, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+groupColumns+` from contact_group c order by lower(c.name) limit 500`)
	if err != nil {
		return nil, fmt.Errorf("list contact groups: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Group])
}

// Member is somebody who belongs to a group by account.
type Member struct {
	Account person.ID
	Label   string
	Email   string
	Added   time.Time
}

// Group returns a contact group and its members by account.
func (b *Book) Group(ctx context.Context, by person.Actor, id GroupID) (Group, []Member, error) {
	if err := person.OfficersOnly(by); err != nil {
		return Group{}, nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+groupColumns+` from contact_group c where c.id = $1`, id)
	if err != nil {
		return Group{}, nil, fmt.Errorf("read contact group: %w", err)
	}
	g, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Group])
	if err != nil {
		return Group{}, nil, postgres.Fault(err)
	}
	rows, err = b.DB.Query(ctx, `select a.id as account, a.label, a.email, m.added
		from contact_group_member m join account a on a.id = m.account
		where m.contact_group = $1 order by lower(a.name), a.id limit 500`, id)
	if err != nil {
		return Group{}, nil, fmt.Errorf("list members: %w", err)
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByName[Member])
	return g, members, err
}

// GroupInput is a contact group as an officer enters it.
type GroupInput struct {
	Name   string
	Notify string
	Claims []string
}

func (in *GroupInput) check() error {
	var bad fault.Fields
	in.Name = text.Line(in.Name)
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0:
		bad.Add("name", "field.required")
	case n > 100:
		bad.Add("name", "field.too_long", "max", 100)
	}
	if in.Notify = text.Word(in.Notify); in.Notify != "" {
		a, wrong := ParseAddress(in.Notify)
		if wrong != "" {
			bad.Add("notify", wrong)
		}
		in.Notify = string(a)
	}
	claims := in.Claims[:0:0]
	for _, c := range in.Claims {
		if c = text.Line(c); c != "" {
			claims = append(claims, c)
		}
		if utf8.RuneCountInString(c) > 200 {
			bad.Add("claims", "field.too_long", "max", 200)
		}
	}
	in.Claims = claims
	return bad.Err()
}

func (in GroupInput) detail() audit.Detail {
	return audit.Detail{"name": in.Name, "notify": in.Notify, "claims": in.Claims}
}

// ErrGroupName is that another group has the name.
var ErrGroupName = fault.New(fault.Conflict, "schema.contact_group_name")

// AddGroup makes a contact group.
func (b *Book) AddGroup(ctx context.Context, by person.Actor, in GroupInput) (GroupID, error) {
	if err := person.OfficersOnly(by); err != nil {
		return 0, err
	}
	if err := in.check(); err != nil {
		return 0, err
	}
	var id GroupID
	return id, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		err := tx.QueryRow(ctx, `insert into contact_group (name, notify, created) values (@name, @notify, @now) returning id`,
			pgx.NamedArgs{"name": in.Name, "notify": in.Notify, "now": now}).Scan(&id)
		if err != nil {
			return fmt.Errorf("add contact group: %w", err)
		}
		return b.claim(ctx, tx, now, by, "org.group_added", id, in)
	})
}

// EditGroup changes a contact group's name, mailbox and provider groups.
func (b *Book) EditGroup(ctx context.Context, by person.Actor, id GroupID, in GroupInput) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update contact_group set name = @name, notify = @notify where id = @id`,
			pgx.NamedArgs{"id": id, "name": in.Name, "notify": in.Notify})
		if err != nil {
			return fmt.Errorf("edit contact group: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Missing, "fault.missing")
		}
		return b.claim(ctx, tx, b.Now(), by, "org.group_edited", id, in)
	})
}

func (b *Book) claim(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, action string, id GroupID, in GroupInput) error {
	if _, err := tx.Exec(ctx, `delete from contact_group_idp where contact_group = $1`, id); err != nil {
		return fmt.Errorf("set provider groups: %w", err)
	}
	_, err := tx.Exec(ctx, `insert into contact_group_idp (contact_group, idp_group) select distinct $1::bigint, c from unnest($2::text[]) c`, id, in.Claims)
	if err != nil {
		return fmt.Errorf("set provider groups: %w", err)
	}
	return b.note(ctx, tx, now, by, action, in.detail(), id.Thing())
}

// AddMember lets an account look after the group's domains. Adding twice
// changes nothing. An officer who joins a group adds themselves; the audit line
// tells.
func (b *Book) AddMember(ctx context.Context, by person.Actor, id GroupID, account person.ID) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		tag, err := tx.Exec(ctx, `insert into contact_group_member (contact_group, account, added, added_by)
			values (@group, @account, @now, @by) on conflict do nothing`,
			pgx.NamedArgs{"group": id, "account": account, "now": now, "by": by.Account})
		if err != nil {
			return fmt.Errorf("add member: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return b.note(ctx, tx, now, by, "org.member_added", nil, id.Thing(), account.Thing())
	})
}

// RemoveMember takes the account out of the group; it acts on that account's
// next request. Removing twice changes nothing.
func (b *Book) RemoveMember(ctx context.Context, by person.Actor, id GroupID, account person.ID) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from contact_group_member where contact_group = $1 and account = $2`, id, account)
		if err != nil {
			return fmt.Errorf("remove member: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return b.note(ctx, tx, b.Now(), by, "org.member_removed", nil, id.Thing(), account.Thing())
	})
}
