package mailbox

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/person"
)

// Attempt is the first half of a delivery: the token that the mail carries, and
// done to say what the mail server answered. A process that is killed between
// the two never calls done.
func Attempt(ctx context.Context, b *Book, id int64) (token string, done func(answer string, err error) error, err error) {
	e, err := b.arm(ctx, id)
	if err != nil {
		return "", nil, err
	}
	return e.token, func(answer string, err error) error { return b.delivered(ctx, e, answer, err) }, nil
}

// Deliver runs the delivery job of the challenge.
func Deliver(ctx context.Context, b *Book, id int64) error {
	return (&deliverer{book: b}).Work(ctx, &river.Job[deliverArgs]{Args: deliverArgs{Challenge: id}})
}

// Arm is an attempt that goes well: it returns the token and leaves the
// challenge sent.
func Arm(t testing.TB, b *Book, id int64) string {
	t.Helper()
	token, done, err := Attempt(t.Context(), b, id)
	if err != nil {
		t.Fatalf("arm challenge %d: %v", id, err)
	}
	if err := done("250 OK", nil); err != nil {
		t.Fatalf("deliver challenge %d: %v", id, err)
	}
	return token
}

// Refuse is an attempt that the mail server answers with r.
func Refuse(t testing.TB, b *Book, id int64, r *mail.Refusal) {
	t.Helper()
	_, done, err := Attempt(t.Context(), b, id)
	if err != nil {
		t.Fatalf("arm challenge %d: %v", id, err)
	}
	if err := done("", r); err != nil && r.Verdict() == mail.Dead {
		t.Fatalf("refuse challenge %d: %v", id, err)
	}
}

// TryAdd is what Add says to in, without doing it.
func TryAdd(ctx context.Context, b *Book, by person.Actor, name string, in Input) error {
	return b.try(ctx, func(tx pgx.Tx) error {
		d, err := b.Org.DomainIn(ctx, tx, by, name)
		if err != nil {
			return err
		}
		var bad fault.Fields
		if _, err := b.check(ctx, tx, b.Now(), by, d, in, 0, true, &bad); err != nil {
			return err
		}
		return bad.Err()
	})
}

// TryEdit is what Edit says to in, without doing it.
func TryEdit(ctx context.Context, b *Book, by person.Actor, name string, id ID, in Input) error {
	return b.try(ctx, func(tx pgx.Tx) error {
		r, err := load(ctx, tx, by, name, id)
		if err != nil {
			return err
		}
		_, err = b.readEdit(ctx, tx, b.Now(), by, r, in)
		return err
	})
}

func (b *Book) try(ctx context.Context, f func(tx pgx.Tx) error) error {
	tx, err := b.DB.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	return f(tx)
}
