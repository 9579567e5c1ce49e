package order

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/web/paths"
)

// MayDecide tells whether the reader of o may decide about it: a registration
// officer who is not the technical contact of the organisation and had no hand
// in the order.
func MayDecide(o ServerOrder) error {
	switch {
	case !o.Officer:
		return fault.New(fault.Denied, "fault.officers_only")
	case o.Contact:
		return fault.New(fault.Denied, "serverorder.decide.contact")
	case o.Author:
		return fault.New(fault.Denied, "serverorder.decide.author")
	}
	return nil
}

// ErrDecided is that the order is in no state in which this is decided.
var ErrDecided = fault.New(fault.Conflict, "serverorder.decide.over")

func may(o ServerOrder, now bool) error {
	if err := MayDecide(o); err != nil {
		return err
	}
	if !now {
		return ErrDecided
	}
	return nil
}

// MayTake tells whether the reader may take the order up.
func MayTake(o ServerOrder) error { return may(o, o.State == Received) }

// MayApprove tells whether the reader may approve the order, with its checks as
// they are now.
func MayApprove(o ServerOrder, c Checks) error {
	if err := may(o, o.State.undecided()); err != nil {
		return err
	}
	return c.conflict()
}

// MayReturn tells whether the reader may ask for a correction.
func MayReturn(o ServerOrder) error { return may(o, o.State.undecided()) }

// MayReject tells whether the reader may refuse the order for good.
func MayReject(o ServerOrder) error { return may(o, o.State.undecided() || o.State == Failed) }

// unheard tells whether it is not known what became of o.
func (o ServerOrder) unheard() bool { return o.State == Failed && o.Reason == issuance.NotKnown }

func (o ServerOrder) same(version int) error {
	if o.Version != version {
		return fault.New(fault.Conflict, "serverorder.changed")
	}
	return nil
}

// Take marks that an officer looks at the order. It reserves nothing.
func (b *Book) Take(ctx context.Context, by person.Actor, reference string) error {
	return b.decide(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, _ org.Organisation) error {
		if err := MayTake(o); err != nil {
			return err
		}
		now := b.Now()
		if err := b.move(ctx, tx, now, o, Review, ""); err != nil {
			return err
		}
		return b.noteOrder(ctx, tx, now, by.Who(), o, "order.taken", audit.Detail{"reference": o.Reference})
	})
}

// Approve lets the order be issued: its authority is asked at once. All checks are
// made once more.
func (b *Book) Approve(ctx context.Context, by person.Actor, reference string, version int) error {
	return b.decide(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, of org.Organisation) error {
		if err := may(o, o.State.undecided()); err != nil {
			return err
		}
		if err := o.same(version); err != nil {
			return err
		}
		now := b.Now()
		f, err := b.facts(ctx, tx, now, o)
		if err != nil {
			return err
		}
		if err := MayApprove(o, f.checks(now)); err != nil {
			return err
		}
		p, err := b.place(now, o.ID, o.Reference, f, Approved)
		if err != nil {
			return err
		}
		if err := b.goes(ctx, tx, now, o, p, &by.Account); err != nil {
			return err
		}
		if err := b.Issuance.Write(ctx, tx, now, *p.intent); err != nil {
			return err
		}
		if err := b.noteOrder(ctx, tx, now, by.Who(), o, "order.approved", audit.Detail{"reference": o.Reference, "name": strings.Join(o.Names, ", ")}); err != nil {
			return err
		}
		return b.post(ctx, tx, of, func(to mail.Reader) mail.Words {
			return mail.OrderApprovedWords{
				Reader: to, Reference: o.Reference, Organisation: of.Name, Names: cert.SpelledAll(o.Names), By: by.Name, Link: b.orderLink(o),
			}
		})
	})
}

// Return asks the contact to correct the order.
func (b *Book) Return(ctx context.Context, by person.Actor, reference string, d Decision) error {
	return b.say(ctx, by, reference, d, MayReturn, func(tx pgx.Tx, o ServerOrder, of org.Organisation) error {
		now := b.Now()
		if err := b.moveBy(ctx, tx, now, o, Returned, d.Reason, &by.Account); err != nil {
			return err
		}
		if err := b.noteOrder(ctx, tx, now, by.Who(), o, "order.returned", audit.Detail{"reference": o.Reference, "comment": d.Reason}); err != nil {
			return err
		}
		return b.post(ctx, tx, of, func(to mail.Reader) mail.Words {
			return mail.OrderReturnedWords{
				Reader: to, Reference: o.Reference, Organisation: of.Name, Names: cert.SpelledAll(o.Names), By: by.Name, Reason: d.Reason, Link: b.orderLink(o),
			}
		})
	})
}

