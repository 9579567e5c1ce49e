package order

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// MayWithdraw tells whether the reader may take the order back: its
// organisation's contact, or the officer who ordered instead, as long as there is
// no certificate. One that comes nevertheless is not offered and revoked at once.
func MayWithdraw(o ServerOrder) error {
	if err := o.keeper(); err != nil {
		return err
	}
	if o.State.over() || o.State == Failed {
		return fault.New(fault.Conflict, "serverorder.withdraw.over")
	}
	return nil
}

// MayCorrect tells whether the reader may correct the order.
func MayCorrect(o ServerOrder) error {
	if err := o.keeper(); err != nil {
		return err
	}
	if o.State != Returned {
		return fault.New(fault.Conflict, "serverorder.correct.over")
	}
	return nil
}

func (o ServerOrder) keeper() error {
	if o.Contact || o.Officer && o.Author && o.ByOfficer {
		return nil
	}
	return fault.New(fault.Denied, "serverorder.keeper_only")
}

// errTakenBack is that nobody wants the certificate of an order any more.
var errTakenBack = fault.New(fault.Conflict, "serverorder.title_withdrawn")

// Withdraw takes an order back for good.
func (b *Book) Withdraw(ctx context.Context, by person.Actor, reference string) error {
	return b.decide(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, _ org.Organisation) error {
		if err := MayWithdraw(o); err != nil {
			return err
		}
		now := b.Now()
		if err := b.Issuance.Withdraw(ctx, tx, now, o.asked(), errTakenBack); err != nil {
			return err
		}
		if err := b.close(ctx, tx, now, o, Withdrawn, "", nil); err != nil {
			return err
		}
		return b.noteOrder(ctx, tx, now, by.Who(), o, "order.withdrawn", audit.Detail{"reference": o.Reference})
	})
}

// Correct changes a returned order and submits it again. Without a request its
// key stays; its organisation always does.
func (b *Book) Correct(ctx context.Context, by person.Actor, reference string, version int, w Wish) error {
	return b.decide(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, of org.Organisation) error {
		now := b.Now()
		d, err := b.redraft(ctx, tx, now, o, of, version, w)
		if err != nil {
			return err
		}
		p, err := b.place(now, o.ID, o.Reference, d.facts, d.state())
		if err != nil {
			return err
		}
		err = postgres.Write(ctx, tx, `#a as (insert into server_order_author (server_order, account) values (@id, @by) on conflict do nothing),
			#o as (update server_order set product = @product, names = @names, spki = @spki, key_kind = @kind, csr = @csr, comment = @comment,
				search = @search, `+going+`, decider = null, version = version + 1, by_officer = @by_officer, told = null where id = @id)`, p.args(now, pgx.NamedArgs{
			"id": o.ID, "by": by.Account, "product": d.product.Code, "names": d.names, "spki": d.key.SPKI, "kind": d.key.Algorithm,
			"csr": append([]byte{}, d.csr...), "comment": d.comment, "search": words(o.Reference, d.names), "by_officer": d.byOfficer,
		}))
		if err != nil {
			return fmt.Errorf("correct order %d: %w", o.ID, err)
		}
		detail := audit.Detail{"reference": o.Reference, "name": strings.Join(d.names, ", "), "key": d.key.Algorithm, "comment": d.comment}
		if err := b.noteOrder(ctx, tx, now, by.Who(), o, "order.corrected", detail); err != nil {
			return err
		}
		return b.byRule(ctx, tx, now, o, p)
	})
}

// PreviewCorrection says what Correct would do, and refuses what it would.
func (b *Book) PreviewCorrection(ctx context.Context, by person.Actor, reference string, version int, w Wish) (Preview, error) {
	var p Preview
	return p, b.DB.Look(ctx, b.deciding(ctx, by, reference, func(tx pgx.Tx, o ServerOrder, of org.Organisation) error {
		d, err := b.redraft(ctx, tx, b.Now(), o, of, version, w)
		p = Preview{d.organisation, d.product, d.names, d.key, d.checks, d.state()}
		return err
	}))
}

func (b *Book) redraft(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, of org.Organisation, version int, w Wish) (draft, error) {
	d := draft{organisation: of}
	if err := MayCorrect(o); err != nil {
		return d, err
	}
	if err := o.same(version); err != nil {
		return d, err
	}
	d.byOfficer, d.self, d.replaces = o.ByOfficer, o.ID, o.Replaces
	return d, b.fill(ctx, tx, now, w, sought{}, o.SPKI, &d)
}

// Recheck lets the waiting orders of an organisation go on whose names are all
// validated by now. It is asked after a validation, and by a clock, and may run
// any number of times.
func (b *Book) Recheck(ctx context.Context, organisation org.OrganisationID) error {
	return b.recheck(ctx, organisation)
}

// recheckLimit bounds one look at the waiting orders.
const recheckLimit = 500

// RecheckAll is Recheck for all organisations: it heals what a crash left
// between a validation and the orders that waited for it.
func (b *Book) RecheckAll(ctx context.Context) error { return b.recheck(ctx, 0) }

func (b *Book) recheck(ctx context.Context, of org.OrganisationID) error {
	rows, err := b.DB.Query(ctx, `select reference from server_order where state = 'waiting' and (@of = 0::bigint or organisation = @of)
		order by since, id limit @limit`, pgx.NamedArgs{"of": of, "limit": recheckLimit})
	if err != nil {
		return fmt.Errorf("look for waiting orders: %w", err)
	}
	waiting, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for waiting orders: %w", err)
	}
	for _, reference := range waiting {
		if err := b.goOn(ctx, reference); err != nil {
			return err
		}
	}
	return nil
}

// portal is who acts when the portal itself looks at an order: it sees all.
var portal = person.Actor{Officer: true}

func (b *Book) goOn(ctx context.Context, reference string) error {
	return b.decide(ctx, portal, reference, func(tx pgx.Tx, o ServerOrder, of org.Organisation) error {
		if o.State != Waiting {
			return nil
		}
		now := b.Now()
		f, err := b.facts(ctx, tx, now, o)
		if err != nil {
			return err
		}
		p, err := b.place(now, o.ID, o.Reference, f, f.checks(now).place(of.AutoApprove))
		if errors.Is(err, issuance.ErrNoAuthority) || p.state == Waiting {
			return nil
		}
		if err != nil {
			return err
		}
		if err := b.goes(ctx, tx, now, o, p, nil); err != nil {
			return err
		}
		if err := b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.validated", audit.Detail{"reference": o.Reference}); err != nil {
			return err
		}
		return b.byRule(ctx, tx, now, o, p)
	})
}
