package org

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/text"
)

// askLimit is how many names of an organisation may wait for an officer.
const askLimit = 20

// NameInput is a server name as somebody enters it.
type NameInput struct {
	Name     string
	Wildcard bool // for AskName a wish, on which an officer decides
}

func (in NameInput) check() (Domain, error) {
	var bad fault.Fields
	name, wrong := ParseServerName(in.Name)
	switch {
	case wrong != "":
		bad.Add("name", wrong)
	case strings.HasPrefix(name, "*."):
		bad.Add("name", "org.name.without_star")
	}
	return Domain(name), bad.Err()
}

// MayAskName tells whether by may ask for a name of o: its technical contact.
func MayAskName(by person.Actor, o Organisation) error {
	if by.Account != o.ContactID {
		return fault.New(fault.Denied, "org.organisation.contact_only")
	}
	return nil
}

// MayEndName tells whether by may end n: who keeps the organisation, or the
// technical contact as long as it is only asked for.
func MayEndName(by person.Actor, o Organisation, n ServerName) error {
	if n.Accepted == nil && by.Account == o.ContactID {
		return nil
	}
	return MayKeepOrganisation(by, o)
}

// AddName gives the organisation a name, not validated yet. One that was asked
// for is accepted by it.
func (b *Book) AddName(ctx context.Context, by person.Actor, id OrganisationID, in NameInput) (ServerNameID, error) {
	var added ServerNameID
	return added, b.keep(ctx, by, id, func(tx pgx.Tx, _ Organisation) error {
		name, err := in.check()
		if err != nil {
			return err
		}
		names, err := b.ServerNames(ctx, tx, id)
		if err != nil {
			return err
		}
		now := b.Now()
		if i := slices.IndexFunc(names, func(n ServerName) bool { return n.Name == name && n.Accepted == nil }); i >= 0 {
			added = names[i].ID
			return b.accept(ctx, tx, now, by, names[i], in.Wildcard)
		}
		if len(names) >= nameLimit {
			return fault.New(fault.Conflict, "org.name.many", "max", nameLimit)
		}
		err = tx.QueryRow(ctx, `insert into server_name (organisation, name, wildcard, accepted) values (@organisation, @name, @wildcard, @now) returning id`,
			pgx.NamedArgs{"organisation": id, "name": name, "wildcard": in.Wildcard, "now": now}).Scan(&added)
		if err != nil {
			return fmt.Errorf("add server name: %w", err)
		}
		return b.note(ctx, tx, now, by, "org.name_added", audit.Detail{"server_name": name, "wildcard": in.Wildcard}, added.Thing(), id.Thing())
	})
}

func (b *Book) accept(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, n ServerName, wildcard bool) error {
	_, err := tx.Exec(ctx, `update server_name set accepted = @now, wildcard = @wildcard where id = @id`,
		pgx.NamedArgs{"id": n.ID, "wildcard": wildcard, "now": now})
	if err != nil {
		return fmt.Errorf("accept server name: %w", err)
	}
	return b.note(ctx, tx, now, by, "org.name_accepted", audit.Detail{"server_name": n.Name, "wildcard": wildcard}, n.ID.Thing(), n.Organisation.Thing())
}

// AskName notes that the technical contact asks for a name, which the officers
// then see as a task. Asking twice changes nothing. What an accepted name
// covers need not be asked for.
func (b *Book) AskName(ctx context.Context, by person.Actor, id OrganisationID, in NameInput) (ServerNameID, error) {
	var asked ServerNameID
	return asked, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, err := b.change(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if err := MayAskName(by, o); err != nil {
			return err
		}
		name, err := in.check()
		if err != nil {
			return err
		}
		names, err := b.ServerNames(ctx, tx, id)
		if err != nil {
			return err
		}
		if asked, err = mayBeAsked(names, name); err != nil || asked != 0 {
			return err
		}
		now := b.Now()
		err = tx.QueryRow(ctx, `insert into server_name (organisation, name, wildcard, asked_by, asked)
			values (@organisation, @name, @wildcard, @by, @now) returning id`,
			pgx.NamedArgs{"organisation": id, "name": name, "wildcard": in.Wildcard, "by": by.Account, "now": now}).Scan(&asked)
		if err != nil {
			return fmt.Errorf("ask for server name: %w", err)
		}
		return b.note(ctx, tx, now, by, "org.name_asked", audit.Detail{"server_name": name, "wildcard": in.Wildcard}, asked.Thing(), id.Thing())
	})
}

// mayBeAsked refuses what is there already; a name that waits is found again.
func mayBeAsked(names []ServerName, name Domain) (waits ServerNameID, err error) {
	waiting := 0
	for _, n := range names {
		switch {
		case n.Accepted != nil && n.Name.Covers(string(name)):
			return 0, fault.New(fault.Conflict, "org.name.covered", "name", n.Name.Unicode())
		case n.Accepted == nil && n.Name == name:
			return n.ID, nil
		case n.Accepted == nil:
			waiting++
		}
	}
	if waiting >= askLimit || len(names) >= nameLimit {
		return 0, fault.New(fault.Conflict, "org.name.asked_many", "max", min(waiting, askLimit))
	}
	return 0, nil
}

