package order

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
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

// errForm is that a form came twice at once and made its order already.
var errForm = fault.New(fault.Conflict, "schema.server_order_form")

// Submit orders a certificate and returns the order's reference number. All
// checks are made in the transaction that writes it; the organisation's rule may
// approve it there, and then its authority is asked. A form that comes twice, also
// at once, makes one order.
func (b *Book) Submit(ctx context.Context, by person.Actor, in Submission) (reference string, err error) {
	if len(b.Issuance.Registry.ForServers()) == 0 {
		return "", issuance.ErrNoAuthority
	}
	if in.Form == "" {
		in.Form = rand.Text()
	}
	reference, err = b.submitted(ctx, by, in)
	if errors.Is(err, errForm) {
		return b.submitted(ctx, by, in)
	}
	return reference, err
}

func (b *Book) submitted(ctx context.Context, by person.Actor, in Submission) (reference string, err error) {
	return reference, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		reference = ""
		of, err := b.orderer(ctx, tx, by, in)
		if err != nil {
			return err
		}
		now := b.Now()
		id, err := person.Once(ctx, tx, by, now, func() (id ServerID, err error) {
			id, reference, err = b.submitForm(ctx, tx, now, by, of, in)
			return id, err
		})
		if err != nil || reference != "" {
			return err
		}
		reference, err = referenceOf(ctx, tx, by, id)
		return err
	})
}

// submitForm is the order that the form makes, or made; that one without its
// reference.
func (b *Book) submitForm(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, of org.Organisation, in Submission) (ServerID, string, error) {
	d, wrong := b.draft(ctx, tx, now, by, of, in)
	switch {
	case wrong == nil && d.earlier == 0:
		return b.submit(ctx, tx, now, by, in.Form, d)
	case wrong == nil:
		return d.earlier, "", nil
	case fault.Is(wrong, fault.Internal), fault.Is(wrong, fault.Unavailable):
		return 0, "", wrong
	}
	// The form came before: what has changed since then does not matter.
	if id, err := earlier(ctx, tx, by, in.Form); err != nil || id != 0 {
		return id, "", err
	}
	return 0, "", wrong
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

// submit writes the order, and if it is approved by the rule its intent.
func (b *Book) submit(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, form string, d draft) (ServerID, string, error) {
	o := ServerOrder{ID: d.number, Reference: text.NewReference(), Organisation: d.organisation.ID, Names: d.names, Replaces: d.replaces}
	p, err := b.place(now, o.ID, o.Reference, d.facts, d.state())
	if err != nil {
		return 0, "", err
	}
	err = postgres.Write(ctx, tx, `#o as (
			insert into server_order (id, reference, form, organisation, product, names, spki, key_kind, csr, comment, search, state, since,
				by_officer, submitter, replaces, created, approved, serial, not_before, days, profile, proof)
			values (@id, @reference, @form, @organisation, @product, @names, @spki, @kind, @csr, @comment, @search, @state, @now,
				@by_officer, @by, @replaces, @now, @approved, @serial, @from, @days, @profile, @proof) returning id
		), #a as (insert into server_order_author (server_order, account) select id, @by from #o)`, p.args(now, pgx.NamedArgs{
		"id": o.ID, "reference": o.Reference, "form": form, "organisation": o.Organisation, "product": d.product.Code, "names": d.names,
		"spki": d.key.SPKI, "kind": d.key.Algorithm, "csr": append([]byte{}, d.csr...), "comment": d.comment, "search": words(o.Reference, d.names),
		"by_officer": d.byOfficer, "by": by.Account, "replaces": d.replaces,
	}))
	if err != nil {
		return 0, "", fmt.Errorf("submit order: %w", err)
	}
	detail := audit.Detail{"reference": o.Reference, "name": strings.Join(d.names, ", "), "key": d.key.Algorithm, "comment": d.comment}
	if err := b.noteOrder(ctx, tx, now, by.Who(), o, "order.submitted", detail); err != nil {
		return 0, "", err
	}
	if d.replaces != nil {
		if err := b.Cert.NoteRenewal(ctx, tx, *d.replaces, o.Reference); err != nil {
			return 0, "", err
		}
	}
	return o.ID, o.Reference, b.byRule(ctx, tx, now, o, p)
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

// byRule does what belongs to a place that nobody decided: an order that the rule
// approved is asked for.
func (b *Book) byRule(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, p placed) error {
	if p.intent == nil {
		return nil
	}
	if err := b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.approved_by_rule", audit.Detail{"reference": o.Reference}); err != nil {
		return err
	}
	return b.Issuance.Write(ctx, tx, now, *p.intent)
}

// noteOrder writes an audit line about the order.
func (b *Book) noteOrder(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, o ServerOrder, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: who, At: now, Action: action, Detail: d, About: []audit.Thing{o.ID.Thing(), o.Organisation.Thing()},
	})
}
