package brake

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Shelf holds Most things of one person that led to nothing yet: another one takes
// the place of the oldest. What lies there is its room's.
type Shelf struct {
	Kind string // of what: "room.quota"
	Most int
}

// Lock lets one transaction at a time look at what of who's lies there, until it
// ends. Who is a person's number, or that of whatever else a shelf is for.
func (s Shelf) Lock(ctx context.Context, tx pgx.Tx, who int64) error {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext($1), $2::int)`, s.Kind, int32(who)); err != nil {
		return fmt.Errorf("lock %s: %w", s.Kind, err)
	}
	return nil
}

// Room makes room for one more of who's. lying is the statement that names the
// numbers of what lies there, the newest first; drop takes one away, the oldest
// first, if it still may go.
func (s Shelf) Room(ctx context.Context, tx pgx.Tx, who int64, lying string, args pgx.NamedArgs, drop func(id int64) error) error {
	if err := s.Lock(ctx, tx, who); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, lying, args)
	if err != nil {
		return fmt.Errorf("make room, %s: %w", s.Kind, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("make room, %s: %w", s.Kind, err)
	}
	for _, id := range slices.Backward(all[min(len(all), s.Most-1):]) {
		if err := drop(id); err != nil {
			return err
		}
	}
	return nil
}
