package mailbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/queue"
	"petschaft/web/paths"
)

// Digest is what the portal stores of a link's token.
func Digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

type deliverArgs struct {
	Challenge int64 `json:"challenge"`
}

func (deliverArgs) Kind() string { return "mailbox_deliver" }

func (deliverArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Mail, MaxAttempts: mail.Attempts}
}

type deliverer struct {
	river.WorkerDefaults[deliverArgs]
	book *Book
}

func (w *deliverer) NextRetry(j *river.Job[deliverArgs]) time.Time {
	return time.Now().Add(mail.Backoff(j.Attempt))
}

func (w *deliverer) Timeout(*river.Job[deliverArgs]) time.Duration { return mail.JobTimeout }

// Work sends one challenge, unless the mail queue is held: then it waits as it
// is. Run again after a crash it sends a new mail with a new token, and the link
// of the first one says that a newer mail replaced it.
func (w *deliverer) Work(ctx context.Context, j *river.Job[deliverArgs]) error {
	pass, err := w.book.Outbox.Enter(ctx)
	if held, ok := errors.AsType[*mail.HeldError](err); ok {
		return held.Snooze()
	}
	if err != nil {
		return err
	}
	e, err := w.book.arm(ctx, j.Args.Challenge)
	if errors.Is(err, pgx.ErrNoRows) { // answered, replaced or ended meanwhile
		return w.book.Outbox.Leave(ctx, pass)
	}
	if err != nil {
		return err
	}
	e.pass = pass
	letter, err := mail.Challenge(e.words(w.book.Base))
	if err != nil { // no later attempt could write it either
		return w.book.delivered(ctx, e, "", mail.Unwritable(err))
	}
	answer, err := w.book.Sender.Send(ctx, letter)
	return w.book.delivered(ctx, e, answer, err)
}

// envelope is what one attempt needs to know.
type envelope struct {
	ID         int64
	RowID      ID
	Recipient  org.Address
	Kind       Kind
	Primary    org.Address
	Aliases    []org.Address
	Asks       string
	DomainName org.Domain
	Queued     time.Time
	Expires    time.Time
	token      string
	pass       mail.Pass
}

// arm makes the token of one attempt and starts the challenge's life, in one
// statement: how long depends on the domain of the address, which for an alias
// may be another than the row's. No row means that there is nothing to send any
// more.
func (b *Book) arm(ctx context.Context, id int64) (envelope, error) {
	raw := make([]byte, 32)
	rand.Read(raw)
	token := base64.RawURLEncoding.EncodeToString(raw)
	now := b.Now()
	rows, err := b.DB.Query(ctx, `
		with c as (
			update challenge c set token = @hash, attempts = attempts + 1,
				expires = case when r.kind = 'functional' and d.validation = 'domain'
					or r.kind = 'personal' and exists (select from email_domain x
						where x.name = split_part(c.recipient, '@', 2) and x.validation = 'domain')
					then @days::timestamptz else @hours::timestamptz end
			from address_row r, email_domain d
			where c.id = @id and c.state in ('queued', 'deferred') and r.id = c.row_id and d.id = r.domain
			returning c.id, c.row_id, c.recipient, c.asked_by, c.queued, c.expires, r.kind, r.primary_address, r.aliases, d.name
		), t as (
			insert into challenge_token (hash, challenge, made) select @hash, c.id, @now from c
		)
		select c.id, c.row_id, c.recipient, c.kind, c.primary_address as primary, c.aliases, c.queued, c.expires, c.name as domain_name,
			a.label as asks
		from c join account a on a.id = c.asked_by`,
		pgx.NamedArgs{
			"id": id, "hash": Digest(token), "now": now,
			"days": now.Add(org.ByDomain.ChallengeLife()), "hours": now.Add(org.ByMailbox.ChallengeLife()),
		})
	if err != nil {
		return envelope{}, fmt.Errorf("arm challenge %d: %w", id, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[envelope])
	if err != nil {
		return envelope{}, fmt.Errorf("arm challenge %d: %w", id, err)
	}
	e.token = token
	return e, nil
}

func (e envelope) words(base string) mail.ChallengeWords {
	w := mail.ChallengeWords{To: string(e.Recipient), Asks: e.Asks, Domain: e.DomainName.Unicode(), Link: base + paths.Link + e.token, Until: e.Expires}
	if e.Kind == Functional {
		w.Functional = append(w.Functional, string(e.Primary))
		for _, a := range e.Aliases {
			w.Functional = append(w.Functional, string(a))
		}
	}
	return w
}

// delivered writes what became of an attempt, even when the job or its process
// is at its end. The error it returns makes River try again later; it never holds
// the address.
func (b *Book) delivered(ctx context.Context, e envelope, answer string, sendErr error) error {
	f, err := b.Outbox.Heard(ctx, mail.Attempt{
		Pass: e.pass, To: string(e.Recipient), Until: e.Queued.Add(mail.Patience), Challenge: e.ID,
	}, answer, sendErr)
	ctx, done := mail.Noting(ctx)
	defer done()
	if f.Held {
		err = errors.Join(err, b.takeBack(ctx))
	}
	now := b.Now()
	switch f.State {
	case "sent":
		_, wrote := b.DB.Exec(ctx, `update challenge set sent = @now, answer = @answer,
				state = case when state in ('queued', 'deferred') then 'sent' else state end where id = @id`,
			pgx.NamedArgs{"id": e.ID, "now": now, "answer": f.Answer})
		return errors.Join(err, wrote)
	case "failed":
		return errors.Join(err, b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.fail(ctx, tx, now, audit.Who{}, e.RowID, e.ID, f) }))
	}
	_, wrote := b.DB.Exec(ctx, `update challenge set state = 'deferred', answer = $2 where id = $1 and state in ('queued', 'deferred')`, e.ID, f.Answer)
	return errors.Join(sendErr, err, wrote)
}

