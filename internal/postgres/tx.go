package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// transaction is what Tx hands its function: the one of pgx, which first gets
// what Write kept whenever somebody could see that it is missing. It is not for
// several goroutines at once, as pgx's is not.
type transaction struct {
	inner  pgx.Tx
	texts  *sync.Map       // of string to part: the statements that its database knows
	began  context.Context // for what comes without one
	kept   []*keptPart
	ends   []ending
	failed error // what was kept is lost: nothing goes on, as after a failed statement
	closed bool
}

var _ pgx.Tx = (*transaction)(nil)

// starter begins our transactions for pgx.BeginFunc.
type starter struct{ *DB }

func (s starter) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := s.Pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{inner: tx, texts: &s.texts, began: ctx}, nil
}

// Commit sends what was kept, runs the ends, and commits. What fails before the
// commit leaves the transaction to its Rollback.
func (t *transaction) Commit(ctx context.Context) error {
	if err := t.finish(ctx); err != nil {
		return err
	}
	t.closed = true
	return t.inner.Commit(ctx)
}

func (t *transaction) Rollback(ctx context.Context) error {
	t.closed, t.kept, t.ends = true, nil, nil
	return t.inner.Rollback(ctx)
}

// Begin begins a savepoint, which keeps nothing: whatever is written in it is
// undone with it.
func (t *transaction) Begin(ctx context.Context) (pgx.Tx, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	return t.inner.Begin(ctx)
}

func (t *transaction) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := t.flush(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return t.inner.Exec(ctx, sql, args...)
}

func (t *transaction) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := t.flush(ctx); err != nil {
		return pgx.FailedBatchResults(&pgx.Batch{}, err).Query()
	}
	return t.inner.Query(ctx, sql, args...)
}

func (t *transaction) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := t.flush(ctx); err != nil {
		return pgx.FailedBatchResults(&pgx.Batch{}, err).QueryRow()
	}
	return t.inner.QueryRow(ctx, sql, args...)
}

func (t *transaction) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := t.flush(ctx); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return t.inner.SendBatch(ctx, b)
}

func (t *transaction) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := t.flush(ctx); err != nil {
		return 0, err
	}
	return t.inner.CopyFrom(ctx, table, columns, rows)
}

func (t *transaction) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	return t.inner.Prepare(ctx, name, sql)
}

// LargeObjects and Conn lead past the transaction: what is kept goes out first,
// and where that fails the next call and the commit tell.
func (t *transaction) LargeObjects() pgx.LargeObjects {
	_ = t.flush(t.began)
	return t.inner.LargeObjects()
}

func (t *transaction) Conn() *pgx.Conn {
	_ = t.flush(t.began)
	return t.inner.Conn()
}
