package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/mail"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// mostSteps bounds the calls of one look: an authority that always has one more
// thing to do at once is looked at again by the clock.
const mostSteps = 10

// Look leads an intent on as far as it goes now. It may run any number of times, in
// any number of processes; one that is over, not due, or in the hands of another
// process stays as it is. Trouble of the authority is noted and no error.
func (b *Book) Look(ctx context.Context, k Kind, n Number) error {
	for range mostSteps {
		i, err := b.begin(ctx, k, n)
		if err != nil {
			return fmt.Errorf("look at intent %d: %w", n, err)
		}
		if !i.State.Open() {
			return nil
		}
		again, err := b.step(ctx, i)
		if err != nil {
			return fmt.Errorf("lead intent %d on: %w", n, err)
		}
		if !again {
			return nil
		}
	}
	return nil
}

// begin asks for the right once more and takes the intent for one call. What it
// returns is not open where there is nothing to call for.
func (b *Book) begin(ctx context.Context, k Kind, n Number) (i taken, err error) {
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		i = taken{}
		held := b.purposes[k].Hold(ctx, tx, n)
		now := b.Now()
		switch {
		case held == nil:
			i, err = b.take(ctx, tx, now, n)
			return err
		case errors.Is(held, ErrOver):
			if err = b.close(ctx, tx, now, n); err == nil {
				i, err = b.take(ctx, tx, now, n)
			}
			return err
		case Ends(held):
			i, err = b.withdrawn(ctx, tx, now, n, held)
			return err
		}
		return held
	})
	return i, err
}

// Ends tells whether why, of a right, says that there is none; else nobody knows.
func Ends(why error) bool {
	return fault.Is(why, fault.Conflict) || fault.Is(why, fault.Denied) || fault.Is(why, fault.Invalid) || fault.Is(why, fault.Missing)
}

// withdrawn ends an intent for which there is no right any more: whoever is told
// hears of it, and what was asked of an authority is only collected from now on.
func (b *Book) withdrawn(ctx context.Context, tx pgx.Tx, now time.Time, n Number, why error) (taken, error) {
	i, err := b.load(ctx, tx, n)
	if err != nil || !i.State.Open() || i.NextLook.After(now) {
		return taken{}, err
	}
	first := i.Withdrawn == nil
	if i, err = b.withdraw(ctx, tx, now, i, why); err == nil && first {
		err = b.purposes[i.Kind].Ended(ctx, tx, i)
	}
	if err != nil || !i.State.Open() {
		return taken{}, err
	}
	return b.take(ctx, tx, now, n)
}

// step makes one call and keeps what came of it; again tells that the next one may
// follow at once.
func (b *Book) step(ctx context.Context, t taken) (again bool, err error) {
	a, err := b.call(ctx, t)
	i, now := t.Intent, b.Now()
	switch {
	case err != nil && ours(ctx, err):
		return false, err
	case err != nil:
		return false, b.notKnown(ctx, i, err)
	}
	switch a.Kind() {
	case pki.AnswerYes:
		return false, b.keep(ctx, i, a)
	case pki.AnswerNo:
		if errors.Is(a.No, pki.ErrUnasked) && b.early(i, now) {
			return false, b.notKnown(ctx, i, a.No)
		}
		return false, b.no(ctx, i, a)
	case pki.AnswerNothing:
		return false, b.notKnown(ctx, i, errNothing)
	}
	return !a.Later.After(now), b.later(ctx, i, a)
}

// early tells whether i was withdrawn, or first asked for, so lately that the call which
// asks for it may not have arrived yet: that the authority never heard of it is no no.
func (b *Book) early(i Intent, now time.Time) bool {
	from := i.Withdrawn
	if from == nil {
		from = i.Asked
	}
	return now.Before(from.Add(2 * b.lease()))
}

// ours tells whether a call that failed says nothing of the authority: who asked
// stops, or the database is away in which one keeps its things. That something took
// too long it does not say.
func ours(ctx context.Context, err error) bool {
	late, ok := errors.AsType[net.Error](err)
	return ctx.Err() != nil || postgres.Away(err) && !(ok && late.Timeout()) && !errors.Is(err, context.Canceled)
}

// call asks the authority, or asks what became of what it was asked for. What may not
// be asked for any more may have been asked for before, by another version.
func (b *Book) call(ctx context.Context, i taken) (a pki.Answer, err error) {
	r, bad := i.Request()
	switch {
	case bad != nil && i.First:
		return pki.Answer{No: bad}, nil
	case bad != nil && len(r.Key.SPKI) == 0:
		return a, bad
	}
	call, cancel := context.WithTimeout(ctx, b.patience())
	defer cancel()
	x := b.Registry[i.Authority].Authority
	if i.Ticket != "" || i.Withdrawn != nil || bad != nil {
		a, err = x.Collect(call, r, i.Ticket)
	} else {
		a, err = x.Ask(call, r)
	}
	if err == nil && !keepable(a.Reference) {
		a.Reference = "" // ours leads to it, too
	}
	return a, err
}

// longestReference is how much of a reference is kept, in bytes.
const longestReference = 1000

