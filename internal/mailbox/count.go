package mailbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
)

// Tally is how many rows a domain has.
type Tally struct {
	Of       map[Status]int64
	Doubtful int64 // of all, those whose link is doubtful
}

// Sum is how many there are in all.
func (n Tally) Sum() (sum int64) {
	for _, of := range n.Of {
		sum += of
	}
	return sum
}

// Tally counts the rows of a domain.
func (b *Book) Tally(ctx context.Context, d org.ID) (Tally, error) {
	all, err := b.Tallies(ctx, d)
	return all[d], err
}

// Tallies counts the rows of each of the domains; one without rows has none.
func (b *Book) Tallies(ctx context.Context, domains ...org.ID) (map[org.ID]Tally, error) {
	rows, err := b.DB.Query(ctx, `
		select domain, state, sum(n)::bigint from address_row_tally where domain = any($1) group by domain, state
		union all
		select domain, '', count(*) from address_row where doubtful and domain = any($1) group by domain`, domains)
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	all := map[org.ID]Tally{}
	var d org.ID
	var s Status
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&d, &s, &n}, func() error {
		of := all[d]
		if of.Of == nil {
			of.Of = map[Status]int64{}
		}
		if s == "" {
			of.Doubtful = n
		} else {
			of.Of[s] = n
		}
		all[d] = of
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	return all, nil
}
