package issuance

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// longestWait bounds for how long an authority is left alone, whatever it says.
const longestWait = 24 * time.Hour

func (b *Book) later(ctx context.Context, i Intent, a pki.Answer) error {
	now := b.Now()
	if a.Later.After(now.Add(longestWait)) {
		a.Later = now.Add(longestWait)
	}
	if a.Later.Before(now) {
		a.Later = now
	}
	tag, err := b.DB.Exec(ctx, `update intent set state = 'pending', since = case when state = 'pending' then since else @now end, next_look = @at, attempts = 0,
			ticket = coalesce(nullif(@ticket, ''), ticket), person = @person, said = @said, trouble = ''
		where number = @number and serial = @serial and state in ('asked', 'pending')`, pgx.NamedArgs{
		"number": i.Number, "serial": i.Serial, "now": now, "at": a.Later, "ticket": a.Reference, "person": a.Person, "said": pki.WordsOf(a.Words),
	})
	if err != nil {
		return fmt.Errorf("note that the authority takes its time: %w", postgres.Fault(err))
	}
	if tag.RowsAffected() == 0 && a.Reference != "" {
		return b.reopen(ctx, now, i, a)
	}
	return nil
}

// reopen keeps the reference that a call brings after another process ended the
// intent: a certificate may come of it. Whoever was told of a no expects none, so
// that what comes is collected as of one withdrawn; of what is not known somebody
// asks again, and then by it. Who was refused by the same reference, or has an
// answer, knows more than this call; and so does an intent written anew.
func (b *Book) reopen(ctx context.Context, now time.Time, i Intent, a pki.Answer) error {
	_, err := b.DB.Exec(ctx, `update intent set ticket = @ticket, said = @said, trouble = '',
			state = case when state = 'refused' then 'pending' else state end,
			since = case when state = 'refused' then @now else since end,
			next_look = case when state = 'refused' then @at::timestamptz end,
			withdrawn = case when state = 'refused' then coalesce(withdrawn, @now) end,
			person = @person, attempts = case when state = 'refused' then 0 else attempts end
		where number = @number and serial = @serial and asked is not null and answer is null
			and (state = 'unknown' or state = 'refused' and ticket <> @ticket)`, pgx.NamedArgs{
		"number": i.Number, "serial": i.Serial, "now": now, "at": a.Later, "ticket": a.Reference, "person": a.Person, "said": pki.WordsOf(a.Words),
	})
	if err != nil {
		return fmt.Errorf("keep the reference of an intent that was over: %w", postgres.Fault(err))
	}
	return nil
}