// keepable tells whether a reference can be given back as it came.
func keepable(reference string) bool {
	return len(reference) <= longestReference && utf8.ValidString(reference) && !strings.Contains(reference, "\x00")
}

// notKnown notes a call whose outcome is not known; after two days of them nobody
// asks again by itself. Of what was withdrawn somebody does: nobody else would
// revoke what may have been signed.
func (b *Book) notKnown(ctx context.Context, i Intent, why error) error {
	now := b.Now()
	i.Said, i.Trouble = heard(i.Said, i.Attempts, i.Trouble), b.trouble(ctx, i.Authority, slog.Int64("intent", int64(i.Number)), why)
	i.Attempts++
	if i.Attempts >= attempts && i.Withdrawn == nil {
		i.Reason = NotKnown
		return b.ended(ctx, now, Unknown, i)
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.putOff(ctx, tx, now, i) })
}

// putOff notes when the authority is asked again.
func (b *Book) putOff(ctx context.Context, tx pgx.Tx, now time.Time, i Intent) error {
	_, err := tx.Exec(ctx, `update intent set attempts = @attempts, next_look = @at, said = @said, trouble = @trouble
		where number = @number and serial = @serial and state in ('asked', 'pending')`, pgx.NamedArgs{
		"number": i.Number, "serial": i.Serial, "attempts": i.Attempts, "at": now.Add(mail.Backoff(i.Attempts)), "said": i.Said, "trouble": i.Trouble,
	})
	if err != nil {
		return fmt.Errorf("note that the authority is away: %w", err)
	}
	return nil
}

// no ends an intent that the authority refused.
func (b *Book) no(ctx context.Context, i Intent, a pki.Answer) error {
	i.Reason, i.Said, i.Trouble = NoAuthority, pki.WordsOf(a.Words), ""
	if refusal, ok := errors.AsType[*lint.Refusal](a.No); ok {
		i.Reason, i.Findings = Rules(refusal.Findings), refusal.Findings
	}
	return b.ended(ctx, b.Now(), Refused, i)
}

// errAnew is that an intent was written anew during a call that outlasted its lease.
var errAnew = errors.New("the intent was written anew")

// ended tells the purpose first, which takes its locks before the intent's. One
// that was withdrawn has told it already. An answer to what was asked for before the
// intent was written anew ends nothing.
func (b *Book) ended(ctx context.Context, now time.Time, s State, i Intent) error {
	i.State = s
	err := b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if i.Withdrawn == nil {
			if err := b.purposes[i.Kind].Ended(ctx, tx, i); err != nil {
				return err
			}
		}
		held, err := b.load(ctx, tx, i.Number)
		switch {
		case err != nil:
			return err
		case !slices.Equal(held.Serial, i.Serial):
			return errAnew
		case s == Unknown && held.Withdrawn != nil: // meanwhile
			return b.putOff(ctx, tx, now, i)
		}
		return b.settle(ctx, tx, now, i)
	})
	if errors.Is(err, errAnew) {
		return nil
	}
	return err
}

// keep judges what came and hands it over. What is not what was asked for is
// kept too: it was issued, and somebody has to see to it.
func (b *Book) keep(ctx context.Context, i Intent, a pki.Answer) error {
	r, err := i.Request()
	if len(r.Key.SPKI) == 0 {
		return err
	}
	i.State, i.Reason = Issued, ""
	if a.Reference != "" {
		i.Ticket = a.Reference
	}
	i.Said, i.Trouble = pki.WordsOf(a.Words), ""
	now := b.Now()
	i.Differences = judge(r, &a, pki.OwnAuthority(i.Authority), now)
	if len(i.Differences) > 0 {
		i.State, i.Reason, i.Answer = Refused, NotAsAsked, a.Certificate.DER
	}
	i.Chain, i.Checks = a.Chain, checks(r, a)
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := b.purposes[i.Kind].Keep(ctx, tx, i, *a.Certificate, i.Chain); err != nil {
			return err
		}
		return b.settle(ctx, tx, now, i)
	})
}

// judge is how what came is not what r asked for. A chain that does not lead to its
// signer is none, and says that; else it is put in order.
func judge(r pki.Request, a *pki.Answer, own bool, now time.Time) []pki.Difference {
	all := pki.Differences(r, *a.Certificate, own, now)
	if own || len(a.Chain) == 0 {
		return all
	}
	way, _, err := pki.Above(a.Certificate.DER, a.Chain...)
	if err != nil || len(way) == 0 {
		all = append(all, pki.Difference{Code: "pki.answer.chain", Wanted: pki.Distinguished(a.Certificate.Issuer)})
	}
	a.Chain = way
	return all
}

// checks is what was checked of a certificate: by the authority before it signed,
// else, or where nobody can read that, here, of what came.
func checks(r pki.Request, a pki.Answer) *lint.Report {
	var report lint.Report
	if len(a.Checks) > 0 && json.Unmarshal(a.Checks, &report) == nil {
		return &report
	}
	p, _ := r.Profile.Profile()
	report = lint.Case{DER: a.Certificate.DER, Profile: p, Given: &pki.Names{Emails: r.Emails, DNS: r.DNS}}.Check()
	return &report
}
