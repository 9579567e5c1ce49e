package order

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/web/paths"
)

// serverAuthority is the authority that server certificates come from.
const serverAuthority = "tls"

type fulfilArgs struct {
	Order ServerID `json:"order"`
}

func (fulfilArgs) Kind() string { return "order_issue_server" }

func (fulfilArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: attempts} }

type fulfiller struct {
	river.WorkerDefaults[fulfilArgs]
	book *Book
}

func (w *fulfiller) NextRetry(j *river.Job[fulfilArgs]) time.Time {
	return time.Now().Add(mail.Backoff(j.Attempt))
}

func (w *fulfiller) Work(ctx context.Context, j *river.Job[fulfilArgs]) error {
	err := w.book.Fulfil(ctx, j.Args.Order)
	if last(err, j.Attempt) {
		return errors.Join(err, w.book.breakOff(ctx, j.Args.Order, answer{failed: failedAway}))
	}
	return goesOn(err, j.Attempt)
}

// Fulfil leads an approved order to its end: it may run any number of times, in
// any number of processes.
func (b *Book) Fulfil(ctx context.Context, id ServerID) error {
	o, err := b.intendServer(ctx, id)
	if err != nil || o.State != Issuing {
		return err
	}
	request, err := o.request()
	if err != nil {
		return fmt.Errorf("read intent of order %d: %w", id, err)
	}
	a, err := b.ask(ctx, request)
	switch {
	case err != nil:
		return fmt.Errorf("issue order %d: %w", id, err)
	case a.failed != "":
		return b.breakOff(ctx, id, a)
	}
	return b.recordServer(ctx, o, a)
}

// request is what the authority is asked for.
func (o ServerOrder) request() (pki.Request, error) {
	key, err := pki.ReadKey(o.SPKI)
	if err != nil {
		return pki.Request{}, err
	}
	r := pki.Request{
		Intent: int64(o.ID), Profile: pki.ProfileID(o.Profile), Key: key, DNS: o.Names, Days: o.Days, Serial: o.Serial, NotBefore: *o.NotBefore,
	}
	return r, r.Check()
}

// byNumber is hold for who knows the number only. Neither the reference number of
// an order nor its organisation ever changes.
func (b *Book) byNumber(ctx context.Context, tx pgx.Tx, id ServerID) (ServerOrder, org.Organisation, error) {
	var reference string
	var of org.OrganisationID
	if err := tx.QueryRow(ctx, `select reference, organisation from server_order where id = $1`, id).Scan(&reference, &of); err != nil {
		return ServerOrder{}, org.Organisation{}, fmt.Errorf("read order %d: %w", id, err)
	}
	return b.hold(ctx, tx, of, reference)
}

// intendServer writes the intent, or reads the one that a process before left.
// All checks are made once more; what does not hold any longer breaks the order
// off, so that an officer looks at it.
func (b *Book) intendServer(ctx context.Context, id ServerID) (o ServerOrder, err error) {
	return o, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if o, _, err = b.byNumber(ctx, tx, id); err != nil || o.State != Approved {
			return err
		}
		now := b.Now()
		f, err := b.facts(ctx, tx, now, o)
		if err != nil {
			return err
		}
		if f.checks(now).worst() >= Wait {
			o.State = Failed
			return b.failed(ctx, tx, now, o, answer{failed: failedChecks})
		}
		from := pki.NotBefore(now)
		o.State, o.Serial, o.NotBefore, o.Days, o.Profile = Issuing, pki.NewSerial(), &from, f.product.Days, string(pki.TLSDomain)
		_, err = tx.Exec(ctx, `update server_order set state = @state, approved = since, since = @now, serial = @serial, not_before = @from,
				days = @days, profile = @profile, proof = @proof where id = @id`, pgx.NamedArgs{
			"id": id, "state": o.State, "now": now, "serial": o.Serial, "from": from, "days": o.Days, "profile": o.Profile,
			"proof": nameProofs(f.owned, o.Names, now),
		})
		if err != nil {
			return fmt.Errorf("write intent of order %d: %w", id, err)
		}
		return nil
	})
}

// breakOff ends the attempts at an order; what the authority answered instead is
// kept.
func (b *Book) breakOff(ctx context.Context, id ServerID, a answer) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, _, err := b.byNumber(ctx, tx, id)
		if err != nil || o.State != Issuing {
			return err
		}
		return b.failed(ctx, tx, b.Now(), o, a)
	})
}

func (b *Book) failed(ctx context.Context, tx pgx.Tx, now time.Time, o ServerOrder, a answer) error {
	if err := b.move(ctx, tx, now, o, Failed, a.failed); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update server_order set answer = coalesce($2, answer), findings = $3 where id = $1`, o.ID, a.instead, saved(a.findings))
	if err != nil {
		return fmt.Errorf("keep the answer to order %d: %w", o.ID, err)
	}
	return b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.failed", a.detail(o.Reference))
}

// recordServer keeps the certificate whatever happened to the order meanwhile:
// it was issued, and what was issued is known. A second one, of an authority that
// forgot the intent, is kept beside it, so that both can be revoked.
func (b *Book) recordServer(ctx context.Context, o ServerOrder, a answer) error {
	c := a.certificate
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		o, of, err := b.hold(ctx, tx, o.Organisation, o.Reference)
		if err != nil {
			return fmt.Errorf("read order: %w", err)
		}
		i := cert.Issuance{
			Reference: o.Reference, Authority: serverAuthority, Organisation: o.Organisation, Order: int64(o.ID), Replaces: o.Replaces,
			Product: o.Product, Certificate: c,
		}
		if o.State.over() {
			i.Reference, i.Replaces = NewReference(), nil
		}
		if i.Evidence, err = b.serverEvidence(ctx, tx, o, a.checks); err != nil {
			return err
		}
		now := b.Now()
		n, err := b.Cert.Record(ctx, tx, now, i)
		switch {
		case err != nil:
			return err
		case o.Certificate != nil && n == *o.Certificate:
			return nil
		}
		switch {
		case o.State.over():
			return b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.surplus", audit.Detail{"reference": o.Reference, "another": i.Reference})
		}
		_, err = tx.Exec(ctx, `update server_order set state = 'issued', reason = '', certificate = $2, since = $3, ended = $3 where id = $1`, o.ID, n, now)
		if err != nil {
			return fmt.Errorf("record order %d: %w", o.ID, err)
		}
		if err := b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.fulfilled", audit.Detail{"reference": o.Reference, "name": strings.Join(o.Names, ", ")}); err != nil {
			return err
		}
		return b.post(ctx, tx, of, func(to mail.Reader) mail.Words {
			return mail.ServerIssuedWords{
				Reader: to, Reference: o.Reference, Organisation: of.Name, Names: cert.SpelledAll(o.Names), Until: c.NotAfter,
				Link: b.Cert.Base + paths.Certificate(o.Reference),
			}
		})
	})
}
