package person

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/text"
)

// MayLock tells whether by may lock or unlock the account id.
func MayLock(by Actor, id ID) error {
	switch {
	case !by.Officer:
		return ErrOfficersOnly
	case by.Account == id:
		return fault.New(fault.Conflict, "person.lock.self")
	}
	return nil
}

// Lock shuts the account out: its sessions end at their next request, its tokens
// are withdrawn for good, and it cannot sign in, confirm or apply until
// unlocked. why is for the registration office. Locking twice changes nothing.
func (b *Book) Lock(ctx context.Context, by Actor, id ID, why string) error {
	if err := MayLock(by, id); err != nil {
		return err
	}
	var bad fault.Fields
	if why = text.Lines(why); why == "" {
		bad.Add("why", "field.required")
	} else if utf8.RuneCountInString(why) > 1000 {
		bad.Add("why", "field.too_long", "max", 1000)
	}
	if err := bad.Err(); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		tokens, err := tx.Exec(ctx, `update token set withdrawn = @now, withdrawn_by = @by where account = @id and withdrawn is null and ends > @now`,
			pgx.NamedArgs{"now": now, "by": by.Account, "id": id})
		if err != nil {
			return fmt.Errorf("withdraw tokens of account %d: %w", id, err)
		}
		tag, err := tx.Exec(ctx, `update account set locked = @now, locked_by = @by, locked_why = @why, void_before = @now
			where id = @id and locked is null`, pgx.NamedArgs{"now": now, "by": by.Account, "why": why, "id": id})
		return b.noted(ctx, tx, now, by, id, "person.locked", audit.Detail{"why": why, "tokens": tokens.RowsAffected()}, tag.RowsAffected(), err)
	})
}

// Unlock lets the account sign in again. Ended sessions stay ended.
func (b *Book) Unlock(ctx context.Context, by Actor, id ID) error {
	if err := MayLock(by, id); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		tag, err := tx.Exec(ctx, `update account set locked = null, locked_by = null, locked_why = '', void_before = @now
			where id = @id and locked is not null`, pgx.NamedArgs{"now": now, "id": id})
		return b.noted(ctx, tx, now, by, id, "person.unlocked", nil, tag.RowsAffected(), err)
	})
}

func (b *Book) noted(ctx context.Context, tx pgx.Tx, now time.Time, by Actor, id ID, action string, d audit.Detail, changed int64, err error) error {
	if err != nil {
		return fmt.Errorf("%s %d: %w", action, id, err)
	}
	if changed == 0 {
		_, err := b.one(ctx, tx, id)
		return err
	}
	return audit.Write(ctx, tx, audit.Line{Who: by.Who(), At: now, Action: action, Detail: d, About: []audit.Thing{id.Thing()}})
}
