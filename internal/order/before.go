package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/lint"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// issueArgs is the job that the version before queues for an application, and that
// a process of it may take which runs beside. It leads to the intent.
type issueArgs struct {
	Application ID `json:"application"`
}

func (issueArgs) Kind() string { return "order_issue" }

// fulfilArgs is the job that the version before queues for an order, and that a
// process of it may take which runs beside. It leads to the intent.
type fulfilArgs struct {
	Order ServerID `json:"order"`
}

func (fulfilArgs) Kind() string { return "order_issue_server" }

// Jobs registers what this room does later and returns what runs by itself: mails
// to officers, a second look at orders that wait, and a job for what the version
// before left without an intent.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, j *river.Job[issueArgs]) error { return b.Issue(ctx, j.Args.Application) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, j *river.Job[fulfilArgs]) error { return b.Fulfil(ctx, j.Args.Order) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tellArgs]) error { return b.TellOfficers(ctx) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[recheckArgs]) error { return b.RecheckAll(ctx) }))
	return []queue.Task{
		queue.Every(tellEvery, tellArgs{}), queue.Every(tellEvery, recheckArgs{}),
		queue.Due[fulfilArgs](`select jsonb_build_object('order', id) from server_order s where state in ('approved', 'issuing')
			and not ` + issuance.Going("s.id")),
		queue.Due[issueArgs](`select jsonb_build_object('application', id) from application p where ended is null and state in ('queued', 'issuing')
			and not ` + issuance.Going("p.id")),
	}
}

// Issue leads an application on, whichever version it comes from: it may run any
// number of times, in any number of processes.
func (b *Book) Issue(ctx context.Context, id ID) error {
	if err := b.adopt(ctx, id); err != nil {
		return err
	}
	return b.Issuance.Look(ctx, issuance.Application, issuance.Number(id))
}

// adopted is an application from the version before.
type adopted struct {
	held
	Authority string
}

// adopt writes the intent of an application from the version before: the one that
// it wrote into the application, or where it had not come to that a new one, with
// the row locked. An intent that is over is one of an attempt before: the version
// before, which knows of none, began another.
func (b *Book) adopt(ctx context.Context, id ID) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		a, linked, err := lookup[adopted](ctx, tx, id, true, `, d.authority`, pgx.NamedArgs{})
		if err != nil {
			return err
		}
		if !linked {
			if a.applied, err = b.alone(ctx, tx, id); err != nil {
				return err
			}
		}
		going, err := b.Issuance.Going(ctx, tx, issuance.Number(id)) // with the application held: nobody else writes it now
		switch {
		case err != nil, going, a.State != Queued && a.State != Issuing:
			return err
		case a.State == Issuing:
			return b.Issuance.Adopt(ctx, tx, now, a.asked())
		case !linked:
			return b.refuse(ctx, tx, now, a.applied, mailbox.ErrUnlinked.ID, nil)
		}
		err = b.holds(a.applied, a.right, now)
		if refusal, ok := errors.AsType[*lint.Refusal](err); ok {
			return b.refuse(ctx, tx, now, a.applied, fault.Of(err).ID, refusal.Findings)
		}
		if f := fault.Of(err); err != nil && f.Kind != fault.Internal {
			return b.refuse(ctx, tx, now, a.applied, f.ID, nil)
		}
		if err != nil {
			return err
		}
		return b.adoptQueued(ctx, tx, now, a)
	})
}

func (b *Book) adoptQueued(ctx context.Context, tx pgx.Tx, now time.Time, a adopted) error {
	key, err := pki.ReadKey(a.SPKI)
	if err != nil {
		return fmt.Errorf("read the key of application %d: %w", a.ID, err)
	}
	i, err := b.intent(a.ID, a.Reference, a.Authority, b.subject(a.right), pki.CSR{Key: key}, now)
	if err != nil {
		return err
	}
	if err := b.Issuance.Write(ctx, tx, now, i); err != nil {
		return err
	}
	args := meant(a.ID, b.with(i.Authority), i)
	args["row"], args["account"], args["plain"], args["folded"] = a.Row, a.Account, org.Plain(a.Addresses()), org.Folded(a.Addresses())
	err = postgres.Write(ctx, tx, `update application set state = @state, profile = @profile, emails = @emails,
			serial = @serial, not_before = @from, common_name = @common_name, given_name = @given_name, surname = @surname,
			organisation = @organisation, identifier = @identifier, country = @country, proof = (`+cert.Proofs+`)
		where id = @id`, args)
	if err != nil {
		return fmt.Errorf("write intent of application %d: %w", a.ID, err)
	}
	return nil
}

// Fulfil leads an order on, whichever version approved it: it may run any number
// of times, in any number of processes.
func (b *Book) Fulfil(ctx context.Context, id ServerID) error {
	if err := b.takeOver(ctx, id); err != nil {
		return err
	}
	return b.Issuance.Look(ctx, issuance.ServerOrder, issuance.Number(id))
}

// takeOver writes the intent of an order from the version before: the one that it
// wrote into the order, or where it had not come to that a new one. What does not
// hold any longer breaks the order off, so that an officer looks at it.
func (b *Book) takeOver(ctx context.Context, id ServerID) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, err := b.lockOrder(ctx, tx, id)
		if err != nil || o.Asking || o.State != Approved && o.State != Issuing {
			return err
		}
		now := b.Now()
		if o.State == Issuing { // perhaps asked for: it keeps serial and beginning
			return b.Issuance.Adopt(ctx, tx, now, o.asked())
		}
		f, err := b.facts(ctx, tx, now, o)
		switch {
		case err != nil:
			return err
		case f.checks(now).worst() >= Wait:
			return b.failed(ctx, tx, now, o, issuance.Intent{Reason: errChecks.ID})
		}
		p, err := b.place(now, o.ID, o.Reference, f, Approved)
		if err != nil {
			return err
		}
		if err := b.goes(ctx, tx, now, o, p, nil); err != nil {
			return err
		}
		return b.Issuance.Write(ctx, tx, now, *p.intent)
	})
}
