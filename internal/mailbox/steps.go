package mailbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// Step is one operation on one row as a part of larger work, in whose
// transaction it happens and whose time it has: with the row locked the rule is
// asked, then it is written and audited as by hand. The audit line names Part too.
type Step struct {
	Now    time.Time
	By     person.Actor
	Domain string
	Row    ID
	Part   audit.Thing
}

func (b *Book) step(ctx context.Context, tx pgx.Tx, s Step, f func(r Row) error) error {
	r, err := lock(ctx, tx, s.By, s.Domain, s.Row)
	if err != nil {
		return err
	}
	return f(r)
}

// ChallengeIn is Challenge for one row among many (MayChallengeAmong), at a pace
// that the caller keeps: the brake of what the actor causes by hand neither holds
// nor counts these mails. Those of the row and of the addresses hold.
func (b *Book) ChallengeIn(ctx context.Context, tx pgx.Tx, s Step) error {
	return b.step(ctx, tx, s, func(r Row) error {
		if err := MayChallengeAmong(r); err != nil {
			return err
		}
		_, err := b.challenge(ctx, tx, s.Now, s.By, r, true, s.Part)
		return err
	})
}

// DeactivateIn is Deactivate.
func (b *Book) DeactivateIn(ctx context.Context, tx pgx.Tx, s Step) error {
	return b.step(ctx, tx, s, func(r Row) error { return b.deactivate(ctx, tx, s.Now, s.By, r, s.Part) })
}

// ActivateIn is Activate.
func (b *Book) ActivateIn(ctx context.Context, tx pgx.Tx, s Step) error {
	return b.step(ctx, tx, s, func(r Row) error { return b.activate(ctx, tx, s.Now, s.By, r, s.Part) })
}

// DeleteIn is Delete.
func (b *Book) DeleteIn(ctx context.Context, tx pgx.Tx, s Step) error {
	return b.step(ctx, tx, s, func(r Row) error { return b.delete(ctx, tx, s.Now, s.By, r, s.Part) })
}

// CommentIn replaces the row's comment by one that ReadComment returned.
func (b *Book) CommentIn(ctx context.Context, tx pgx.Tx, s Step, comment string) error {
	return b.step(ctx, tx, s, func(r Row) error {
		if err := MayComment(r); err != nil {
			return err
		}
		dr := Draft{Kind: r.Kind, Name: r.Name, Primary: r.Primary, Aliases: r.Aliases, Applicant: r.Applicant, Comment: comment}
		return b.save(ctx, tx, s.Now, s.By, r, dr, "", s.Part)
	})
}

// ReadComment is what somebody typed as a comment, as it is stored. One that is
// too long is a fault of the field comment.
func ReadComment(s string) (string, error) {
	var bad fault.Fields
	c := readComment(s, &bad)
	return c, bad.Err()
}

// Mails is how many mails a round of the row's challenges is.
func Mails(r Row) int { return len(asksOf(r)) }
