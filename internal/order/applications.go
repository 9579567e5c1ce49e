package order

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/lint"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// applications are what intents for mailboxes are for.
type applications struct{ *Book }

// held is an application with the right to it.
type held struct {
	applied
	right
}

// Hold holds row, link and application, and tells whether there is still a right to
// what was applied for.
func (b applications) Hold(ctx context.Context, tx pgx.Tx, n issuance.Number) error {
	now := b.Now()
	h, linked, err := lookup[held](ctx, tx, ID(n), true, "", pgx.NamedArgs{})
	if err != nil {
		return err
	}
	if !linked {
		if h.applied, err = b.alone(ctx, tx, ID(n)); err != nil {
			return err
		}
	}
	switch {
	case h.State != Issuing && h.State != Pending: // a withdrawn one is only collected
		return h.over()
	case !linked:
		return mailbox.ErrUnlinked
	}
	return b.holds(h.applied, h.right, now)
}

// over is why nothing is asked for an application that is not open: its right ended
// (refused, withdrawn), or it ended without this room.
func (a applied) over() error {
	if a.State == Refused || a.State == Withdrawn {
		return errChanged
	}
	return issuance.ErrOver
}

// alone is an application without its right, held.
func (b *Book) alone(ctx context.Context, tx pgx.Tx, n ID) (applied, error) {
	rows, err := tx.Query(ctx, `select `+appliedColumns+` from application p join account a on a.id = p.account where p.id = $1 for update of p`, n)
	if err != nil {
		return applied{}, fmt.Errorf("read application %d: %w", n, err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[applied])
	return a, postgres.Fault(err)
}

// arrival is what is to be known when a certificate came.
type arrival struct {
	held
	came
}

// Keep records what came, whatever became of the application meanwhile: it was
// issued, so it is known. What is no longer wanted is not offered, and neither is a
// second one, of an authority that forgot the intent.
func (b applications) Keep(ctx context.Context, tx pgx.Tx, i issuance.Intent, c pki.Certificate, chain [][]byte) (cert.ID, error) {
	now, id := b.Now(), ID(i.Number)
	if _, err := tx.Exec(ctx, `select from address_row where id = (select row_id from application where id = $1) for update`, id); err != nil {
		return 0, fmt.Errorf("lock the row of application %d: %w", id, err)
	}
	a, ended, err := b.arrival(ctx, tx, now, id, c)
	if err != nil {
		return 0, err
	}
	in := cert.Issuance{
		Known: cert.Known{Number: a.Next, To: mail.Reader{To: a.To, Lang: a.Language}}, Reference: a.Reference, Certificate: c, Chain: chain,
		Account: a.Account, Holder: a.Holder, HolderEmail: a.HolderEmail, Row: a.Row, Unwanted: unwanted(a, ended), Evidence: &cert.Evidence{
			Holder: &cert.Somebody{Account: a.Account, Name: a.Holder}, Addresses: a.Proof, Terms: &cert.Terms{Version: a.Terms, Accepted: a.Created},
		},
	}
	n, err := b.record(ctx, tx, now, i, a.came, &in)
	if err != nil {
		return 0, err
	}
	return n, b.kept(ctx, tx, now, a.applied, i, in, n, ended)
}

// came is what is to be known of a certificate that came.
type came struct {
	Recorded *cert.ID // it is known already
	Another  bool     // of the same application or order is
	Gone     bool     // the right ended, as its intent says
	Fallen   bool     // the certificate's key fell into other hands
	Next     cert.ID  // the number to record it by
	To       string
	Language string
}

// record keeps what came of i, unless it is recorded already. Of several certificates
// of one application or order the first that is what was asked for has its reference.
func (b *Book) record(ctx context.Context, tx pgx.Tx, now time.Time, i issuance.Intent, c came, in *cert.Issuance) (cert.ID, error) {
	if c.Recorded != nil {
		return *c.Recorded, nil
	}
	in.Authority, in.Unexpected, in.Evidence.AuthorityRef, in.Evidence.Checks = i.Authority, i.Differences, i.Ticket, i.Checks
	if c.Another || len(i.Differences) > 0 {
		in.Reference = text.NewReference()
	}
	return b.Cert.Record(ctx, tx, now, *in)
}

// cameColumns are SQL: whether a certificate has the application's own reference, and
// whether its intent is withdrawn.
const cameColumns = `exists (select from certificate k where k.reference = p.reference) as another,
	exists (select from intent i where i.number = p.id and i.withdrawn is not null) as gone`

// arrival reads what Keep needs to know, and says why there is no right any more.
func (b *Book) arrival(ctx context.Context, tx pgx.Tx, now time.Time, id ID, c pki.Certificate) (a arrival, ended error, err error) {
	more := `, ` + cert.Recorded("@issuer", "@serial") + ` as recorded, ` + cert.NextNumber + ` as next, ` + cameColumns + `,
		` + compromise.Of("@key") + ` as fallen, ` + cert.LettersAbout("p.row_id") + ` as "to", a.language`
	args := pgx.NamedArgs{"issuer": c.Issuer, "serial": c.Serial, "key": c.Key.Fingerprint[:], "id": id}
	a, linked, err := lookup[arrival](ctx, tx, id, true, more, args)
	switch {
	case err != nil:
		return a, nil, err
	case linked:
		if a.State != Issued {
			ended = b.holds(a.applied, a.right, now)
		}
		if ended != nil && fault.Is(ended, fault.Internal) {
			return a, nil, ended
		}
		if ended == nil && a.Gone {
			ended = errChanged
		}
		return a, ended, nil
	}
	if a.applied, err = b.alone(ctx, tx, id); err != nil {
		return a, nil, err
	}
	err = tx.QueryRow(ctx, `select `+cert.Recorded("@issuer", "@serial")+`, `+cert.NextNumber+`, `+cameColumns+`, `+compromise.Of("@key")+` as fallen,
			`+cert.LettersAbout("p.row_id")+`, a.language
		from application p join account a on a.id = p.account where p.id = @id`, args).
		Scan(&a.Recorded, &a.Next, &a.Another, &a.Gone, &a.Fallen, &a.To, &a.Language)
	if err != nil {
		return a, nil, fmt.Errorf("read whom application %d was for: %w", id, err)
	}
	return a, mailbox.ErrUnlinked, nil
}

// kept moves the application to where the certificate n, recorded as in, leads it.
func (b *Book) kept(ctx context.Context, tx pgx.Tx, now time.Time, a applied, i issuance.Intent, in cert.Issuance, n cert.ID, ended error) error {
	open := a.State == Issuing || a.State == Pending || a.State == Queued
	switch {
	case len(i.Differences) > 0 && open:
		return b.fail(ctx, tx, now, a, i)
	case in.Unwanted != "" && open:
		return b.refuse(ctx, tx, now, a, fault.Of(ended).ID, nil)
	case a.State == Issued && *a.Certificate != n:
		return b.note(ctx, tx, now, a, audit.Who{}, "order.surplus", audit.Detail{"reference": a.Reference, "another": in.Reference})
	case len(i.Differences) > 0, in.Unwanted != "":
		return nil
	}
	err := postgres.Write(ctx, tx, `update application set state = 'issued', reason = '', certificate = @certificate, ended = @now where id = @id`,
		pgx.NamedArgs{"id": a.ID, "certificate": n, "now": now})
	if err != nil {
		return fmt.Errorf("record application %d: %w", a.ID, err)
	}
	return nil
}

// unwanted is why nobody wants what came for a, empty where somebody does; ended is
// why there is no right to it now.
func unwanted(a arrival, ended error) mail.Ended {
	switch {
	case a.Fallen:
		return mail.EndedKey
	case a.State == Withdrawn:
		return mail.EndedWish
	case a.State == Issued:
		return mail.EndedSurplus
	case a.State == Failed && a.Gone && a.Reason == issuance.NotKnown:
		return mail.EndedLater
	case a.State == Refused: // it ended before this came
		ended = errors.Join(fault.New(fault.Conflict, a.Reason), fault.New(fault.Denied, a.Reason))
	}
	switch {
	case ended == nil:
		return ""
	case errors.Is(ended, person.ErrLocked):
		return mail.EndedAccount
	case errors.Is(ended, mailbox.ErrInactive):
		return mail.EndedRow
	case errors.Is(ended, mailbox.ErrUnlinked), errors.Is(ended, mailbox.ErrSuspended):
		return mail.EndedLink
	}
	return mail.EndedRight
}

// Ended moves an application of which no certificate comes.
func (b applications) Ended(ctx context.Context, tx pgx.Tx, i issuance.Intent) error {
	a, err := b.alone(ctx, tx, ID(i.Number))
	if err != nil || a.State != Issuing && a.State != Pending {
		return err
	}
	now := b.Now()
	if i.Withdrawn != nil {
		return b.refuse(ctx, tx, now, a, i.Reason, i.Findings)
	}
	return b.fail(ctx, tx, now, a, i)
}

// refuse ends an application for which there is no right.
func (b *Book) refuse(ctx context.Context, tx pgx.Tx, now time.Time, a applied, reason string, found []lint.Finding) error {
	err := postgres.Write(ctx, tx, `update application set state = 'refused', reason = @reason, ended = @now, findings = coalesce(@findings::jsonb, '[]') where id = @id`,
		pgx.NamedArgs{"id": a.ID, "reason": reason, "now": now, "findings": found})
	if err != nil {
		return fmt.Errorf("refuse application %d: %w", a.ID, err)
	}
	return b.note(ctx, tx, now, a, audit.Who{}, "order.refused", audit.Detail{"reference": a.Reference, "why": reason})
}

// fail ends an application that the authority did not fulfil; what it answered
// instead, and the rules that would have been broken, are kept for the
// registration office.
func (b *Book) fail(ctx context.Context, tx pgx.Tx, now time.Time, a applied, i issuance.Intent) error {
	err := postgres.Write(ctx, tx, `update application set state = 'failed', reason = @reason, answer = coalesce(@answer, answer), ended = @now, findings = coalesce(@findings::jsonb, '[]')
		where id = @id`, pgx.NamedArgs{"id": a.ID, "reason": i.Reason, "answer": i.Answer, "now": now, "findings": i.Findings})
	if err != nil {
		return fmt.Errorf("fail application %d: %w", a.ID, err)
	}
	return b.note(ctx, tx, now, a, audit.Who{}, "order.failed", failure(a.Reference, i))
}

// failure is why an intent ended without its certificate, as an audit line tells it.
func failure(reference string, i issuance.Intent) audit.Detail {
	d := audit.Detail{"reference": reference, "why": i.Reason}
	if len(i.Answer) > 0 {
		d["answer"] = pki.Certificate{DER: i.Answer}.Fingerprints().SHA256
	}
	if len(i.Findings) > 0 {
		d["rules"] = strings.Join(lint.Rules(i.Findings), ", ")
	}
	return d
}

func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, a applied, who audit.Who, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: who, At: now, Action: action, Detail: d, About: []audit.Thing{a.ID.Thing(), a.Row.Thing(), a.Account.Thing()},
	})
}
