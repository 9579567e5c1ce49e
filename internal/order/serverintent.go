package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/issuance"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// placed is where an order goes, with the intent if it is to be issued.
type placed struct {
	state  State
	intent *issuance.Intent
	proof  []cert.NameProof
}

// place leads an order called reference to s: what is approved is asked for at
// once, with a serial of its own.
func (b *Book) place(now time.Time, id ServerID, reference string, f facts, s State) (placed, error) {
	if s != Approved {
		return placed{state: s, proof: []cert.NameProof{}}, nil
	}
	i, err := b.intended(now, id, reference, f)
	return b.asks(now, f, i), err
}

func (b *Book) intended(now time.Time, id ServerID, reference string, f facts) (issuance.Intent, error) {
	authority, err := b.Issuance.Registry.Choose(f.product.Authority, pki.TLSDomain)
	return issuance.Intent{
		Number: issuance.Number(id), Kind: issuance.ServerOrder, Reference: reference, Authority: authority, CSR: f.csr, SPKI: f.key.SPKI,
		Profile: string(pki.TLSDomain), Names: f.names, Days: f.product.Days, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}, err
}

func (b *Book) asks(now time.Time, f facts, i issuance.Intent) placed {
	return placed{state: b.with(i.Authority), intent: &i, proof: nameProofs(f.owned, f.names, now)}
}

// args adds the columns that tell of it: a process of the version before, which
// knows no intents, takes part by them.
func (p placed) args(now time.Time, args pgx.NamedArgs) pgx.NamedArgs {
	args["state"], args["now"], args["proof"] = p.state, now, p.proof
	args["approved"], args["serial"], args["from"], args["days"], args["profile"] = nil, nil, nil, 0, ""
	if i := p.intent; i != nil {
		args["approved"], args["serial"], args["from"], args["days"], args["profile"] = now, i.Serial, i.NotBefore, i.Days, i.Profile
	}
	return args
}

// going are the assignments of args.
const going = `state = @state, since = @now, reason = '', approved = coalesce(approved, @approved), serial = @serial, not_before = @from, days = @days,
	profile = @profile, proof = @proof`

// goes moves an order to where p leads, for decider if somebody decided that.
func (b *Book) goes(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, p placed, decider *person.ID) error {
	err := postgres.Write(ctx, tx, `update server_order set `+going+`, decider = coalesce(@decider, decider), attempts = @attempts where id = @id`,
		p.args(now, pgx.NamedArgs{"id": o.ID, "decider": decider, "attempts": o.Attempts}))
	if err != nil {
		return fmt.Errorf("move order %d to %s: %w", o.ID, p.state, err)
	}
	return nil
}

// asked is what its columns say that an authority was asked for: the version before
// writes nothing else.
func (o ServerOrder) asked() issuance.Intent {
	p, _ := pki.TLSDomain.Profile()
	i := issuance.Intent{
		Number: issuance.Number(o.ID), Kind: issuance.ServerOrder, Reference: o.Reference, Authority: p.Authority, SPKI: o.SPKI, Profile: o.Profile,
		Names: o.Names, Days: o.Days, Serial: o.Serial,
	}
	if o.NotBefore != nil {
		i.NotBefore = *o.NotBefore
	}
	return i
}

// failed ends the attempts at an order; what the authority answered instead is
// kept.
func (b *Book) failed(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, i issuance.Intent) error {
	err := postgres.Write(ctx, tx, `update server_order set state = 'failed', since = @now, reason = @reason, answer = coalesce(@answer, answer), findings = coalesce(@findings::jsonb, '[]')
		where id = @id`, pgx.NamedArgs{"id": o.ID, "now": now, "reason": i.Reason, "answer": i.Answer, "findings": i.Findings})
	if err != nil {
		return fmt.Errorf("fail order %d: %w", o.ID, err)
	}
	return b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.failed", failure(o.Reference, i))
}
