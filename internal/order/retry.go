package order

import (
	"cmp"
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
}

// Retry has the authority asked once more, as issuance.Retry decides for what. A later
// application of the row makes that a conflict, and so does the rule who may apply, and
// a certificate that would say something else by now: then one of which it is not known
// what became is refused, and that only collected.
func (b *Book) Retry(ctx context.Context, by person.Actor, id ID) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	var ended error
	err := b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		r, linked, err := lookup[retried](ctx, tx, id, true, `, d.authority,
			exists (select from application n where n.row_id = p.row_id and n.id > p.id) as followed`, pgx.NamedArgs{})
		if err != nil {
			return err
		}
		if !linked {
			if r.applied, err = b.alone(ctx, tx, id); err != nil {
				return err
			}
		}
		if r.State != Failed || r.Followed {
			return errRetryOver
		}
		if ended = mailbox.ErrUnlinked; linked {
			ended = b.holds(r.applied, r.right, now)
		}
		switch {
		case ended == nil:
			return b.retry(ctx, tx, now, by, r)
		case r.Reason != issuance.NotKnown || !issuance.Ends(ended):
			return ended
		}
		if err := b.Issuance.Withdraw(ctx, tx, now, r.asked(), ended); err != nil {
			return err
		}
		return b.refuse(ctx, tx, now, r.applied, fault.Of(ended).ID, nil)
	})
	if err = cmp.Or(err, ended); errors.Is(err, errChanged) {
		return errRetryOver
	}
	return err
}

func (b *Book) retry(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r retried) error {
	i, err := b.Issuance.Retry(ctx, tx, now, r.Reason, r.asked(), func(before issuance.Intent) (issuance.Intent, error) {
		key, err := pki.ReadKey(r.SPKI)
		if err != nil {
			return before, fmt.Errorf("read the key of application %d: %w", r.ID, err)
		}
		return b.intent(r.ID, again(r.Reference, r.Attempts), r.Authority, b.subject(r.right), pki.CSR{DER: before.CSR, Key: key}, now)
	})
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

// again is the reference of what is asked for after so many retries: by that of
// before an authority outside would give what it gave.
func again(reference string, retries int) string { return fmt.Sprintf("%s-%d", reference, retries+2) }

// meant are the columns of an application in which the version before finds what i
// asks for.
func meant(id ID, s State, i issuance.Intent) pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": id, "state": s, "profile": i.Profile, "emails": i.Emails, "serial": i.Serial, "from": i.NotBefore, "common_name": i.CommonName,
		"given_name": i.GivenName, "surname": i.Surname, "organisation": i.Organisation, "identifier": i.Identifier, "country": i.Country,
	}
}
