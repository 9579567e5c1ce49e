package mailbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Challenge starts a round: one challenge for each address of the row (R6,
// R19), for a functional row exactly one, to its applicant (R58). It replaces an
// open round (R21) and leaves the link alone. The mails leave by the queue.
func (b *Book) Challenge(ctx context.Context, by person.Actor, name string, id ID) (n Round, err error) {
	return n, b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error {
		if err := MayEditRows(r.Standing); err != nil {
			return err
		}
		now := b.Now()
		made, err := person.Once(ctx, tx, by, now, func() (int64, error) { return b.challenge(ctx, tx, now, by, r, false) })
		if err != nil {
			return err
		}
		n, err = roundOf(ctx, tx, r.ID, made)
		return err
	})
}

// challenge is Challenge on a locked row and returns the number of the round.
// paced: somebody else sees to it that the actor does not cause too many mails at
// once.
func (b *Book) challenge(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, paced bool, part ...audit.Thing) (round int64, err error) {
	if err := MayChallenge(r); err != nil {
		return 0, err
	}
	asks := asksOf(r)
	if err := b.brake(ctx, tx, now, by, r.ID, asks, paced); err != nil {
		return 0, err
	}
	return b.startRound(ctx, tx, now, by, r, asks, paced, part...)
}

// ask is a challenge to be: whom it is mailed to and what it speaks for.
type ask struct {
	Recipient org.Address
	Covers    []string
}

func asksOf(r Row) []ask {
	if r.Kind == Functional {
		return []ask{{r.Applicant, org.Folded(r.Addresses())}}
	}
	var asks []ask
	for _, a := range r.Addresses() {
		asks = append(asks, ask{a, []string{a.Folded()}})
	}
	return asks
}

func (b *Book) startRound(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, asks []ask, paced bool, part ...audit.Thing) (round int64, err error) {
	if err := b.endRounds(ctx, tx, now, "replaced", r.ID); err != nil {
		return 0, err
	}

	err = tx.QueryRow(ctx, `insert into challenge_round (row_id, started, started_by) values ($1, $2, $3) returning id`,
		r.ID, now, by.Account).Scan(&round)
	if err != nil {
		return 0, fmt.Errorf("start round: %w", err)
	}
	jobs := make([]river.JobArgs, 0, len(asks))
	recipients := make([]string, 0, len(asks))
	for _, a := range asks {
		var id int64
		err := tx.QueryRow(ctx, `
			insert into challenge (round, row_id, recipient, covers, asked_by, queued, paced)
			values (@round, @row, @recipient, @covers, @by, @now, @paced) returning id`,
			pgx.NamedArgs{
				"round": round, "row": r.ID, "recipient": a.Recipient, "covers": a.Covers, "by": by.Account, "now": now, "paced": paced,
			}).Scan(&id)
		if err != nil {
			return 0, fmt.Errorf("start round: %w", err)
		}
		jobs = append(jobs, deliverArgs{Challenge: id})
		recipients = append(recipients, string(a.Recipient))
	}
	if _, err := tx.Exec(ctx, `update address_row set challenged = true where id = $1 and not challenged`, r.ID); err != nil {
		return 0, fmt.Errorf("start round: %w", err)
	}
	if err := refresh(ctx, tx, r.ID); err != nil {
		return 0, err
	}
	if err := b.Queue.Insert(ctx, tx, jobs...); err != nil {
		return 0, err
	}
	return round, b.note(ctx, tx, now, by.Who(), "mailbox.challenged", audit.Detail{"round": round, "to": strings.Join(recipients, ", ")},
		append(part, r.ID.Thing(), r.Domain.Thing())...)
}

// brake refuses when too many mails were caused lately, and says when that is
// over: when the mail leaves the hour (the round: the day) that is one too many.
// It counts in Postgres, so it holds across processes; the row's lock and one
// per actor make the count and what follows one step. Paced mails are not the
// actor's to brake, and many rows may be challenged in one transaction, which
// must not hold the actor's lock while it waits for a row.
func (b *Book) brake(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id ID, asks []ask, paced bool) error {
	now, br := now, b.Brakes
	recipients := make([]string, len(asks))
	for i, a := range asks {
		recipients[i] = a.Recipient.Folded()
	}
	if !paced {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('mailbox.brake'), $1::int)`, int32(by.Account)); err != nil {
			return fmt.Errorf("brake: %w", err)
		}
	}
	var last, row, actor, address *time.Time
	err := tx.QueryRow(ctx, `select
		(select max(started) from challenge_round where row_id = @row),
		(select started from challenge_round where row_id = @row and started > @day order by started desc offset @rounds limit 1),
		(select queued from challenge where asked_by = @by and queued > @hour and not paced and not @paced order by queued desc offset @mails limit 1),
		(select max(x.queued) from unnest(@to::text[]) t (address), lateral (
			select queued from challenge where lower(recipient collate "C") = t.address and queued > @hour
			order by queued desc offset @letters limit 1) x)`,
		pgx.NamedArgs{
			"row": id, "by": by.Account, "paced": paced, "to": recipients, "day": now.Add(-24 * time.Hour), "hour": now.Add(-time.Hour),
			"rounds": max(0, br.RowDay-1), "mails": max(0, br.ActorHour-len(asks)), "letters": max(0, br.AddressHour-1),
		}).Scan(&last, &row, &actor, &address)
	if err != nil {
		return fmt.Errorf("brake: %w", err)
	}
	hold := func(id string, from *time.Time, pause time.Duration) error {
		until := from.Add(pause)
		return fault.New(fault.TooMany, id, "at", until).Until(until)
	}
	switch {
	case last != nil && last.Add(br.RowGap).After(now):
		return hold("mailbox.brake.gap", last, br.RowGap)
	case row != nil:
		return hold("mailbox.brake.row", row, 24*time.Hour)
	case actor != nil:
		return hold("mailbox.brake.actor", actor, time.Hour)
	case address != nil:
		return hold("mailbox.brake.address", address, time.Hour)
	}
	return nil
}

// CheckLink lets a contact say that a doubtful link is to the right person. A
// round that completes later is judged anew.
func (b *Book) CheckLink(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error {
		if err := MayCheckLink(r); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update link set doubtful = false where row_id = $1`, r.ID); err != nil {
			return fmt.Errorf("check link of row %d: %w", r.ID, err)
		}
		if err := refresh(ctx, tx, r.ID); err != nil {
			return err
		}
		return b.note(ctx, tx, b.Now(), by.Who(), "mailbox.link_checked", nil, r.ID.Thing(), r.Domain.Thing(), r.Linked.Thing())
	})
}
