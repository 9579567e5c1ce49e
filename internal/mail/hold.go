package mail

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"petschaft/internal/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// What makes and ends a hold of the queue.
const (
	probeEvery  = 5 * time.Minute  // while it lasts, one letter tries
	holdWindow  = 10 * time.Minute // in which a code counts
	holdDomains = 3                // recipient domains that make a code the relay's
	holdRest    = time.Hour        // a code that was not the relay's holds no more for so long
)

// Hold is a time in which the mail server takes no letter.
type Hold struct {
	ID     int64
	Since  time.Time
	Next   time.Time // when a letter may try
	Door   bool      // it says so before it sees a recipient
	Code   string    // the enhanced code, else the reply's
	Answer string    // the server's words
}

// Holding returns the hold that lasts, nil if none does.
func (o *Outbox) Holding(ctx context.Context) (*Hold, error) {
	h, err := holding(ctx, o.DB)
	if err != nil {
		return nil, fmt.Errorf("look for a hold of the mail queue: %w", err)
	}
	return h, nil
}

func holding(ctx context.Context, q postgres.Querier) (*Hold, error) {
	rows, err := q.Query(ctx, `select id, since, next, door, code, answer from mail_hold where ended is null`)
	if err != nil {
		return nil, err
	}
	h, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Hold])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return h, err
}

// Pass lets one attempt talk to the mail server.
type Pass struct {
	probes int64 // the hold that the attempt puts to the test; 0: none
}

// HeldError is why an attempt has to wait.
type HeldError struct{ Wait time.Duration }

func (e *HeldError) Error() string { return "the mail queue is held" }

// Snooze is what a job returns that has to wait: it comes again when a letter
// may try, in no order, and without this being an attempt.
func (e *HeldError) Snooze() error {
	return river.JobSnooze(e.Wait + rand.N(20*time.Second))
}

// Enter asks whether an attempt may talk to the mail server: not while the queue
// is held (a *HeldError), unless it is its turn to try.
func (o *Outbox) Enter(ctx context.Context) (Pass, error) {
	h, err := o.Holding(ctx)
	if err != nil || h == nil {
		return Pass{}, err
	}
	now := o.Now()
	if h.Next.After(now) {
		return Pass{}, &HeldError{h.Next.Sub(now)}
	}
	tag, err := o.DB.Exec(ctx, `update mail_hold set next = @next where id = @id and ended is null and next <= @now`,
		pgx.NamedArgs{"id": h.ID, "now": now, "next": now.Add(probeEvery)})
	if err != nil {
		return Pass{}, fmt.Errorf("try during a hold: %w", err)
	}
	if tag.RowsAffected() == 0 { // another was quicker, or it is over
		return Pass{}, &HeldError{time.Second}
	}
	return Pass{probes: h.ID}, nil
}

// Leave gives back a turn of which no use was made.
func (o *Outbox) Leave(ctx context.Context, p Pass) error {
	if p.probes == 0 {
		return nil
	}
	if _, err := o.DB.Exec(ctx, `update mail_hold set next = $2 where id = $1`, p.probes, o.Now()); err != nil {
		return fmt.Errorf("give back the turn: %w", err)
	}
	return nil
}

// Attempt is one try with one mail.
type Attempt struct {
	Pass      Pass
	To        string
	Until     time.Time // from then on no other try is worth it
	Challenge int64     // of the mailbox room; 0: it is a letter
	Letter    ID
}

// what is the mail as the log names it.
func (a Attempt) what() string {
	if a.Challenge != 0 {
		return fmt.Sprintf("challenge %d", a.Challenge)
	}
	return fmt.Sprintf("letter %d", a.Letter)
}

// Fate is what becomes of a mail after an attempt.
type Fate struct {
	State  string // sent, deferred or failed
	Unsent bool   // it failed, and that says nothing about the address
	Answer string // the server's words
	Held   bool   // the queue was held for it just now: verdicts are to be taken back
}

