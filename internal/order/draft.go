package order

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/text"
)

// draft is a wish that was looked at.
type draft struct {
	facts
	organisation org.Organisation
	checks       Checks
	earlier      ServerID // the order that its form made before, 0 when there is none
	number       ServerID // of the order that it becomes
}

// state is where the draft goes.
func (d draft) state() State { return d.checks.place(d.organisation.AutoApprove) }

// draft looks at a submission for an organisation. What is renewed is held.
func (b *Book) draft(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, of org.Organisation, in Submission) (d draft, err error) {
	d.organisation = of
	var kept []byte
	if in.Renews != "" {
		c, err := b.Cert.LockServer(ctx, tx, by, in.Renews)
		if err != nil {
			return d, err
		}
		if err := cert.MayRenew(c, now); err != nil {
			return d, err
		}
		if kept, err = keyOf(c); err != nil {
			return d, err
		}
		d.replaces = &c.ID
	}
	return d, b.fill(ctx, tx, now, in.Wish, sought{form: in.Form, by: by.Account, draw: true}, kept, &d)
}

// keyOf is the key of a certificate, as it was read from the request for it.
func keyOf(c cert.ServerCertificate) ([]byte, error) {
	parsed, err := pki.ParseKept(c.DER)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", c.Reference, err)
	}
	return parsed.Key.SPKI, nil
}

// fill reads the wish into d and judges it; kept is the key that stays where no
// new request comes.
func (b *Book) fill(ctx context.Context, tx pgx.Tx, now time.Time, w Wish, s sought, kept []byte, d *draft) (err error) {
	var bad fault.Fields
	if d.key, d.csr, err = readKey(w.CSR, kept, &bad); err != nil {
		return err
	}
	var many bool
	d.names, many = readNames(w.Names, &bad)
	if d.comment = text.Lines(w.Comment); utf8.RuneCountInString(d.comment) > longestComment {
		bad.Add("comment", "field.too_long", "max", longestComment)
	}
	s.product = w.Product
	found, err := b.look(ctx, tx, now, d.organisation.ID, s, &d.facts)
	if err != nil {
		return err
	}
	d.earlier, d.number = found.Earlier, found.Number
	if !many && !d.product.Active { // there is none for too many
		bad.Add("product", "serverorder.product.off")
	}
	if len(d.names) == 0 || slices.ContainsFunc(bad, func(f fault.Field) bool { return f.Name != "names" }) {
		return bad.Err()
	}
	d.byOfficer = d.byOfficer || !d.organisation.OrganisationStanding.Contact
	d.checks = d.facts.checks(now)
	d.checks.fields(&bad)
	return bad.Err()
}

// shortened is what was typed, as a message repeats it.
func shortened(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
