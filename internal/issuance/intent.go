package issuance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/lint"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

const columns = `i.number, i.kind, i.reference, i.authority, i.csr, i.spki, i.profile, i.common_name, i.given_name, i.surname, i.organisation,
	i.identifier, i.country, i.emails, i.names, i.days, i.serial, i.not_before, i.state, i.since, i.asked, i.next_look, i.attempts, i.ticket, i.person,
	i.said, i.trouble, i.reason, i.findings, i.answer, i.withdrawn`

// Write is the step that writes an intent and has it looked at as soon as its
// transaction is over. A second intent of the same number takes the place of the
// first, of which nothing was signed or all that was signed is known.
func (b *Book) Write(ctx context.Context, tx pgx.Tx, now time.Time, i Intent) error {
	err := postgres.Write(ctx, tx, `
		insert into intent (number, kind, reference, authority, csr, spki, profile, common_name, given_name, surname, organisation, identifier, country,
			emails, names, days, serial, not_before, state, since, next_look)
		values (@number, @kind, @reference, @authority, @csr, @spki, @profile, @common_name, @given_name, @surname, @organisation, @identifier, @country,
			@emails, @names, @days, @serial, @not_before, 'written', @now, @now)
		on conflict (number) do update set reference = excluded.reference, authority = excluded.authority, csr = excluded.csr, spki = excluded.spki,
			profile = excluded.profile, common_name = excluded.common_name, given_name = excluded.given_name, surname = excluded.surname,
			organisation = excluded.organisation, identifier = excluded.identifier, country = excluded.country, emails = excluded.emails,
			names = excluded.names, days = excluded.days, serial = excluded.serial, not_before = excluded.not_before, state = 'written', since = @now,
			asked = null, next_look = @now, attempts = 0, ticket = '', person = false, said = '', trouble = '', reason = '', findings = '[]', answer = null, chain = '{}', withdrawn = null`,
		pgx.NamedArgs{
			"number": i.Number, "kind": i.Kind, "reference": i.Reference, "authority": i.Authority, "csr": bytes(i.CSR), "spki": i.SPKI,
			"profile": i.Profile, "common_name": i.CommonName, "given_name": i.GivenName, "surname": i.Surname,
			"organisation": i.Organisation, "identifier": i.Identifier, "country": i.Country, "emails": texts(i.Emails), "names": texts(i.Names),
			"days": i.Days, "serial": i.Serial, "not_before": i.NotBefore, "now": now,
		})
	if err != nil {
		return fmt.Errorf("write intent %d: %w", i.Number, err)
	}
	return b.Queue.Insert(ctx, tx, lookArgs{Intent: i.Number, Purpose: i.Kind})
}

// Going is SQL: whether there is an intent of the number n, which is SQL, that is
// not over.
func Going(n string) string {
	return `exists (select from intent i where i.number = ` + n + ` and i.next_look is not null)`
}

// Going is the step that tells whether there is an intent of that number that is
// not over.
func (b *Book) Going(ctx context.Context, tx pgx.Tx, n Number) (going bool, err error) {
	if err = tx.QueryRow(ctx, `select `+Going("$1"), n).Scan(&going); err != nil {
		return false, fmt.Errorf("look for intent %d: %w", n, err)
	}
	return going, nil
}

// load locks the intent n and reads it.
func (b *Book) load(ctx context.Context, q postgres.Querier, n Number) (Intent, error) {
	rows, err := q.Query(ctx, `select `+columns+` from intent i where i.number = $1 for update`, n)
	if err != nil {
		return Intent{}, fmt.Errorf("read intent %d: %w", n, err)
	}
	return found[Intent](rows)
}

// taken is an intent that is due for a call.
type taken struct {
	Intent
	First bool // nobody was asked before
}

// take takes an intent that is due for one call; none where it is not, or where its
// authority is not set up: then nobody was asked, and it stays as it is for an hour.
func (b *Book) take(ctx context.Context, tx pgx.Tx, now time.Time, n Number) (taken, error) {
	rows, err := tx.Query(ctx, `with t as (select number, state = 'written' as first, authority = any(@there::text[]) as there from intent where number = @number)
		update intent i set asked = case when t.there then coalesce(asked, @now) else asked end, next_look = case when t.there then @until::timestamptz else @hour::timestamptz end,
			state = case when t.there and t.first then 'asked' else state end, since = case when t.there and t.first then @now else since end,
			said = case when said = @unset then '' else said end,
			trouble = case when t.there then replace(trouble, @unset, '') else @unset::text end
		from t where i.number = t.number and i.next_look <= @now returning `+columns+`, t.first`, pgx.NamedArgs{
		"number": n, "now": now, "until": now.Add(b.lease()), "hour": now.Add(time.Hour), "unset": ErrNoAuthority.ID, "there": slices.Collect(maps.Keys(b.Registry)),
	})
	if err != nil {
		return taken{}, fmt.Errorf("take intent %d: %w", n, err)
	}
	i, err := found[taken](rows)
	if _, ok := b.Registry[i.Authority]; !ok {
		return taken{}, err
	}
	return i, err
}

// found is one row, the zero value where there is none.
func found[T any](rows pgx.Rows) (T, error) {
	i, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return *new(T), nil
	}
	return i, err
}

// settle ends an intent, unless it was written anew. What was issued stays issued.
func (b *Book) settle(ctx context.Context, tx pgx.Tx, now time.Time, i Intent) error {
	err := postgres.Write(ctx, tx, `update intent set state = @state, since = @now, next_look = null, attempts = @attempts, ticket = @ticket, said = @said, trouble = @trouble,
			reason = @reason, findings = @findings, answer = coalesce(@answer, answer), chain = @chain, withdrawn = coalesce(withdrawn, @withdrawn)
		where number = @number and serial = @serial and state <> 'issued'`, pgx.NamedArgs{
		"number": i.Number, "serial": i.Serial, "state": i.State, "now": now, "attempts": i.Attempts, "ticket": i.Ticket, "said": pki.WordsOf(i.Said), "trouble": i.Trouble, "reason": i.Reason,
		"findings": saved(i.Findings), "answer": i.Answer, "chain": chain(i.Chain), "withdrawn": i.Withdrawn,
	})
	if err != nil {
		return fmt.Errorf("end intent %d: %w", i.Number, err)
	}
	return nil
}

// close ends an intent whose matter ended elsewhere: a process of the version
// before knows of no intents. What was withdrawn is collected whatever it was for.
func (b *Book) close(ctx context.Context, tx pgx.Tx, now time.Time, n Number) error {
	err := postgres.Write(ctx, tx, `update intent set state = 'refused', since = @now, next_look = null, reason = @reason
			where number = @number and next_look is not null and withdrawn is null`,
		pgx.NamedArgs{"number": n, "now": now, "reason": ErrOver.ID})
	if err != nil {
		return fmt.Errorf("close intent %d: %w", n, err)
	}
	return nil
}

// What the columns hold instead of null.
func bytes(b []byte) []byte      { return append([]byte{}, b...) }
func texts(s []string) []string  { return append([]string{}, s...) }
func chain(c [][]byte) [][]byte  { return append([][]byte{}, c...) }
func saved(f []lint.Finding) any { return append([]lint.Finding{}, f...) }
