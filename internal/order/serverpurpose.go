package order

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/web/paths"
)

// serverOrders are what intents for servers are for.
type serverOrders struct{ *Book }

// errChecks is that a check does not hold any longer.
var errChecks = fault.New(fault.Conflict, "serverorder.failed.checks")

// lockOrganisationAndOrder takes both locks, in this order, whatever Postgres makes
// of the rest of the statement.
const lockOrganisationAndOrder = `with l as materialized (select o.* from organisation o where o.id = (select organisation from server_order where id = @id) for share of o),
	h as materialized (select s.* from server_order s join l on l.id = s.organisation where s.id = @id for update of s)`

// heldOrder is an order with what the right to its certificate rests on.
type heldOrder struct {
	ServerOrder
	known
}

// Hold holds organisation and order, and tells whether there is still a right to
// what was ordered. It reads in the statement that locks, so that only the order
// itself is sure to be as it was when the lock was had; whatever else changed while
// it waited changed after Hold.
func (b serverOrders) Hold(ctx context.Context, tx pgx.Tx, n issuance.Number) error {
	rows, err := tx.Query(ctx, lockOrganisationAndOrder+` select `+orderColumns+`, `+knownColumns(`s.organisation`, `s.product`, `sha256(s.spki)`)+`
		from h s join l o on o.id = s.organisation join account u on u.id = s.submitter
			left join account d on d.id = s.decider left join certificate k on k.id = s.replaces
			left join intent i on i.number = s.id`, org.Scope(portal, pgx.NamedArgs{"id": n}))
	if err != nil {
		return fmt.Errorf("hold order %d: %w", n, err)
	}
	h, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[heldOrder])
	switch {
	case err != nil:
		return fmt.Errorf("hold order %d: %w", n, postgres.Fault(err))
	case h.State == Withdrawn || h.State == Rejected || h.brokenOff(): // what was asked for is only collected
		return errChecks
	case h.State != Issuing && h.State != Pending:
		return issuance.ErrOver
	}
	f, err := h.facts()
	if err != nil {
		return err
	}
	if f.of(h.known).checks(b.Now()).worst() >= Wait {
		return errChecks
	}
	return nil
}

// brokenOff tells whether the right of o ended before there was a certificate.
func (o ServerOrder) brokenOff() bool { return o.State == Failed && o.Reason == errChecks.ID }

// lockOrder holds the organisation as it is, then the order, then reads: it acts
// for nobody.
func (b *Book) lockOrder(ctx context.Context, tx pgx.Tx, id ServerID) (o ServerOrder, err error) {
	if _, err := tx.Exec(ctx, lockOrganisationAndOrder+` select from h`, pgx.NamedArgs{"id": id}); err != nil {
		return o, fmt.Errorf("lock order %d: %w", id, err)
	}
	rows, err := tx.Query(ctx, `select `+orderColumns+` from `+orderTables+` where s.id = @id`, org.Scope(portal, pgx.NamedArgs{"id": id}))
	if err != nil {
		return o, fmt.Errorf("read order %d: %w", id, err)
	}
	o, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ServerOrder])
	return o, postgres.Fault(err)
}

// orderArrival is what is to be known when a certificate came.
type orderArrival struct {
	heldOrder
	came
	Proof []cert.NameProof
}

// arrival reads what Keep needs to know, once both locks are had.
func (b serverOrders) arrival(ctx context.Context, tx pgx.Tx, n issuance.Number, c pki.Certificate) (a orderArrival, err error) {
	if _, err := tx.Exec(ctx, lockOrganisationAndOrder+` select from h`, pgx.NamedArgs{"id": n}); err != nil {
		return a, fmt.Errorf("lock order %d: %w", n, err)
	}
	rows, err := tx.Query(ctx, `select `+orderColumns+`, `+knownColumns(`s.organisation`, `s.product`, `sha256(s.spki)`)+`, s.proof,
			`+cert.Recorded(`@issuer`, `@serial`)+` as recorded, `+orderHasCertificate+` as another, i.withdrawn is not null as gone,
			`+compromise.Of(`@key`)+` as fallen, `+cert.NextNumber+` as next,
			`+cert.LettersTo+` as "to", a.language
		from `+orderTables+` join account a on a.id = o.contact where s.id = @id`,
		org.Scope(portal, pgx.NamedArgs{"id": n, "issuer": c.Issuer, "serial": c.Serial, "key": c.Key.Fingerprint[:]}))
	if err != nil {
		return a, fmt.Errorf("read order %d: %w", n, err)
	}
	if a, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[orderArrival]); err != nil {
		return a, fmt.Errorf("read order %d: %w", n, err)
	}
	return a, nil
}

