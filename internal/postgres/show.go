package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/fault"
)

// ErrShown is that a request only shows what it would do (Show).
var ErrShown = fault.New(fault.Conflict, "kept.shown")

type showKey struct{}

// Show lets nothing under ctx write: Tx and Exec end before they begin, with why,
// or with ErrShown where why is nil. Reading goes on, also by Look.
func Show(ctx context.Context, why *fault.Fault) context.Context {
	if why == nil {
		why = ErrShown
	}
	return context.WithValue(ctx, showKey{}, why)
}

// shown is why nothing under ctx may write, nil where it may.
func shown(ctx context.Context) error {
	if why, ok := ctx.Value(showKey{}).(*fault.Fault); ok {
		return why
	}
	return nil
}

// Outcome is what the transactions of a request have come to.
type Outcome struct {
	sync.Mutex
	wrote   bool
	refused *fault.Fault
}

type outcomeKey struct{}

// Watch notes in the outcome what Tx and Exec under ctx come to.
func Watch(ctx context.Context) (context.Context, *Outcome) {
	o := &Outcome{}
	return context.WithValue(ctx, outcomeKey{}, o), o
}

// Aside is a ctx under which what is written is not what the request did, and not
// in the outcome that it is watched by: that somebody asked, say.
func Aside(ctx context.Context) context.Context {
	return context.WithValue(ctx, outcomeKey{}, nil)
}

// note adds to the outcome that ctx is watched by, if any.
func note(ctx context.Context, err error) {
	o, ok := ctx.Value(outcomeKey{}).(*Outcome)
	if !ok {
		return
	}
	o.Lock()
	defer o.Unlock()
	if err == nil {
		o.wrote = true
	} else if o.refused == nil {
		o.refused = fault.Of(err)
	}
}

// Wrote tells whether anything was written.
func (o *Outcome) Wrote() bool {
	o.Lock()
	defer o.Unlock()
	return o.wrote
}

// Refused is what the first transaction was refused with, nil for nothing.
func (o *Outcome) Refused() *fault.Fault {
	o.Lock()
	defer o.Unlock()
	return o.refused
}

// Exec writes with one statement, outside a transaction.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if why := shown(ctx); why != nil {
		return pgconn.CommandTag{}, why
	}
	tag, err := db.Pool.Exec(ctx, sql, args...)
	note(ctx, err)
	return tag, err
}

// errLooked ends a transaction that was only to look.
var errLooked = errors.New("looked")

// Look is Tx for what only looks, with what it needs locked: whatever f does is
// undone. What it keeps (Write) is tried, what is for the end (AtEnd) is not.
func (db *DB) Look(ctx context.Context, f func(tx pgx.Tx) error) error {
	err := db.try(ctx, func(tx pgx.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		if err := tx.(*transaction).flush(ctx); err != nil {
			return err
		}
		return errLooked
	})
	if errors.Is(err, errLooked) {
		return nil
	}
	return Fault(err)
}
