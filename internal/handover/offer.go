package handover

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// MayOffer tells whether the reader of o may hand it over: its technical
// contact.
func MayOffer(o org.Organisation) error {
	if !o.Contact {
		return fault.New(fault.Denied, "handover.contact_only")
	}
	return nil
}

// mostAtOnce is how many organisations one form hands over.
const mostAtOnce = 50

func few(organisations []org.OrganisationID) error {
	switch {
	case len(organisations) == 0:
		return fault.New(fault.Invalid, "handover.none")
	case len(organisations) > mostAtOnce:
		return fault.New(fault.Invalid, "handover.many", "max", mostAtOnce)
	}
	return nil
}

// Wish is what somebody wants to hand over to whom, as a form sends it.
type Wish struct {
	Organisations []org.OrganisationID // one or several, at most 50
	Email         string               // of the successor
	Successor     person.ID            // whom the giver was shown; 0: nobody
	Form          string               // of the form; the same one makes no second offer (ErrFormUsed). Empty: a new one
}

// WithPassword is a new offer with its session password, 4-4-4-4: the only time
// that it can be read.
type WithPassword struct {
	Offer
	Password string
}

// ErrFormUsed is that a form which made offers was sent again.
var ErrFormUsed = fault.New(fault.Conflict, "schema.handover_form")

// Offer offers organisations to a successor, all or none; each offer has its own
// password and its own end. An open offer of an organisation is replaced. A
// successor who was not shown before is looked up: ErrLookUps. ErrBusy when too
// many passwords are being made.
func (b *Book) Offer(ctx context.Context, by person.Actor, in Wish) ([]WithPassword, error) {
	in.Organisations = slices.Compact(slices.Sorted(slices.Values(in.Organisations))) // locked in this order
	if err := few(in.Organisations); err != nil {
		return nil, err
	}
	if in.Form == "" {
		in.Form = rand.Text()
	}
	now := b.Now()
	if err := b.ready(ctx, now, by, in); err != nil {
		return nil, err
	}
	passwords, hashes, err := b.newPasswords(ctx, by, len(in.Organisations))
	if err != nil {
		return nil, err
	}
	var made []WithPassword
	return made, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		made = nil
		for i, id := range in.Organisations {
			o, err := b.offer(ctx, tx, now, by, id, in, hashes[i])
			if err != nil {
				return err
			}
			made = append(made, WithPassword{o, passwords[i]})
		}
		return nil
	})
}

// ready tells whether an offer would come about, before anything is done for it
// that costs something: the right, the brakes, the form, the successor. All of it
// is asked again when the organisations are held.
func (b *Book) ready(ctx context.Context, now time.Time, by person.Actor, in Wish) error {
	if err := b.mayOffer(ctx, by, in.Organisations); err != nil {
		return err
	}
	rows, err := b.DB.Query(ctx, `select exists (select from handover where organisation = any(@organisations) and form = @form)`,
		pgx.NamedArgs{"organisations": in.Organisations, "form": text.Line(in.Form)})
	if err != nil {
		return fmt.Errorf("look for a form: %w", err)
	}
	if used, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool]); err != nil {
		return fmt.Errorf("look for a form: %w", err)
	} else if used {
		return ErrFormUsed
	}
	if to, err := b.find(ctx, b.DB, by, in.Email); err != nil || to.Account != in.Successor {
		if _, err := b.lookUp(ctx, now, by, in.Email); err != nil {
			return err
		}
		if in.Successor != 0 {
			return errSuccessorChanged
		}
	}
	for _, id := range in.Organisations {
		if err := b.brake(ctx, b.DB, id, now); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) offer(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id org.OrganisationID, in Wish, hash string) (Offer, error) {
	if _, err := b.Org.OrganisationIn(ctx, tx, by, id); err != nil {
		return Offer{}, err
	}
	of, err := b.Org.HoldOrganisation(ctx, tx, by, id)
	if err != nil {
		return Offer{}, err
	}
	if !of.Sees() { // somebody else became the contact meanwhile
		return Offer{}, fault.New(fault.Missing, "fault.missing")
	}
	if err := MayOffer(of); err != nil {
		return Offer{}, err
	}
	to, err := b.find(ctx, tx, by, in.Email)
	if err != nil {
		return Offer{}, err
	}
	if in.Successor != 0 && in.Successor != to.Account {
		return Offer{}, errSuccessorChanged
	}

	if err := b.brake(ctx, tx, id, now); err != nil {
		return Offer{}, err
	}
	if err := b.endOpen(ctx, tx, now, by, id, Replaced, to.Account); err != nil {
		return Offer{}, err
	}
	var n ID
	err = tx.QueryRow(ctx, `insert into handover (organisation, giver, successor, form, hash, state, created, ends)
		values (@organisation, @by, @successor, @form, @hash, 'offered', @now, @ends) returning id`, pgx.NamedArgs{
		"organisation": id, "by": by.Account, "successor": to.Account, "form": text.Line(in.Form), "hash": hash, "now": now, "ends": now.Add(Life),
	}).Scan(&n)
	if err != nil {
		return Offer{}, fmt.Errorf("offer organisation %d: %w", id, err)
	}
	o, err := b.read(ctx, tx, by, n)
	if err != nil {
		return Offer{}, err
	}
	if err := b.note(ctx, tx, now, by, o, "handover.offered", audit.Detail{"successor": o.SuccessorName}); err != nil {
		return Offer{}, err
	}
	return o, b.post(ctx, tx, o, mail.HandoverOffered, o.Successor, b.link(o))
}

// brake keeps somebody from flooding a successor with mails. It counts for good
// when the organisation is held.
func (b *Book) brake(ctx context.Context, q postgres.Querier, id org.OrganisationID, now time.Time) error {
	most := b.PerDay
	if most == 0 {
		most = 10
	}
	rows, err := q.Query(ctx, `select created from handover where organisation = @organisation and created > @day
		order by created desc offset @most limit 1`, pgx.NamedArgs{"organisation": id, "day": now.Add(-24 * time.Hour), "most": most - 1})
	if err != nil {
		return fmt.Errorf("brake: %w", err)
	}
	last, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil || len(last) == 0 {
		return err
	}
	until := last[0].Add(24 * time.Hour)
	return fault.New(fault.TooMany, "handover.brake", "at", until).Until(until)
}

// endOpen ends the open offer of an organisation, if there is one, and tells its
// successor, unless that is who gets the next. The organisation is held.
func (b *Book) endOpen(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id org.OrganisationID, s State, next person.ID) error {
	o, err := b.open(ctx, tx, id)
	if err != nil || o == nil {
		return err
	}
	if !now.Before(o.Ends) {
		return b.expire(ctx, tx, now, *o)
	}
	if err := b.move(ctx, tx, now, *o, s); err != nil {
		return err
	}
	action := "handover.cancelled"
	if s == Replaced {
		action = "handover.replaced"
	}
	if err := b.note(ctx, tx, now, by, *o, action, audit.Detail{"successor": o.SuccessorName}); err != nil || o.Successor == next {
		return err
	}
	return b.post(ctx, tx, *o, mail.HandoverCancelled, o.Successor, b.link(*o))
}