// changeName runs f for a name that has not ended, with its organisation
// locked. A name of an organisation that by does not see is missing.
func (b *Book) changeName(ctx context.Context, by person.Actor, id ServerNameID, f func(tx pgx.Tx, o Organisation, n ServerName) error) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		of, err := one[OrganisationID](ctx, tx, `select o.id from server_name n join organisation o on o.id = n.organisation
			where n.id = @id and n.ended is null and (@officer or `+IsTechnicalContact+`)`, Scope(by, pgx.NamedArgs{"id": id}), pgx.RowTo)
		if err != nil {
			return err
		}
		o, err := b.change(ctx, tx, by, of)
		if err != nil {
			return err
		}
		n, err := one(ctx, tx, `select `+serverNameColumns+` from server_name n where n.id = @id and n.ended is null`,
			pgx.NamedArgs{"id": id}, pgx.RowToStructByName[ServerName])
		if err != nil {
			return err
		}
		return f(tx, o, n)
	})
}

// Check is what an officer decides about a name. A Proof without method and
// days is none.
type Check struct {
	Wildcard bool
	Proof
}

// ValidateName notes whether wildcards are allowed and how the name was
// validated; what was asked for is accepted by it. Without a proof the name is
// kept, but not validated. A proof lasts until ReuseUntil, or ends earlier where
// that is said.
func (b *Book) ValidateName(ctx context.Context, by person.Actor, id ServerNameID, in Check) error {
	return b.changeName(ctx, by, id, func(tx pgx.Tx, o Organisation, n ServerName) error {
		if err := MayKeepOrganisation(by, o); err != nil {
			return err
		}
		action, d := "org.name_edited", audit.Detail{"server_name": n.Name, "wildcard": in.Wildcard}
		now := b.Now()
		args := pgx.NamedArgs{"id": id, "wildcard": in.Wildcard, "now": now, "method": "", "by": "", "from": nil, "until": nil}
		in.Method, in.By = text.Line(in.Method), text.Line(in.By)
		if in.Method != "" || !in.From.IsZero() || !in.Until.IsZero() {
			if in.Until.IsZero() && !in.From.IsZero() {
				in.Until = ReuseUntil(in.From)
			}
			if err := in.Proof.reusable(now); err != nil {
				return err
			}
			args["method"], args["by"], args["from"], args["until"] = in.Method, in.By, in.From, in.Until
			action, d["proof"] = "org.name_validated", in.Proof.words()
		}
		_, err := tx.Exec(ctx, `update server_name set wildcard = @wildcard, accepted = coalesce(accepted, @now),
			proof_method = @method, proof_by = @by, proof_from = @from, proof_until = @until where id = @id`, args)
		if err != nil {
			return fmt.Errorf("validate server name: %w", err)
		}
		return b.note(ctx, tx, now, by, action, d, n.ID.Thing(), n.Organisation.Thing())
	})
}

// reusable checks the proof of a server name.
func (p Proof) reusable(now time.Time) error {
	var bad fault.Fields
	p.check(now, &bad)
	if p.Until.IsZero() { // it follows from the beginning
		bad = slices.DeleteFunc(bad, func(f fault.Field) bool { return f.Name == "proof_until" })
	}
	if !p.From.IsZero() && p.Until.After(ReuseUntil(p.From)) {
		bad = slices.DeleteFunc(bad, func(f fault.Field) bool { return f.Name == "proof_until" })
		bad.Add("proof_until", "org.name.reuse", "n", int(ReuseUntil(p.From).Sub(p.From).Hours()/24))
	}
	return bad.Err()
}

// EndName takes a name from the organisation; with why it is told to the
// technical contact. Certificates that were issued stay as they are.
func (b *Book) EndName(ctx context.Context, by person.Actor, id ServerNameID, why string) error {
	why = text.Lines(why)
	return b.changeName(ctx, by, id, func(tx pgx.Tx, o Organisation, n ServerName) error {
		if err := MayEndName(by, o, n); err != nil {
			return err
		}
		var bad fault.Fields
		if why == "" && by.Account != o.ContactID {
			bad.Add("why", "field.required")
		}
		if utf8.RuneCountInString(why) > 1000 {
			bad.Add("why", "field.too_long", "max", 1000)
		}
		if err := bad.Err(); err != nil {
			return err
		}
		now := b.Now()
		_, err := tx.Exec(ctx, `update server_name set ended = @now, ended_why = @why where id = @id`, pgx.NamedArgs{"id": id, "why": why, "now": now})
		if err != nil {
			return fmt.Errorf("end server name: %w", err)
		}
		return b.note(ctx, tx, now, by, endAction(n), audit.Detail{"server_name": n.Name, "why": why}, n.ID.Thing(), n.Organisation.Thing())
	})
}

func endAction(n ServerName) string {
	if n.Accepted == nil {
		return "org.name_declined"
	}
	return "org.name_ended"
}
