package org

import (
	"context"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/text"
)

// OrganisationInput is an organisation as an officer enters it.
type OrganisationInput struct {
	Name        string
	Identifier  string
	Country     string // its code or its name
	AutoApprove bool
	Contact     person.ID // only read when the organisation is added; 0 is nobody
}

// identifier is a scheme, a country with or without a part of it, and the
// number there (S/MIME BR 7.1.4.2.2, Appendix A).
var identifier = regexp.MustCompile(`^[A-Z]{3}[A-Z]{2}(\+[A-Z0-9]{1,3})?(-[^\s-].*)?$`)

func (in *OrganisationInput) check() (bad fault.Fields) {
	in.Name = text.Line(in.Name)
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0:
		bad.Add("name", "field.required")
	case n > 150:
		bad.Add("name", "field.too_long", "max", 150)
	}
	in.Identifier = text.Line(in.Identifier)
	switch {
	case utf8.RuneCountInString(in.Identifier) > 100:
		bad.Add("identifier", "field.too_long", "max", 100)
	case in.Identifier != "" && !identifier.MatchString(in.Identifier):
		bad.Add("identifier", "org.organisation.identifier")
	}
	switch code, ok := ParseCountry(in.Country); {
	case text.Word(in.Country) == "":
		bad.Add("country", "field.required")
	case !ok:
		bad.Add("country", "org.organisation.country")
	default:
		in.Country = code
	}
	return bad
}

func (in OrganisationInput) args() pgx.NamedArgs {
	return pgx.NamedArgs{"name": in.Name, "identifier": in.Identifier, "country": in.Country, "auto": in.AutoApprove}
}

func (in OrganisationInput) detail() audit.Detail {
	return audit.Detail{"name": in.Name, "identifier": in.Identifier, "country": in.Country, "auto_approve": in.AutoApprove}
}

// Why an organisation is not kept as it was entered, where a form says it beside
// a field: somebody appoints themselves, another one has the name.
var (
	ErrSelf             = fault.New(fault.Conflict, "org.organisation.self")
	ErrOrganisationName = fault.New(fault.Conflict, "schema.organisation_name")
)

// mayAppoint: who appoints themselves could decide for the organisation first
// and order for it then.
func mayAppoint(by person.Actor, contact person.ID) error {
	if by.Account == contact {
		return ErrSelf
	}
	return nil
}

// AddOrganisation makes an organisation and appoints its technical contact, who
// is somebody else.
func (b *Book) AddOrganisation(ctx context.Context, by person.Actor, in OrganisationInput) (OrganisationID, error) {
	if err := person.OfficersOnly(by); err != nil {
		return 0, err
	}
	bad := in.check()
	if in.Contact == 0 {
		bad.Add("contact", "field.required")
	}
	if err := bad.Err(); err != nil {
		return 0, err
	}
	if err := mayAppoint(by, in.Contact); err != nil {
		return 0, err
	}
	var id OrganisationID
	return id, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		args := in.args()
		now := b.Now()
		args["contact"], args["now"] = in.Contact, now
		err := tx.QueryRow(ctx, `insert into organisation (name, identifier, country, contact, appointed, auto_approve, created)
			values (@name, @identifier, @country, @contact, @now, @auto, @now) returning id`, args).Scan(&id)
		if err != nil {
			return fmt.Errorf("add organisation: %w", err)
		}
		return b.note(ctx, tx, now, by, "org.organisation_added", in.detail(), id.Thing(), in.Contact.Thing())
	})
}

// EditOrganisation changes what an organisation is called and its rule.
func (b *Book) EditOrganisation(ctx context.Context, by person.Actor, id OrganisationID, in OrganisationInput) error {
	return b.keep(ctx, by, id, func(tx pgx.Tx, _ Organisation) error {
		if err := in.check().Err(); err != nil {
			return err
		}
		args := in.args()
		args["id"] = id
		_, err := tx.Exec(ctx, `update organisation set name = @name, identifier = @identifier, country = @country, auto_approve = @auto where id = @id`, args)
		if err != nil {
			return fmt.Errorf("edit organisation: %w", err)
		}
		return b.note(ctx, tx, b.Now(), by, "org.organisation_edited", in.detail(), id.Thing())
	})
}

// keep runs f for an organisation that by may keep and that nobody else changes
// meanwhile.
func (b *Book) keep(ctx context.Context, by person.Actor, id OrganisationID, f func(tx pgx.Tx, o Organisation) error) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, err := b.change(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if err := MayKeepOrganisation(by, o); err != nil {
			return err
		}
		return f(tx, o)
	})
}