// fail ends a challenge that could still be answered, and its link with it: as
// undeliverable, or as unsent.
func (b *Book) fail(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, row ID, id int64, f mail.Fate) error {
	var d org.ID
	if err := tx.QueryRow(ctx, `select domain from address_row where id = $1 for update`, row).Scan(&d); err != nil {
		return fmt.Errorf("mark challenge %d undeliverable: %w", id, err)
	}
	tag, err := tx.Exec(ctx, `update challenge set state = 'failed', ended = @now, answer = @answer, unsent = @unsent
		where id = @id and state in ('queued', 'deferred', 'sent')`,
		pgx.NamedArgs{"id": id, "now": now, "answer": f.Answer, "unsent": f.Unsent})
	if err != nil {
		return fmt.Errorf("mark challenge %d undeliverable: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	if err := b.settle(ctx, tx, now, row); err != nil {
		return err
	}
	if err := refresh(ctx, tx, row); err != nil {
		return err
	}
	action := "mailbox.undeliverable"
	if f.Unsent {
		action = "mailbox.unsent"
	}
	return b.note(ctx, tx, now, who, action, audit.Detail{"challenge": id, "answer": f.Answer}, row.Thing(), d.Thing())
}

// MayMarkUndeliverable: a challenge whose mail was handed over and bounced, as a
// human read in the bounce mailbox.
func MayMarkUndeliverable(r Row, c Challenge) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	switch {
	case !c.State.Pending():
		return fault.New(fault.Conflict, "mailbox.undeliverable.ended")
	case c.State != Sent:
		return fault.New(fault.Conflict, "mailbox.undeliverable.not_sent")
	}
	return nil
}

// MarkUndeliverable lets a contact say that a mail came back. Its link ends with
// it: who reads bounces reads what they quote.
func (b *Book) MarkUndeliverable(ctx context.Context, by person.Actor, name string, id ID, challenge int64) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error {
		c, err := one(ctx, tx, r.ID, challenge)
		if err != nil {
			return err
		}
		if err := MayMarkUndeliverable(r, c); err != nil {
			return err
		}
		return b.fail(ctx, tx, b.Now(), by.Who(), r.ID, c.ID, mail.Fate{Answer: c.Answer})
	})
}
