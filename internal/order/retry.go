package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

var errRetryOver = fault.New(fault.Conflict, "order.retry.over")

// retried is an application that failed.
type retried struct {
	held
	Followed  bool   // by a later one of the same row
	Authority string // for the row's domain, if it has one of its own
	Kept      []byte // the request as it came
	With      string // the authority that was asked; empty: by the version before
}

// Retry has the authority asked once more: for the same certificate where it is not
// known what became of it, and where the own authority signed something else, which
// signs once; else, since nothing was signed or what was signed is something else,
// for another one. A later application of the row makes that a conflict, and so
// does the rule who may apply, and a certificate that would say something else by
// now.
func (b *Book) Retry(ctx context.Context, by person.Actor, id ID) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		r, linked, err := lookup[retried](ctx, tx, id, true, `, d.authority, coalesce((select csr from intent i where i.number = p.id), '') as kept,
			coalesce((select authority from intent i where i.number = p.id), '') as with, exists (select from application n where n.row_id = p.row_id and n.id > p.id) as followed`, pgx.NamedArgs{})
		if err != nil {
			return err
		}
		if !linked {
			if r.applied, err = b.alone(ctx, tx, id); err != nil {
				return err
			}
		}
		switch {
		case r.State != Failed || r.Followed:
			return errRetryOver
		case !linked:
			return mailbox.ErrUnlinked
		}
		if err := b.holds(r.applied, r.right, now); errors.Is(err, errChanged) {
			return errRetryOver
		} else if err != nil {
			return err
		}
		return b.retry(ctx, tx, now, by, r)
	})
}

func (b *Book) retry(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r retried) error {
	// The own authority has signed one certificate of that number, and signs no other.
	own := r.With == "" || b.Issuance.Registry[r.With].Own
	same := len(r.Serial) > 0 && (r.Reason == issuance.NotKnown || r.Reason == issuance.NotAsAsked && own)
	i, err := b.anew(now, r, same)
	if err != nil {
		return err
	}
	switch {
	case !same:
		err = b.Issuance.Write(ctx, tx, now, i)
	case r.With != "":
		err = b.Issuance.Resume(ctx, tx, now, issuance.Application, i.Number)
	default: // by the version before
		err = b.Issuance.Adopt(ctx, tx, now, i)
	}
	if err != nil {
		return err
	}
	err = postgres.Write(ctx, tx, `update application set state = @state, reason = '', ended = null, attempts = attempts + 1, profile = @profile, emails = @emails,
			serial = @serial, not_before = @from, common_name = @common_name, given_name = @given_name, surname = @surname,
			organisation = @organisation, identifier = @identifier, country = @country
		where id = @id`, meant(r.ID, b.with(i.Authority), i))
	if err != nil {
		return fmt.Errorf("retry application %d: %w", r.ID, err)
	}
	return b.note(ctx, tx, now, r.applied, by.Who(), "order.retried", audit.Detail{"reference": r.Reference})
}

// anew is the intent of the next attempt: the same, or one of which an authority
// has not heard yet.
func (b *Book) anew(now time.Time, r retried, same bool) (i issuance.Intent, err error) {
	key, err := pki.ReadKey(r.SPKI)
	if err != nil {
		return i, fmt.Errorf("read the key of application %d: %w", r.ID, err)
	}
	s, reference, authority := b.subject(r.right), fmt.Sprintf("%s-%d", r.Reference, r.Attempts+2), r.Authority
	if same {
		s, reference, authority = r.applied.subject(), r.Reference, r.With
	}
	if i, err = b.intent(r.ID, reference, authority, s, pki.CSR{DER: r.Kept, Key: key}, now); err != nil || !same {
		return i, err
	}
	i.Serial, i.NotBefore = r.Serial, *r.NotBefore
	return i, nil
}

// meant are the columns of an application in which the version before finds what i
// asks for.
func meant(id ID, s State, i issuance.Intent) pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": id, "state": s, "profile": i.Profile, "emails": i.Emails, "serial": i.Serial, "from": i.NotBefore, "common_name": i.CommonName,
		"given_name": i.GivenName, "surname": i.Surname, "organisation": i.Organisation, "identifier": i.Identifier, "country": i.Country,
	}
}
