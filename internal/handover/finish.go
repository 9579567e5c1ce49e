package handover

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/web/paths"
)

// Finish hands the organisation over to by, who accepted it, when typed is the
// session password, whatever its blanks, dashes and capitals, with O for 0, I
// and L for 1. A wrong one is fault.Invalid beside the field "password"; the
// fifth locks the offer and tells both. ErrBusy when too many are being looked at.
func (b *Book) Finish(ctx context.Context, by person.Actor, id ID, typed string) error {
	o, err := b.One(ctx, by, id)
	if err != nil {
		return err
	}
	now := b.Now()
	if err := MayFinish(o, now); err != nil {
		return err
	}
	if strings.TrimSpace(typed) == "" {
		var bad fault.Fields
		bad.Add("password", "field.required")
		return bad.Err()
	}
	hash, err := b.hash(ctx, id)
	if err != nil {
		return err
	}
	right, err := b.right(ctx, by, typed, hash) // slow, so outside the transaction; an offer keeps its hash
	if err != nil {
		return err
	}
	var refused error // what is said though the transaction stands
	err = b.change(ctx, by, id, func(tx pgx.Tx, o Offer, of org.Organisation) error {
		refused = nil
		if err := MayFinish(o, now); err != nil {
			return err
		}
		if err := b.unlocked(ctx, tx, now, o); err != nil {
			return err
		}
		if right {
			return b.finish(ctx, tx, now, by, o, of)
		}
		refused, err = b.wrong(ctx, tx, now, by, o)
		return err
	})
	if err != nil {
		return err
	}
	return refused
}

func (b *Book) hash(ctx context.Context, id ID) (hash string, err error) {
	if err := b.DB.QueryRow(ctx, `select hash from handover where id = $1`, id).Scan(&hash); err != nil {
		return "", fmt.Errorf("read hash of handover %d: %w", id, err)
	}
	return hash, nil
}

// wrong counts a wrong password and says what the successor is told.
func (b *Book) wrong(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, o Offer) (refused, err error) {
	o.Wrong++
	_, err = tx.Exec(ctx, `update handover set wrong = wrong + 1, state = case when wrong + 1 = @most then 'locked' else state end,
			ended = case when wrong + 1 = @most then @now::timestamptz end
		where id = @id`, pgx.NamedArgs{"id": o.ID, "most": Tries, "now": now})
	if err != nil {
		return nil, fmt.Errorf("count a wrong password of handover %d: %w", o.ID, err)
	}
	if o.Wrong < Tries {
		var bad fault.Fields
		bad.Add("password", "handover.password.wrong", "n", o.Left())
		return bad.Err(), b.note(ctx, tx, now, by, o, "handover.wrong_password", nil)
	}
	if err := b.note(ctx, tx, now, by, o, "handover.locked", nil); err != nil {
		return nil, err
	}
	return fault.New(fault.Conflict, "handover.over.locked"), b.postBoth(ctx, tx, o, mail.HandoverLocked)
}

func (b *Book) finish(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, o Offer, of org.Organisation) error {
	if err := b.move(ctx, tx, now, o, Done); err != nil {
		return err
	}
	c := contacts{of: of, giver: o.GiverName, successor: o.Successor, successorName: o.SuccessorName}
	tokens, err := b.reassign(ctx, tx, now, by, c, mail.HandoverGiven, mail.HandoverTaken)
	if err != nil {
		return err
	}
	return b.note(ctx, tx, now, by, o, "handover.finished", audit.Detail{"contact": [2]string{o.GiverName, o.SuccessorName}, "tokens": tokens})
}

// contacts are the two sides of a change of contact, of an organisation that is
// held.
type contacts struct {
	of            org.Organisation
	giver         string // its contact's name
	successor     person.ID
	successorName string
}

// reassign changes the contact with all that hangs on it, ends what was under
// way for the one before, and tells both. It returns how many API tokens lost
// the organisation.
func (b *Book) reassign(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, c contacts, before, after mail.HandoverLetter) (tokens int, err error) {
	if err := b.endOpen(ctx, tx, now, by, c.of.ID, Cancelled, c.successor); err != nil {
		return 0, err
	}
	if err := b.dropOpen(ctx, tx, now, by, c.of.ID); err != nil {
		return 0, err
	}
	if err := b.Org.Reassign(ctx, tx, now, by, c.of.ID, c.successor); err != nil {
		return 0, err
	}
	if tokens, err = b.Person.DropReach(ctx, tx, now, by, c.of.ContactID, int64(c.of.ID)); err != nil {
		return 0, err
	}
	w := mail.HandoverWords{Organisation: c.of.Name, Giver: c.giver, Successor: c.successorName, Tokens: tokens}
	to, err := cert.Readers(ctx, tx, c.of.ContactID, c.successor)
	if err != nil {
		return 0, err
	}
	for _, l := range []mail.HandoverWords{
		{Letter: before, Reader: to[c.of.ContactID], Link: b.Base + "/"},
		{Letter: after, Reader: to[c.successor], Link: b.Base + paths.Organisation(c.of.ID)},
	} {
		w.Letter, w.Reader, w.Link = l.Letter, l.Reader, l.Link
		if err := b.Outbox.Post(ctx, tx, w); err != nil {
			return 0, err
		}
	}
	return tokens, nil
}
