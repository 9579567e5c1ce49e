package handover

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/web/paths"
)

// MayAccept tells whether the reader of o may accept it: its successor, as long
// as it is offered.
func MayAccept(o Offer, now time.Time) error {
	if err := o.answerable(now); err != nil {
		return err
	}
	if o.State == Accepted {
		return fault.New(fault.Conflict, "handover.accepted_already")
	}
	return nil
}

// MayDecline tells whether the reader may decline: its successor, also after
// having accepted.
func MayDecline(o Offer, now time.Time) error { return o.answerable(now) }

// MayFinish tells whether the reader may enter the session password: the
// successor, after having accepted.
func MayFinish(o Offer, now time.Time) error {
	if err := o.answerable(now); err != nil {
		return err
	}
	if o.State == Offered {
		return fault.New(fault.Conflict, "handover.accept_first")
	}
	return nil
}

// MayCancel tells whether the reader may take the offer back: who made it and is
// the contact still.
func MayCancel(o Offer, now time.Time) error {
	if !o.Gives {
		return fault.New(fault.Denied, "handover.giver_only")
	}
	return o.over(now)
}

func (o Offer) answerable(now time.Time) error {
	if !o.Receives {
		return fault.New(fault.Denied, "handover.successor_only")
	}
	return o.over(now)
}

// over says how the offer ended, if it did.
func (o Offer) over(now time.Time) error {
	switch {
	case o.Open(now):
		return nil
	case o.State == Done:
		return fault.New(fault.Conflict, "handover.over.done")
	case o.State == Declined:
		return fault.New(fault.Conflict, "handover.over.declined")
	case o.State == Cancelled:
		return fault.New(fault.Conflict, "handover.over.cancelled")
	case o.State == Locked:
		return fault.New(fault.Conflict, "handover.over.locked")
	case o.State == Replaced:
		return fault.New(fault.Conflict, "handover.over.replaced")
	}
	return fault.New(fault.Conflict, "handover.over.expired")
}

// Accept notes that the successor agrees; the session password comes next.
func (b *Book) Accept(ctx context.Context, by person.Actor, id ID) error {
	return b.change(ctx, by, id, func(tx pgx.Tx, o Offer, _ org.Organisation) error {
		now := b.Now()
		if err := MayAccept(o, now); err != nil {
			return err
		}
		if err := b.unlocked(ctx, tx, now, o); err != nil {
			return err
		}
		if err := b.move(ctx, tx, now, o, Accepted); err != nil {
			return err
		}
		if err := b.note(ctx, tx, now, by, o, "handover.accepted", nil); err != nil {
			return err
		}
		return b.post(ctx, tx, o, mail.HandoverAccepted, o.Giver, b.organisationLink(o))
	})
}

// Decline ends the offer; the giver is told.
func (b *Book) Decline(ctx context.Context, by person.Actor, id ID) error {
	return b.change(ctx, by, id, func(tx pgx.Tx, o Offer, _ org.Organisation) error {
		now := b.Now()
		if err := MayDecline(o, now); err != nil {
			return err
		}
		if err := b.move(ctx, tx, now, o, Declined); err != nil {
			return err
		}
		if err := b.note(ctx, tx, now, by, o, "handover.declined", nil); err != nil {
			return err
		}
		return b.post(ctx, tx, o, mail.HandoverDeclined, o.Giver, b.organisationLink(o))
	})
}

// Cancel takes the offer back; the successor is told.
func (b *Book) Cancel(ctx context.Context, by person.Actor, id ID) error {
	return b.change(ctx, by, id, func(tx pgx.Tx, o Offer, _ org.Organisation) error {
		now := b.Now()
		if err := MayCancel(o, now); err != nil {
			return err
		}
		return b.endOpen(ctx, tx, now, by, o.Organisation, Cancelled, 0)
	})
}

type changing func(tx pgx.Tx, o Offer, of org.Organisation) error

// change runs f with the organisation held, and the offer as by sees it then:
// whatever happens to an offer happens one after the other.
func (b *Book) change(ctx context.Context, by person.Actor, id ID, f changing) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, err := b.read(ctx, tx, by, id)
		if err != nil {
			return err
		}
		of, err := b.Org.HoldOrganisation(ctx, tx, by, o.Organisation)
		if err != nil {
			return err
		}
		if o, err = b.read(ctx, tx, by, id); err != nil {
			return err
		}
		return f(tx, o, of)
	})
}

// unlocked refuses to go on where the account of one of the two is locked by
// now.
func (b *Book) unlocked(ctx context.Context, tx pgx.Tx, now time.Time, o Offer) error {
	if _, err := b.Person.Acting(ctx, tx, now, person.Behalf{Account: o.Successor}); err != nil {
		return err
	}
	_, err := b.Person.Acting(ctx, tx, now, person.Behalf{Account: o.Giver})
	if fault.Is(err, fault.Denied) {
		return fault.New(fault.Conflict, "handover.giver_locked")
	}
	return err
}

// move notes the new state of an offer that is held.
func (b *Book) move(ctx context.Context, tx pgx.Tx, now time.Time, o Offer, s State) error {
	tag, err := tx.Exec(ctx, `update handover set state = @state, accepted = case when @state = 'accepted' then @now else accepted end,
			ended = case when @state <> 'accepted' then @now::timestamptz end
		where id = @id and state = @was`, pgx.NamedArgs{"id": o.ID, "state": s, "was": o.State, "now": now})
	if err != nil {
		return fmt.Errorf("move handover %d to %s: %w", o.ID, s, err)
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("handover %d was moved though its organisation is held", o.ID)
	}
	return nil
}

// note writes an audit line about the offer.
func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, o Offer, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: action, Detail: d,
		About: []audit.Thing{o.ID.Thing(), o.Organisation.Thing(), o.Giver.Thing(), o.Successor.Thing()},
	})
}

// post queues a letter about the offer, if there is an address for it.
func (b *Book) post(ctx context.Context, tx pgx.Tx, o Offer, letter mail.HandoverLetter, account person.ID, link string) error {
	to, err := cert.Reader(ctx, tx, account)
	if err != nil {
		return err
	}
	return b.Outbox.Post(ctx, tx, mail.HandoverWords{
		Letter: letter, Reader: to, Organisation: o.OrganisationName, Giver: o.GiverName, Successor: o.SuccessorName,
		Accepted: o.State == Accepted, Until: o.Ends, Link: link,
	})
}

// postBoth queues a letter to both sides.
func (b *Book) postBoth(ctx context.Context, tx pgx.Tx, o Offer, letter mail.HandoverLetter) error {
	if err := b.post(ctx, tx, o, letter, o.Giver, b.organisationLink(o)); err != nil {
		return err
	}
	return b.post(ctx, tx, o, letter, o.Successor, b.link(o))
}

// link is where the successor finds the offer.
func (b *Book) link(o Offer) string { return b.Base + paths.Handover(o.ID) }

func (b *Book) organisationLink(o Offer) string {
	return b.Base + paths.Organisation(o.Organisation)
}
