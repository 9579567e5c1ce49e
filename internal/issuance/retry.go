package issuance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// ErrAsking is that it is not known yet what became of what was asked for before.
var ErrAsking = fault.New(fault.Conflict, "serverorder.retry.asking")

// Retry is the step that has an authority asked once more for what ended for that
// reason, and returns for what: for the same where a certificate of it may exist, else
// for what anew makes of the intent that there was; ErrAsking where that is collected
// still. asked is what was asked for as it stands with what it is for; of what the
// version before asked there is no intent.
func (b *Book) Retry(ctx context.Context, tx pgx.Tx, now time.Time, reason string, asked Intent, anew func(before Intent) (Intent, error)) (Intent, error) {
	before, err := b.load(ctx, tx, asked.Number)
	switch {
	case err != nil:
		return before, err
	case before.State.Open() && before.Withdrawn != nil:
		return before, ErrAsking
	}
	if len(asked.Serial) == 0 || b.nothing(before, reason) {
		i, err := anew(before)
		if err != nil {
			return i, err
		}
		return i, b.Write(ctx, tx, now, i)
	}
	if !slices.Equal(before.Serial, asked.Serial) {
		before = asked
	}
	if _, ok := b.Registry[before.Authority]; !ok {
		return before, ErrNoAuthority
	}
	if before.State == "" {
		return before, b.Adopt(ctx, tx, now, before)
	}
	return before, b.resume(ctx, tx, now, before)
}

// nothing tells whether it is sure that nothing comes of what was asked for, or
// nothing else than came: then another may be asked for.
func (b *Book) nothing(before Intent, reason string) bool {
	switch reason {
	case NotKnown:
		return false
	case NotAsAsked: // the own authority has signed one certificate of that number, and signs no other
		return before.Number != 0 && !pki.OwnAuthority(before.Authority)
	case NoAuthority, RulesKey, RulesName, RulesOffice:
		return true
	}
	return before.State == Refused // the right ended: nobody was asked, or there is none
}

// Adopt is the step that takes over what the version before was at: it may have
// been asked for.
func (b *Book) Adopt(ctx context.Context, tx pgx.Tx, now time.Time, i Intent) error {
	if err := b.Write(ctx, tx, now, i); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update intent set state = 'asked', asked = $2 where number = $1`, i.Number, now); err != nil {
		return fmt.Errorf("adopt intent %d: %w", i.Number, err)
	}
	return nil
}

// resume has the authority asked once more for the same.
func (b *Book) resume(ctx context.Context, tx pgx.Tx, now time.Time, i Intent) error {
	err := postgres.Write(ctx, tx, `update intent set state = case when asked is null then 'written' when ticket <> '' then 'pending' else 'asked' end, since = @now,
			next_look = @now, attempts = 0, trouble = '', reason = '', findings = '[]', answer = null, withdrawn = null
		where number = @number and next_look is null and state <> 'issued'`, pgx.NamedArgs{"number": i.Number, "now": now})
	if err != nil {
		return fmt.Errorf("resume intent %d: %w", i.Number, err)
	}
	return b.Queue.Insert(ctx, tx, lookArgs{Intent: i.Number, Purpose: i.Kind})
}