// Heard notes what came of an attempt and tells what becomes of the mail. It
// begins a hold of the queue, and ends the one that the attempt put to the test
// when the server said anything else than what made it.
func (o *Outbox) Heard(ctx context.Context, a Attempt, said string, sendErr error) (Fate, error) {
	f := Fate{State: "sent", Answer: said}
	if sendErr == nil && a.Pass.probes == 0 {
		return f, nil
	}
	r, refused := errors.AsType[*Refusal](sendErr)
	final := refused && r.Verdict() == Dead
	var noted error
	if sendErr == nil || refused && r.Code != 0 && (r.Code >= 500 || a.Pass.probes != 0) {
		var h *Hold
		if h, f.Held, noted = o.weigh(ctx, a, r); noted != nil {
			noted = fmt.Errorf("note what the mail server said: %w", noted)
		}
		final = final && noted == nil && (h == nil || h.Door || h.Code != r.key())
	}
	switch {
	case sendErr == nil:
		return f, noted
	case refused:
		f.Answer = r.Answer
	}
	switch f.State = "deferred"; {
	case final:
		f.State = "failed"
	case !o.Now().Before(a.Until) && !cut(ctx, refused):
		f.State, f.Unsent = "failed", true
	}
	if f.State == "failed" {
		why, code := f.why(r)
		o.Gone(a, why, code)
	}
	return f, noted
}

// cut tells whether an attempt ended only because its process is being stopped:
// then another one makes it.
func cut(ctx context.Context, refused bool) bool {
	return !refused && errors.Is(ctx.Err(), context.Canceled)
}

// weigh changes the hold by an answer (r is nil: the mail was taken) and returns
// the one that lasts then, and whether it takes verdicts back. Answers are
// weighed one after the other.
func (o *Outbox) weigh(ctx context.Context, a Attempt, r *Refusal) (h *Hold, took bool, err error) {
	ctx, done := Noting(ctx)
	defer done()
	err = o.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := inTurn(ctx, tx); err != nil {
			return err
		}
		now := o.Now()
		if h, err = holding(ctx, tx); err != nil {
			return err
		}
		if h != nil && h.ID == a.Pass.probes && !h.confirmedBy(r) {
			if err := o.endHold(ctx, tx, now, *h); err != nil {
				return err
			}
			h = nil
		}
		if r == nil || r.Code < 500 {
			return nil
		}
		door := r.Verdict() == Shut
		if !door {
			if err := o.noteRefusal(ctx, tx, now, a, r); err != nil {
				return err
			}
		}
		if h == nil {
			h, err = o.beginHold(ctx, tx, now, r, door)
			took = h != nil && !door
		}
		return err
	})
	return h, took, err
}

// inTurn lets one at a time weigh answers and keep verdicts, until tx ends.
func inTurn(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('mail.hold'))`)
	return err
}

// confirmedBy tells whether an answer to an attempt leaves the reason for the
// hold as it was; nil: the mail was taken.
func (h Hold) confirmedBy(r *Refusal) bool {
	switch {
	case r == nil:
		return false
	case r.Stage == AtDoor || r.Stage == AtSender:
		return true
	}
	return !h.Door && r.key() == h.Code
}

// beginHold begins one if there is a reason, and takes back what was held
// against letters for it; nil: there is none. Challenges are their room's to
// take back (see TakenBack).
func (o *Outbox) beginHold(ctx context.Context, tx pgx.Tx, now time.Time, r *Refusal, door bool) (*Hold, error) {
	h := &Hold{Since: now, Next: now.Add(probeEvery), Door: door, Code: r.key(), Answer: r.Answer}
	err := tx.QueryRow(ctx, `
		insert into mail_hold (since, next, door, code, answer)
		select @now, @next, @door, @code, @answer where @door or
			(select count(distinct domain) from mail_refusal where code = @code and at > @from) >= @domains
			and not exists (select from mail_hold where code = @code and not door and ended > @rest)
		returning id`,
		pgx.NamedArgs{
			"now": now, "next": h.Next, "door": door, "code": h.Code, "answer": h.Answer,
			"from": now.Add(-holdWindow), "domains": holdDomains, "rest": now.Add(-holdRest),
		}).Scan(&h.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o.log().Warn("mail queue held", "code", h.Code, "stage", string(r.Stage))
	if door {
		return h, nil
	}
	return h, o.takeBack(ctx, tx, *h)
}

func (o *Outbox) endHold(ctx context.Context, tx pgx.Tx, now time.Time, h Hold) error {
	if _, err := tx.Exec(ctx, `update mail_hold set ended = $2 where id = $1`, h.ID, now); err != nil {
		return err
	}
	o.log().Info("mail queue goes on", "code", h.Code, "held", now.Sub(h.Since).String())
	if o.Officers == nil {
		return nil
	}
	readers, err := o.Officers(ctx, tx)
	if err != nil {
		return fmt.Errorf("look for whom to tell of a hold: %w", err)
	}
	for _, r := range readers {
		w := HeldWords{Reader: r, Since: h.Since, Until: now, Answer: h.Answer, Link: o.OfficeLink}
		if err := o.Post(ctx, tx, w); err != nil {
			return err
		}
	}
	return nil
}
