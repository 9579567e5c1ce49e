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
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// DomainInput is an e-mail domain as an officer enters it.
type DomainInput struct {
	Name       string // only read when the domain is added; an @ before it does no harm
	Group      GroupID
	Validation Validation
	Proof      Proof
	Vouching   OrganisationID // 0: nobody
	Authority  string         // by name; empty: the portal's own
}

func (b *Book) checkDomain(in *DomainInput, now time.Time, bad *fault.Fields) {
	if in.Authority != "" && !slices.Contains(b.Authorities, in.Authority) {
		bad.Add("authority", "org.domain.authority")
	}
	if in.Group == 0 {
		bad.Add("group", "field.required")
	}
	switch in.Validation {
	case ByMailbox:
	case ByDomain:
		in.Proof.check(now, bad)
	default:
		bad.Add("validation", "field.required")
	}
}

// ahead is how far a day begins before that of UTC, as which days are stored.
const ahead = 2 * time.Hour

// check refuses what is no proof at now, also one that is still to come.
func (p *Proof) check(now time.Time, bad *fault.Fields) {
	p.Method, p.By = text.Line(p.Method), text.Line(p.By)
	if p.Method == "" {
		bad.Add("proof_method", "field.required")
	}
	if utf8.RuneCountInString(p.Method) > 200 {
		bad.Add("proof_method", "field.too_long", "max", 200)
	}
	if utf8.RuneCountInString(p.By) > 200 {
		bad.Add("proof_by", "field.too_long", "max", 200)
	}
	switch {
	case p.From.IsZero():
		bad.Add("proof_from", "field.date")
	case p.From.After(now.Add(ahead)):
		bad.Add("proof_from", "org.proof.future")
	}
	switch {
	case p.Until.IsZero():
		bad.Add("proof_until", "field.date")
	case p.From.IsZero():
	case !p.Until.After(p.From):
		bad.Add("proof_until", "org.proof.order")
	case p.Until.Sub(p.From) > maxProof:
		bad.Add("proof_until", "org.proof.long")
	}
}

func (in DomainInput) args() pgx.NamedArgs {
	a := pgx.NamedArgs{"group": in.Group, "validation": in.Validation, "method": "", "by": "", "from": (*time.Time)(nil), "until": (*time.Time)(nil), "vouching": in.Vouching, "authority": in.Authority}
	if in.Validation == ByDomain {
		a["method"], a["by"], a["from"], a["until"] = in.Proof.Method, in.Proof.By, &in.Proof.From, &in.Proof.Until
	}
	return a
}

// domainDetail is what the audit line holds; the authority, where there are some to
// choose from.
func (b *Book) domainDetail(in DomainInput) audit.Detail {
	d := audit.Detail{"group": in.Group, "validation": in.Validation}
	if len(b.Authorities) > 1 {
		d["authority"] = in.Authority
	}
	if in.Validation == ByDomain {
		d["proof"] = in.Proof.words()
	}
	return d
}

// vouched adds the name of the organisation that vouches to d.
func (in DomainInput) vouched(ctx context.Context, tx pgx.Tx, d audit.Detail) (audit.Detail, error) {
	if in.Vouching == 0 {
		return d, nil
	}
	var name string
	if err := tx.QueryRow(ctx, `select name from organisation where id = $1`, in.Vouching).Scan(&name); err != nil {
		return nil, fmt.Errorf("read organisation %d: %w", in.Vouching, postgres.Fault(err))
	}
	d["vouching"] = name
	return d, nil
}

// words are the proof as an audit line tells it.
func (p Proof) words() string {
	return fmt.Sprintf("%s, %s, %s – %s", p.Method, p.By, p.From.Format(time.DateOnly), p.Until.Format(time.DateOnly))
}

// ErrDomainName is that the domain is registered already.
var ErrDomainName = fault.New(fault.Conflict, "schema.email_domain_name")

// AddDomain registers an e-mail domain.
func (b *Book) AddDomain(ctx context.Context, by person.Actor, in DomainInput) (Domain, error) {
	if err := person.OfficersOnly(by); err != nil {
		return "", err
	}
	var bad fault.Fields
	name, ok := ParseDomain(strings.TrimPrefix(text.Word(in.Name), "@"))
	if !ok {
		bad.Add("name", "org.domain.form")
	}
	now := b.Now()
	b.checkDomain(&in, now, &bad)
	if err := bad.Err(); err != nil {
		return "", err
	}
	return name, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		args := in.args()
		args["name"], args["now"] = name, now
		var id ID
		err := tx.QueryRow(ctx, `insert into email_domain (name, contact_group, validation, proof_method, proof_by, proof_from, proof_until, organisation, authority, created)
			values (@name, @group, @validation, @method, @by, @from, @until, nullif(@vouching::bigint, 0), @authority, @now) returning id`, args).Scan(&id)
		if err != nil {
			return fmt.Errorf("add domain: %w", err)
		}
		d, err := in.vouched(ctx, tx, b.domainDetail(in))
		if err != nil {
			return err
		}
		d["name"] = name
		return b.note(ctx, tx, now, by, "org.domain_added", d, id.Thing(), in.Group.Thing())
	})
}

// EditDomain changes the contact group and the validation of a domain; its
// name never changes.
func (b *Book) EditDomain(ctx context.Context, by person.Actor, id ID, in DomainInput) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	var bad fault.Fields
	now := b.Now()
	b.checkDomain(&in, now, &bad)
	if err := bad.Err(); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		args := in.args()
		args["id"] = id
		tag, err := tx.Exec(ctx, `update email_domain set contact_group = @group, validation = @validation, proof_method = @method,
			proof_by = @by, proof_from = @from, proof_until = @until, organisation = nullif(@vouching::bigint, 0), authority = @authority where id = @id`, args)
		if err != nil {
			return fmt.Errorf("edit domain: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Missing, "fault.missing")
		}
		d, err := in.vouched(ctx, tx, b.domainDetail(in))
		if err != nil {
			return err
		}
		return b.note(ctx, tx, now, by, "org.domain_edited", d, id.Thing(), in.Group.Thing())
	})
}

func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, action string, d audit.Detail, about ...audit.Thing) error {
	return audit.Write(ctx, tx, audit.Line{Who: by.Who(), At: now, Action: action, Detail: d, About: about})
}
