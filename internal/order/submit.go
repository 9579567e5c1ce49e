package order

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// Wish is what somebody orders, as typed.
type Wish struct {
	Organisation org.OrganisationID
	Product      string
	CSR          string   // only its key is taken; empty where the earlier key is to stay
	Names        []string // of the certificate; the first one is its common name
	Comment      string   // for the registration office
}

// Submission is a wish as a form sends it.
type Submission struct {
	Wish
	Form   string // of the form; the same one makes one order, however often it comes. Empty: a new one
	Renews string // reference number of the certificate that is to be renewed
}

// longestComment bounds what the registration office is told, in characters.
const longestComment = 2000

// Preview is what would become of a submission.
type Preview struct {
	Organisation org.Organisation
	Product      Product
	Names        []string
	Key          pki.Key
	Checks       Checks
	State        State
}

// Preview says what Submit would do, and refuses what it would refuse.
func (b *Book) Preview(ctx context.Context, by person.Actor, in Submission) (Preview, error) {
	var p Preview
	return p, b.DB.Look(ctx, func(tx pgx.Tx) error {
		of, err := b.orderer(ctx, tx, by, in)
		if err != nil {
			return err
		}
		d, err := b.draft(ctx, tx, b.Now(), by, of, in)
		p = Preview{d.organisation, d.product, d.names, d.key, d.checks, d.state()}
		return err
	})
}

// Submit orders a certificate and returns the order's reference number. All
// checks are made in the transaction that writes it; the organisation's rule may
// approve it there. A form that comes twice, also at once, makes one order.
func (b *Book) Submit(ctx context.Context, by person.Actor, in Submission) (reference string, err error) {
	if b.Authority == nil {
		return "", errNoAuthority
	}
	if in.Form == "" {
		in.Form = rand.Text()
	}
	return reference, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		of, err := b.orderer(ctx, tx, by, in)
		if err != nil {
			return err
		}
		now := b.Now()
		id, err := person.Once(ctx, tx, by, now, func() (ServerID, error) { return b.submitForm(ctx, tx, now, by, of, in) })
		if err != nil {
			return err
		}
		reference, err = referenceOf(ctx, tx, by, id)
		return err
	})
}

// submitForm is the order that the form makes, or made.
func (b *Book) submitForm(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, of org.Organisation, in Submission) (ServerID, error) {
	d, wrong := b.draft(ctx, tx, now, by, of, in)
	switch {
	case wrong == nil:
		if id, err := b.submit(ctx, tx, now, by, in.Form, d); err != nil || id != 0 {
			return id, err
		}
	case fault.Is(wrong, fault.Internal), fault.Is(wrong, fault.Unavailable):
		return 0, wrong
	}
	// The form came before: what has changed since then does not matter.
	if id, err := earlier(ctx, tx, by, in.Form); err != nil || id != 0 {
		return id, err
	}
	return 0, wrong
}

// earlier is the order that by's form made, 0 when there is none.
func earlier(ctx context.Context, tx pgx.Tx, by person.Actor, form string) (id ServerID, err error) {
	err = tx.QueryRow(ctx, `select coalesce(max(id), 0) from server_order where submitter = @account and form = @form`,
		pgx.NamedArgs{"account": by.Account, "form": form}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("look for an earlier order: %w", err)
	}
	return id, nil
}

// referenceOf is the reference number of an order that by sees.
func referenceOf(ctx context.Context, tx pgx.Tx, by person.Actor, id ServerID) (string, error) {
	rows, err := tx.Query(ctx, `select s.reference from server_order s join organisation o on o.id = s.organisation
		where s.id = @id and (@officer or `+org.IsTechnicalContact+`)`, org.Scope(by, pgx.NamedArgs{"id": id}))
	if err != nil {
		return "", fmt.Errorf("read order %d: %w", id, err)
	}
	reference, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	return reference, postgres.Fault(err)
}

