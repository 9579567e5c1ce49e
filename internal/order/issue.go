package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

type issueArgs struct {
	Application ID `json:"application"`
}

func (issueArgs) Kind() string { return "order_issue" }

// attempts bounds the tries while the authority is away: within two days.
const attempts = mail.Attempts

func (issueArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: attempts} }

type issuer struct {
	river.WorkerDefaults[issueArgs]
	book *Book
}

func (w *issuer) NextRetry(j *river.Job[issueArgs]) time.Time {
	return time.Now().Add(mail.Backoff(j.Attempt))
}

func (w *issuer) Work(ctx context.Context, j *river.Job[issueArgs]) error {
	err := w.book.Issue(ctx, j.Args.Application)
	if last(err, j.Attempt) {
		return errors.Join(err, w.book.fail(ctx, j.Args.Application, answer{failed: failedAway}))
	}
	return goesOn(err, j.Attempt)
}

// last tells whether an attempt that ended with err was the last one. A database
// of ours that was away says nothing of the authority.
func last(err error, attempt int) bool {
	return err != nil && attempt >= attempts && !postgres.Away(err)
}

// goesOn is what the queue hears of an attempt that was not the last one.
func goesOn(err error, attempt int) error {
	if err != nil && attempt >= attempts {
		return river.JobSnooze(mail.Backoff(attempts))
	}
	return err
}

// Jobs registers the issuance and returns what runs by itself: mails to
// officers, a second look at orders that wait, and a job for everything that is
// to be issued and has lost its own.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, &issuer{book: b})
	river.AddWorker(w, &fulfiller{book: b})
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tellArgs]) error { return b.TellOfficers(ctx) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[recheckArgs]) error { return b.RecheckAll(ctx) }))
	return []queue.Task{
		queue.Every(tellEvery, tellArgs{}), queue.Every(tellEvery, recheckArgs{}),
		queue.Due[fulfilArgs](`select jsonb_build_object('order', id) from server_order where state in ('approved', 'issuing')`),
		queue.Due[issueArgs](`select jsonb_build_object('application', id) from application where ended is null and state in ('queued', 'issuing')`),
	}
}

// Issue leads an application to its end: it may run any number of times, in any
// number of processes.
func (b *Book) Issue(ctx context.Context, id ID) error {
	i, err := b.intend(ctx, id)
	if err != nil || i.State != Issuing {
		return err
	}
	request, err := i.request()
	if err != nil {
		return fmt.Errorf("read intent of application %d: %w", id, err)
	}
	a, err := b.ask(ctx, request)
	switch {
	case err != nil:
		return fmt.Errorf("issue application %d: %w", id, err)
	case a.failed != "":
		return b.fail(ctx, id, a)
	}
	return b.record(ctx, i, a)
}

// intend writes the intent, or reads the one that a process before left. The
// rule is asked once more with the row locked.
func (b *Book) intend(ctx context.Context, id ID) (intent, error) {
	var i intent
	return i, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		row, account, err := b.of(ctx, tx, id)
		if err != nil {
			return err
		}
		l, linkErr := b.Mailbox.LockLinked(ctx, tx, account, row)
		if linkErr != nil && !fault.Is(linkErr, fault.Conflict) {
			return linkErr
		}
		if i, err = load(ctx, tx, id); err != nil {
			return fmt.Errorf("read application %d: %w", id, err)
		}
		if i.State != Queued {
			return nil
		}
		now := b.Now()
		switch {
		case i.Locked:
			linkErr = person.ErrLocked
		case linkErr == nil:
			linkErr = mailbox.MayApply(l, now)
		}
		if linkErr != nil {
			i.State = Refused
			return b.refuse(ctx, tx, now, i, fault.Of(linkErr).ID)
		}
		if i, err = b.writeIntent(ctx, tx, now, i, l); err != nil {
			return err
		}
		request, err := i.request()
		if err != nil && !fault.Is(err, fault.Internal) {
			i.State = Refused
			return b.refuse(ctx, tx, now, i, fault.Of(err).ID)
		}
		if found := i.facts(l).Check(request); len(found) > 0 {
			i.State = Refused
			return b.refuse(ctx, tx, now, i, refusedFor(found), found...)
		}
		return nil
	})
}

// of reads what is needed to take the row's lock before the application's.
func (b *Book) of(ctx context.Context, tx pgx.Tx, id ID) (row mailbox.ID, account person.ID, err error) {
	err = tx.QueryRow(ctx, `select row_id, account from application where id = $1`, id).Scan(&row, &account)
	if err != nil {
		err = fmt.Errorf("read application %d: %w", id, err)
	}
	return row, account, err
}