// Keep records what came, whatever became of the order meanwhile: it was issued,
// so it is known. What nobody has a right to any more is not offered, and neither is a
// second one, of an authority that forgot the intent.
func (b serverOrders) Keep(ctx context.Context, tx pgx.Tx, i issuance.Intent, c pki.Certificate, chain [][]byte) (cert.ID, error) {
	a, err := b.arrival(ctx, tx, i.Number, c)
	if err != nil {
		return 0, err
	}
	now := b.Now()
	why, err := a.unwanted(now)
	if err != nil {
		return 0, err
	}
	in := cert.Issuance{
		Known: cert.Known{Number: a.Next}, Reference: a.Reference, Certificate: c, Chain: chain,
		Organisation: a.Organisation, Order: int64(a.ID), Product: a.Product, Unwanted: why, Evidence: a.evidence(),
	}
	if a.Replaces != nil && !a.State.over() && why == "" && len(i.Differences) == 0 {
		in.Replaces, in.Known.Replaced = a.Replaces, *a.Renews
	}
	n, err := b.record(ctx, tx, now, i, a.came, &in)
	if err != nil {
		return 0, err
	}
	return n, b.arrived(ctx, tx, now, a, i, in, n)
}

// unwanted is why nobody has a right any more to what came; "" while somebody has.
func (a orderArrival) unwanted(now time.Time) (mail.Ended, error) {
	switch {
	case a.Fallen:
		return mail.EndedKey, nil
	case a.State == Withdrawn:
		return mail.EndedWish, nil
	case a.State == Issued:
		return mail.EndedSurplus, nil
	}
	f, err := a.facts()
	if err != nil {
		return "", err
	}
	c := f.of(a.known).checks(now)
	switch {
	case slices.ContainsFunc(c, Check.lost):
		return mail.EndedName, nil
	case a.State == Rejected:
		return mail.EndedRejected, nil
	case a.brokenOff(), a.Gone, c.worst() >= Wait:
		return mail.EndedRight, nil
	}
	return "", nil
}

// lost tells whether a name is not the organisation's, or not proven to be.
func (c Check) lost() bool {
	return c.Weight >= Wait && (c.Code == NameForeign || c.Code == NameUnvalidated || c.Code == NameWildcard)
}

// arrived moves the order to where the certificate n, recorded as in, leads it.
func (b serverOrders) arrived(ctx context.Context, tx pgx.Tx, now time.Time, a orderArrival, i issuance.Intent, in cert.Issuance, n cert.ID) error {
	o := a.ServerOrder
	open := !o.State.over() && !o.brokenOff()
	switch {
	case open && len(i.Differences) > 0:
		return b.failed(ctx, tx, now, o, i)
	case open && in.Unwanted != "":
		return b.failed(ctx, tx, now, o, issuance.Intent{Reason: errChecks.ID})
	case open:
		return b.issued(ctx, tx, now, a, in, n)
	case o.State == Issued && a.Recorded == nil:
		return b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.surplus", audit.Detail{"reference": o.Reference, "another": in.Reference})
	}
	return nil
}

func (b serverOrders) issued(ctx context.Context, tx pgx.Tx, now time.Time, a orderArrival, in cert.Issuance, n cert.ID) error {
	o := a.ServerOrder
	err := postgres.Write(ctx, tx, `update server_order set state = 'issued', reason = '', certificate = @certificate, since = @now, ended = @now where id = @id`,
		pgx.NamedArgs{"id": o.ID, "certificate": n, "now": now})
	if err != nil {
		return fmt.Errorf("record order %d: %w", o.ID, err)
	}
	if err := b.noteOrder(ctx, tx, now, audit.Who{}, o, "order.fulfilled", audit.Detail{"reference": o.Reference, "name": strings.Join(o.Names, ", ")}); err != nil {
		return err
	}
	return b.Cert.Outbox.Post(ctx, tx, mail.ServerIssuedWords{
		Reader: mail.Reader{To: a.To, Lang: a.Language}, Reference: o.Reference, Organisation: o.OrganisationName, Names: cert.SpelledAll(o.Names),
		Until: in.Certificate.NotAfter, Link: b.Cert.Base + paths.Certificate(o.Reference),
	})
}

// evidence is why a certificate was issued for the order.
func (a orderArrival) evidence() *cert.Evidence {
	approval := cert.Approval{Submitted: a.Created, SubmittedBy: cert.Somebody{Account: a.Submitter, Name: a.SubmitterName}, Approved: a.Approved}
	if a.Decider != nil && a.DeciderName != nil {
		approval.ApprovedBy = &cert.Somebody{Account: *a.Decider, Name: *a.DeciderName}
	}
	return &cert.Evidence{Organisation: a.OrganisationName, Names: a.Proof, Order: &approval}
}

// Ended breaks off an order of which no certificate comes.
func (b serverOrders) Ended(ctx context.Context, tx pgx.Tx, i issuance.Intent) error {
	o, err := b.lockOrder(ctx, tx, ServerID(i.Number))
	if err != nil || !slices.Contains([]State{Issuing, Pending}, o.State) {
		return err
	}
	return b.failed(ctx, tx, b.Now(), o, i)
}