// MayOrder tells whether the reader of o may order for it; a renewal is also for
// registration officers, since contacts are away at times.
func MayOrder(o org.Organisation, renewal bool) error {
	if o.OrganisationStanding.Contact || renewal && o.Officer {
		return nil
	}
	return fault.New(fault.Denied, "serverorder.contact_only")
}

// orderer is the organisation that a submission is for, if by may order for it;
// it is held.
func (b *Book) orderer(ctx context.Context, tx pgx.Tx, by person.Actor, in Submission) (of org.Organisation, err error) {
	if in.Renews != "" {
		err := tx.QueryRow(ctx, `select organisation from certificate where reference = $1 and organisation is not null`,
			text.Line(in.Renews)).Scan(&in.Organisation)
		if err != nil {
			return of, postgres.Fault(err)
		}
	}
	if in.Organisation == 0 {
		var bad fault.Fields
		bad.Add("organisation", "field.required")
		return of, bad.Err()
	}
	if of, err = b.Mailbox.Org.LockOrganisation(ctx, tx, by, in.Organisation); err != nil {
		return of, err
	}
	return of, MayOrder(of, in.Renews != "")
}

// submit writes the order; 0 when the form has made one already.
func (b *Book) submit(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, form string, d draft) (ServerID, error) {
	reference := NewReference()
	rows, err := tx.Query(ctx, `
		with o as (
			insert into server_order (reference, form, organisation, product, names, spki, key_kind, comment, search, state, since,
				by_officer, submitter, replaces, created)
			values (@reference, @form, @organisation, @product, @names, @spki, @kind, @comment, @search, @state, @now,
				@by_officer, @by, @replaces, @now)
			on conflict (submitter, form) do nothing returning id
		), a as (insert into server_order_author (server_order, account) select id, @by from o)
		select id from o`, pgx.NamedArgs{
		"reference": reference, "form": form, "organisation": d.organisation.ID, "product": d.product.Code, "names": d.names,
		"spki": d.key.SPKI, "kind": d.key.Algorithm, "comment": d.comment, "search": words(reference, d.names), "state": d.state(),
		"now": now, "by_officer": d.byOfficer, "by": by.Account, "replaces": d.replaces,
	})
	if err != nil {
		return 0, fmt.Errorf("submit order: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ServerID])
	if err != nil {
		return 0, fmt.Errorf("submit order: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	o := ServerOrder{ID: ids[0], Reference: reference, Organisation: d.organisation.ID, Names: d.names, Replaces: d.replaces}
	detail := audit.Detail{"reference": reference, "name": strings.Join(d.names, ", "), "key": d.key.Algorithm, "comment": d.comment}
	if err := b.noteOrder(ctx, tx, now, by.Who(), o, "order.submitted", detail); err != nil {
		return 0, err
	}
	if d.replaces != nil {
		if err := b.Cert.NoteRenewal(ctx, tx, *d.replaces, reference); err != nil {
			return 0, err
		}
	}
	return o.ID, b.arrived(ctx, tx, now, o, d.state())
}

// words are what a search looks at: names also as people spell them.
func words(reference string, names []string) string {
	words := []string{reference}
	for _, n := range names {
		words = append(words, n)
		if u := cert.Spelled(n); u != n {
			words = append(words, u)
		}
	}
	return strings.ToLower(strings.Join(words, " "))
}

// arrived does what belongs to a state that nobody decided: an order that the
// rule approved is issued.
func (b *Book) arrived(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, s State) error {
	if s != Approved {
		return nil
	}
	if err := b.Queue.Insert(ctx, tx, fulfilArgs{Order: o.ID}); err != nil {
		return err
	}
	return b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.approved_by_rule", audit.Detail{"reference": o.Reference})
}

// noteOrder writes an audit line about the order.
func (b *Book) noteOrder(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, o ServerOrder, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: who, At: now, Action: action, Detail: d, About: []audit.Thing{o.ID.Thing(), o.Organisation.Thing()},
	})
}
