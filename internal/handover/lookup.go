package handover

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// Successor is who an organisation would be handed over to.
type Successor struct {
	Account person.ID
	Name    string
	Email   string // verified
}

// ErrLookUps is that somebody looked for too many people lately; RetryAt says
// until when.
var ErrLookUps = fault.New(fault.TooMany, "handover.look_ups")

var errSuccessorChanged = fault.New(fault.Conflict, "handover.successor_changed")

// Find returns who has signed in with that verified address and may become the
// contact of all these organisations. Wrong addresses come back as fault.Invalid
// beside the field "email". It tells who has an account, so it is counted and
// written down who asked for whom: ErrLookUps.
func (b *Book) Find(ctx context.Context, by person.Actor, organisations []org.OrganisationID, email string) (Successor, error) {
	if err := few(organisations); err != nil {
		return Successor{}, err
	}
	if err := b.mayOffer(ctx, by, organisations); err != nil {
		return Successor{}, err
	}
	return b.lookUp(ctx, b.Now(), by, email)
}

// mayOffer tells whether by may hand all of them over.
func (b *Book) mayOffer(ctx context.Context, by person.Actor, organisations []org.OrganisationID) error {
	all, err := b.Org.Organisations(ctx, by)
	if err != nil {
		return err
	}
	for _, id := range organisations {
		i := slices.IndexFunc(all, func(o org.Organisation) bool { return o.ID == id })
		if i < 0 {
			return fault.New(fault.Missing, "fault.missing")
		}
		if err := MayOffer(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// lookUp is find for somebody who does not know yet who that is. What is no
// address is none. An answer that is only shown again was counted when it was
// given; the count is not what the form did, so that the form is kept.
func (b *Book) lookUp(ctx context.Context, now time.Time, by person.Actor, email string) (to Successor, err error) {
	if _, err := addressOf(email); err != nil {
		return Successor{}, err
	}
	braked := brake.Brake{Kind: "handover.look_up", Most: cmp.Or(b.LookUps, 20), Per: time.Hour}
	var refused error // what is said though it is counted and written down
	err = b.DB.Tx(postgres.Aside(ctx), func(tx pgx.Tx) error {
		taken, err := braked.Take(ctx, tx, now, strconv.FormatInt(int64(by.Account), 10))
		if err != nil {
			return err
		}
		if taken.Held {
			to, refused = Successor{}, ErrLookUps.With("at", taken.Until).Until(taken.Until)
			return nil
		}
		to, refused = b.find(ctx, tx, by, email)
		if refused != nil && !fault.Is(refused, fault.Invalid) {
			return refused
		}
		line := audit.Line{
			Who: by.Who(), At: now, Action: "handover.looked_up", Detail: audit.Detail{"address": text.Line(email)}, About: []audit.Thing{by.Account.Thing()},
		}
		if refused == nil {
			line.About = append(line.About, to.Account.Thing())
		}
		return audit.Write(ctx, tx, line)
	})
	if errors.Is(err, postgres.ErrShown) {
		return b.find(ctx, b.DB, by, email)
	}
	if err != nil {
		return Successor{}, err
	}
	if refused != nil { // noted as what the form came to
		return Successor{}, b.DB.Tx(ctx, func(pgx.Tx) error { return refused })
	}
	return to, nil
}

func addressOf(email string) (org.Address, error) {
	address, wrong := org.ParseAddress(email)
	if wrong == "" {
		return address, nil
	}
	var bad fault.Fields
	bad.Add("email", wrong)
	return "", bad.Err()
}

// find looks for the one account that email means.
func (b *Book) find(ctx context.Context, q postgres.Querier, by person.Actor, email string) (Successor, error) {
	address, err := addressOf(email)
	if err != nil {
		return Successor{}, err
	}
	// A provider may spell the domain in letters as its people do.
	found, unverified, err := b.Person.ByAddress(ctx, q, string(address), text.Word(email))
	if err != nil {
		return Successor{}, err
	}
	var bad fault.Fields
	switch {
	case unverified:
		bad.Add("email", "handover.email.unverified")
	case len(found) == 0:
		bad.Add("email", "handover.email.unknown", "address", b.Base)
	case len(found) > 1:
		bad.Add("email", "handover.email.several")
	case found[0].ID == by.Account:
		bad.Add("email", "handover.email.own")
	case found[0].Locked != nil:
		bad.Add("email", "handover.email.locked")
	}
	if err := bad.Err(); err != nil {
		return Successor{}, err
	}
	return Successor{Account: found[0].ID, Name: found[0].Label, Email: found[0].Email}, nil
}
