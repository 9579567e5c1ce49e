package person

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

func (b *Book) one(ctx context.Context, q postgres.Querier, id ID) (Account, error) {
	rows, err := q.Query(ctx, `select `+accountColumns+` from account a where a.id = $1`, id)
	if err != nil {
		return Account{}, fmt.Errorf("read account %d: %w", id, err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Account])
	return a, postgres.Fault(err)
}

// One returns the account id to a registration officer or to itself; to others
// it is missing.
func (b *Book) One(ctx context.Context, by Actor, id ID) (Account, error) {
	if !by.Officer && by.Account != id {
		return Account{}, fault.New(fault.Missing, "fault.missing")
	}
	return b.one(ctx, b.DB, id)
}

// Names returns the labels of accounts, for pages that name who did something.
func (b *Book) Names(ctx context.Context, ids []ID) (map[ID]string, error) {
	rows, err := b.DB.Query(ctx, `select `+accountColumns+` from account a where a.id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Account])
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	names := make(map[ID]string, len(all))
	for _, a := range all {
		names[a.ID] = a.Label
	}
	return names, nil
}

// TokenNames returns the names of tokens, for pages that name what acted.
func (b *Book) TokenNames(ctx context.Context, ids []TokenID) (map[TokenID]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := b.DB.Query(ctx, `select id, name from token where id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read names of tokens: %w", err)
	}
	names := map[TokenID]string{}
	var id TokenID
	var name string
	if _, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error { names[id] = name; return nil }); err != nil {
		return nil, fmt.Errorf("read names of tokens: %w", err)
	}
	return names, nil
}

// searchLimit bounds what Search returns; more hits ask for a narrower search.
const searchLimit = 50

// Search finds accounts whose name, user name or address contains every word
// of sought, newest sign-in first, at most 50; more tells that there are others.
// Only registration officers search people.
func (b *Book) Search(ctx context.Context, by Actor, sought string) (found []Account, more bool, err error) {
	if err := OfficersOnly(by); err != nil {
		return nil, false, err
	}
	words := text.Sought(sought)
	for i, w := range words {
		words[i] = "%" + postgres.Like(w) + "%"
	}
	rows, err := b.DB.Query(ctx, `select `+accountColumns+` from account a
		where lower(name || ' ' || username || ' ' || email) like all($1)
		order by a.signed_in desc, a.id desc limit $2`, words, searchLimit+1)
	if err != nil {
		return nil, false, fmt.Errorf("search people: %w", err)
	}
	found, err = pgx.CollectRows(rows, pgx.RowToStructByName[Account])
	if err != nil {
		return nil, false, fmt.Errorf("search people: %w", err)
	}
	if len(found) > searchLimit {
		return found[:searchLimit], true, nil
	}
	return found, false, nil
}

// Find returns the accounts that are exactly called name: by user name or by
// verified mail address, without case, at most ten.
func (b *Book) Find(ctx context.Context, by Actor, name string) ([]Account, error) {
	if err := OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+accountColumns+` from account a
		where lower(a.username) = lower($1) or (lower(a.email) = lower($1) and a.email_verified)
		order by a.id limit 10`, text.Line(name))
	if err != nil {
		return nil, fmt.Errorf("find account: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Account])
}
