package cert

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Letters to an account go to the address that its provider verified, and where
// it verified none, to one that the account itself confirmed by a challenge. What
// is about a certificate of a mailbox goes to the mailbox's own, as long as it is
// in use and still linked to the holder: nobody knows that address better, whatever
// the provider says. A mailbox that is not in use is written to only where
// there is nothing else. Functional mailboxes have the applicant's address.

// confirmed is SQL: addresses that the account a confirmed in the round that its
// link rests on; more is a condition, the order follows.
const confirmed = `select kc.recipient collate "default" from link kl join address_row kr on kr.id = kl.row_id
	join challenge kc on kc.round = kl.round and kc.account = kl.account and kc.state = 'confirmed'
	where kl.account = a.id and `

const lastConfirmed = ` order by kl.since desc, kl.row_id, (kc.recipient = kr.primary_address) desc, kc.id limit 1`

// LettersTo is SQL: where letters to the account a go, "" for nowhere.
const LettersTo = `coalesce(nullif(a.verified_email, ''), (` + confirmed + `kr.active` + lastConfirmed + `), '')`

// holderTo is SQL: where letters about the certificate c of a mailbox go to its
// holder a.
const holderTo = `coalesce((` + confirmed + `kr.active and kl.row_id = c.row_id` + lastConfirmed + `),
	nullif(` + LettersTo + `, ''), (` + confirmed + `kl.row_id = c.row_id` + lastConfirmed + `), '')`

// Readers are who gets letters to accounts, by account.
func Readers(ctx context.Context, q postgres.Querier, accounts ...person.ID) (map[person.ID]mail.Reader, error) {
	return readers[person.ID](ctx, q, `select a.id, `+LettersTo+`, a.language from account a where a.id = any($1)`, accounts)
}

// Reader is who gets letters to an account.
func Reader(ctx context.Context, q postgres.Querier, account person.ID) (mail.Reader, error) {
	all, err := Readers(ctx, q, account)
	return all[account], err
}

// holder is who gets letters about a certificate of a mailbox.
func holder(ctx context.Context, q postgres.Querier, id ID) (mail.Reader, error) {
	all, err := readers[ID](ctx, q, `select c.id, `+holderTo+`, a.language from certificate c join account a on a.id = c.account where c.id = any($1)`, []ID{id})
	return all[id], err
}

func readers[K ~int64](ctx context.Context, q postgres.Querier, sql string, ids []K) (map[K]mail.Reader, error) {
	rows, err := q.Query(ctx, sql, ids)
	if err != nil {
		return nil, fmt.Errorf("look for whom letters go to: %w", err)
	}
	all := make(map[K]mail.Reader, len(ids))
	var id K
	var r mail.Reader
	if _, err := pgx.ForEachRow(rows, []any{&id, &r.To, &r.Lang}, func() error { all[id] = r; return nil }); err != nil {
		return nil, fmt.Errorf("look for whom letters go to: %w", err)
	}
	return all, nil
}
