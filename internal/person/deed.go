package person

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
)

// DeedLife is how long a deed is known by its key.
const DeedLife = 24 * time.Hour

// Deed is one thing that an actor asks for under a key of its own, so that it
// happens once however often it is asked for, of however many processes. The
// transaction that does it keeps what it made; so whoever asks again, because a
// process died or a connection broke before it could answer, is told of that.
type Deed struct {
	Key      string        // one thing of the account's last DeedLife
	Digest   func() []byte // of all that is asked; called when it is needed, for it reads what nobody has read yet
	Answered bool          // it was answered: only whether the right is still there is asked, nothing is done

	allowed, again, strange bool
}

// Allowed tells whether the operation found that the actor may ask for it.
func (d *Deed) Allowed() bool { return d.allowed }

// Again tells whether it had been done before.
func (d *Deed) Again() bool { return d.again }

// Strange tells whether something else had been done under its key.
func (d *Deed) Strange() bool { return d.strange }

// errAnswered ends an operation where only the right was asked.
var errAnswered = fault.New(fault.Conflict, "deed.answered")

// Once is the step that runs do unless it was done before under the key that by
// carries, and returns the number of what was made now or then. It belongs to an
// operation, behind the question whether by may and before every other; a step of
// larger work never has it. The same key with another request is refused. Who
// asks while another transaction is at it waits for its end.
func Once[ID ~int64](ctx context.Context, tx pgx.Tx, by Actor, now time.Time, do func() (ID, error)) (ID, error) {
	if by.Deed == nil {
		return do()
	}
	if err := by.Deed.ask(); err != nil {
		return 0, err
	}
	args := by.Deed.args(by, now)
	args["digest"] = append([]byte{}, by.Deed.Digest()...)
	tag, err := tx.Exec(ctx, `insert into deed as d (account, key, digest, at, made) values (@account, @key, @digest, @now, 0)
		on conflict (account, key) do update set digest = excluded.digest, at = excluded.at, made = 0 where d.at <= @old`, args)
	if err != nil {
		return 0, fmt.Errorf("claim deed: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return Done[ID](ctx, tx, by, now)
	}
	id, err := do()
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `update deed set made = $3 where account = $1 and key = $2`, by.Account, by.Deed.Key, int64(id)); err != nil {
		return 0, fmt.Errorf("keep deed: %w", err)
	}
	return id, nil
}

// ErrKeyReused is that something else was made under the key before.
var ErrKeyReused = fault.New(fault.Invalid, "api.key_reused")

// Done returns the number of what was made under the key that by carries, 0 when
// nothing was. It is for an operation that has much to do before the transaction
// with Once, and has the same place there.
func Done[ID ~int64](ctx context.Context, q postgres.Querier, by Actor, now time.Time) (ID, error) {
	if by.Deed == nil {
		return 0, nil
	}
	if err := by.Deed.ask(); err != nil {
		return 0, err
	}
	rows, err := q.Query(ctx, `select made, digest from deed where account = @account and key = @key and at > @old`, by.Deed.args(by, now))
	if err != nil {
		return 0, fmt.Errorf("read deed: %w", err)
	}
	type kept struct {
		Made   int64
		Digest []byte
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[kept])
	if err != nil {
		return 0, fmt.Errorf("read deed: %w", err)
	}
	if len(found) == 0 {
		return 0, nil
	}
	if !bytes.Equal(found[0].Digest, by.Deed.Digest()) {
		by.Deed.strange = true
		return 0, ErrKeyReused
	}
	by.Deed.again = true
	return ID(found[0].Made), nil
}

func (d *Deed) ask() error {
	d.allowed = true
	if d.Answered {
		return errAnswered
	}
	return nil
}

func (d *Deed) args(by Actor, now time.Time) pgx.NamedArgs {
	return pgx.NamedArgs{"account": by.Account, "key": d.Key, "now": now, "old": now.Add(-DeedLife)}
}

// ForgetDeeds forgets the keys of what was done more than DeedLife ago.
func (b *Book) ForgetDeeds(ctx context.Context) error {
	if _, err := b.DB.Exec(ctx, `delete from deed where at <= $1`, b.Now().Add(-DeedLife)); err != nil {
		return fmt.Errorf("forget deeds: %w", err)
	}
	return nil
}