// errRejected is that a registration officer wants no certificate of an order.
var errRejected = fault.New(fault.Conflict, "serverorder.title_rejected")

// Reject refuses the order for good. Where it is not known what became of it that is
// only collected: one that comes is revoked at once.
func (b *Book) Reject(ctx context.Context, by person.Actor, reference string, d Decision) error {
	return b.say(ctx, by, reference, d, MayReject, func(tx pgx.Tx, o ServerOrder, of org.Organisation) error {
		now := b.Now()
		if o.unheard() {
			if err := b.Issuance.Withdraw(ctx, tx, now, o.asked(), errRejected); err != nil {
				return err
			}
		}
		if err := b.close(ctx, tx, now, o, Rejected, d.Reason, &by.Account); err != nil {
			return err
		}
		if err := b.noteOrder(ctx, tx, now, by.Who(), o, "order.rejected", audit.Detail{"reference": o.Reference, "comment": d.Reason}); err != nil {
			return err
		}
		return b.post(ctx, tx, of, func(to mail.Reader) mail.Words {
			return mail.OrderRejectedWords{
				Reader: to, Reference: o.Reference, Organisation: of.Name, Names: cert.SpelledAll(o.Names), By: by.Name, Reason: d.Reason, Link: b.orderLink(o),
			}
		})
	})
}

type deciding func(tx pgx.Tx, o ServerOrder, of org.Organisation) error

// decide runs f with the order locked, as by sees it.
func (b *Book) decide(ctx context.Context, by person.Actor, reference string, f deciding) error {
	return b.DB.Tx(ctx, b.deciding(ctx, by, reference, f))
}

func (b *Book) deciding(ctx context.Context, by person.Actor, reference string, f deciding) func(tx pgx.Tx) error {
	return func(tx pgx.Tx) error {
		o, of, err := b.lockServer(ctx, tx, by, reference)
		if err != nil {
			return err
		}
		return f(tx, o, of)
	}
}

// say is decide for what needs a reason.
func (b *Book) say(ctx context.Context, by person.Actor, reference string, d Decision, allowed func(ServerOrder) error, f deciding) error {
	return b.decide(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, of org.Organisation) error {
		if err := allowed(o); err != nil {
			return err
		}
		if err := o.same(d.Version); err != nil {
			return err
		}
		if err := d.check(); err != nil {
			return err
		}
		return f(tx, o, of)
	})
}

// move notes the new state of an order that goes on.
func (b *Book) move(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, s State, reason string) error {
	return b.moveBy(ctx, tx, now, o, s, reason, nil)
}

// moveBy is move, with who decided it.
func (b *Book) moveBy(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, s State, reason string, decider *person.ID) error {
	_, err := tx.Exec(ctx, `update server_order set state = @state, reason = @reason, since = @now, decider = coalesce(@decider, decider),
			ended = case when @over then @now::timestamptz end where id = @id`,
		pgx.NamedArgs{"id": o.ID, "state": s, "reason": reason, "now": now, "decider": decider, "over": s == Rejected || s == Withdrawn})
	if err != nil {
		return fmt.Errorf("move order %d to %s: %w", o.ID, s, err)
	}
	return nil
}

// close ends an order without a certificate; what it was to renew can be renewed
// by another.
func (b *Book) close(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, s State, reason string, decider *person.ID) error {
	if err := b.moveBy(ctx, tx, now, o, s, reason, decider); err != nil {
		return err
	}
	if o.Replaces == nil {
		return nil
	}
	return b.Cert.NoteRenewal(ctx, tx, *o.Replaces, "")
}

// post sends a letter to the technical contact, if there is an address for it.
func (b *Book) post(ctx context.Context, tx pgx.Tx, of org.Organisation, words func(to mail.Reader) mail.Words) error {
	to, err := cert.Reader(ctx, tx, of.ContactID)
	if err != nil {
		return err
	}
	return b.Cert.Outbox.Post(ctx, tx, words(to))
}

func (b *Book) orderLink(o ServerOrder) string { return b.Cert.Base + paths.Order(o.Reference) }