// writeIntent takes the names from the row as it is now and from the provider's
// last word; nothing of them comes from the request.
func (b *Book) writeIntent(ctx context.Context, tx pgx.Tx, now time.Time, i intent, l mailbox.Linked) (intent, error) {
	i.Emails = nil
	for _, a := range l.Addresses() {
		i.Emails = append(i.Emails, string(a))
	}
	id, sponsor, err := b.profile(ctx, tx, l)
	if err != nil {
		return i, err
	}
	proof, err := b.Cert.AddressProofs(ctx, tx, i.Account, i.RowID, l.Addresses())
	if err != nil {
		return i, err
	}
	from := pki.NotBefore(now)
	i.Profile, i.Sponsor, i.State, i.Serial, i.NotBefore = string(id), sponsor, Issuing, pki.NewSerial(), &from
	err = tx.QueryRow(ctx, `update application p set state = @state, profile = @profile, emails = @emails, serial = @serial, not_before = @from,
			organisation = @organisation, identifier = @identifier, country = @country, proof = @proof,
			common_name = case when @personal then a.name else '' end, given_name = case when @personal then a.given_name else '' end,
			surname = case when @personal then a.family_name else '' end
		from account a where p.id = @id and a.id = p.account returning p.common_name, p.given_name, p.surname`, pgx.NamedArgs{
		"id": i.ID, "state": i.State, "profile": i.Profile, "emails": i.Emails, "serial": i.Serial, "from": from,
		"organisation": sponsor.Organisation, "identifier": sponsor.Identifier, "country": sponsor.Country, "proof": proof,
		"personal": l.Kind == mailbox.Personal,
	}).Scan(&i.CommonName, &i.GivenName, &i.Surname)
	if err != nil {
		return i, fmt.Errorf("write intent of application %d: %w", i.ID, err)
	}
	return i, nil
}

func (b *Book) refuse(ctx context.Context, tx pgx.Tx, now time.Time, i intent, reason string, found ...lint.Finding) error {
	_, err := tx.Exec(ctx, `update application set state = 'refused', reason = $2, ended = $3, findings = $4 where id = $1`, i.ID, reason, now, saved(found))
	if err != nil {
		return fmt.Errorf("refuse application %d: %w", i.ID, err)
	}
	return b.note(ctx, tx, now, i, audit.Who{}, "order.refused", audit.Detail{"reference": i.Reference, "why": reason})
}

// fail ends an application that the authority did not fulfil; what it answered
// instead, and the rules that would have been broken, are kept for the
// registration office.
func (b *Book) fail(ctx context.Context, id ID, a answer) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		i, err := load(ctx, tx, id)
		if err != nil {
			return fmt.Errorf("read application %d: %w", id, err)
		}
		if i.State != Issuing {
			return nil
		}
		now := b.Now()
		_, err = tx.Exec(ctx, `update application set state = 'failed', reason = $2, answer = coalesce($3, answer), ended = $4, findings = $5 where id = $1`,
			id, a.failed, a.instead, now, saved(a.findings))
		if err != nil {
			return fmt.Errorf("fail application %d: %w", id, err)
		}
		return b.note(ctx, tx, now, i, audit.Who{}, "order.failed", a.detail(i.Reference))
	})
}

// record keeps the certificate whatever happened to the row and to the
// application meanwhile: it was issued, and what was issued is known. An
// authority that forgot the intent and answered two calls with two certificates
// leaves both here, so that both can be revoked.
func (b *Book) record(ctx context.Context, i intent, a answer) error {
	id, c := i.ID, a.certificate
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := b.Mailbox.LockRow(ctx, tx, i.RowID); err != nil {
			return err
		}
		i, err := load(ctx, tx, id)
		if err != nil {
			return fmt.Errorf("read application %d: %w", id, err)
		}
		now, reference := b.Now(), i.Reference
		if i.State == Issued {
			reference = NewReference()
		}
		e, err := b.evidence(ctx, tx, i, a.checks)
		if err != nil {
			return err
		}
		n, err := b.Cert.Record(ctx, tx, now, cert.Issuance{
			Reference: reference, Authority: mailAuthority, Account: i.Account, Holder: i.Holder, HolderEmail: i.HolderEmail,
			Row: i.RowID, Certificate: c, Evidence: e,
		})
		switch {
		case err != nil:
			return err
		case i.State == Issued && n == *i.Certificate:
			return nil
		}
		switch {
		case i.State == Issued:
			return b.note(ctx, tx, now, i, audit.Who{}, "order.surplus", audit.Detail{"reference": i.Reference, "another": reference})
		}
		_, err = tx.Exec(ctx, `update application set state = 'issued', reason = '', certificate = $2, ended = $3 where id = $1`, id, n, now)
		if err != nil {
			return fmt.Errorf("record application %d: %w", id, err)
		}
		return nil
	})
}

func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, i intent, who audit.Who, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: who, At: now, Action: action, Detail: d,
		About: []audit.Thing{i.ID.Thing(), i.RowID.Thing(), i.Account.Thing()},
	})
}
