package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// statementLimit is how long a statement may take, with the reading of its rows,
// whoever runs it and whatever deadline they have: a connection that died
// silently holds up nothing for longer. It is more than the ten seconds that a
// statement waits for a lock.
const statementLimit = 20 * time.Second

type limitKey struct{}

// Slow lets each statement under ctx take up to d instead, 0 for as long as it
// wants: a download lasts as long as its reader, an import of many thousand
// lines as long as the disk.
func Slow(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, limitKey{}, d)
}

// limits is a pgx tracer that gives each statement its deadline. It passes on
// to next, which may be nil.
type limits struct{ next pgx.QueryTracer }

var (
	_ pgx.QueryTracer    = (*limits)(nil)
	_ pgx.BatchTracer    = (*limits)(nil)
	_ pgx.CopyFromTracer = (*limits)(nil)
)

// Next is the tracer that the pool was opened with.
func (l *limits) Next() pgx.QueryTracer { return l.next }

type endKey struct{}

func begin(ctx context.Context) context.Context {
	d := statementLimit
	if slow, ok := ctx.Value(limitKey{}).(time.Duration); ok {
		d = slow
	}
	if d == 0 {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	return context.WithValue(ctx, endKey{}, cancel)
}

func end(ctx context.Context) {
	if cancel, ok := ctx.Value(endKey{}).(context.CancelFunc); ok {
		cancel()
	}
}

func (l *limits) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if l.next != nil {
		ctx = l.next.TraceQueryStart(ctx, c, d)
	}
	return begin(ctx)
}

func (l *limits) TraceQueryEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryEndData) {
	end(ctx)
	if l.next != nil {
		l.next.TraceQueryEnd(ctx, c, d)
	}
}

func (l *limits) TraceBatchStart(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	if next, ok := l.next.(pgx.BatchTracer); ok {
		ctx = next.TraceBatchStart(ctx, c, d)
	}
	return begin(ctx)
}

func (l *limits) TraceBatchQuery(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchQueryData) {
	if next, ok := l.next.(pgx.BatchTracer); ok {
		next.TraceBatchQuery(ctx, c, d)
	}
}

func (l *limits) TraceBatchEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchEndData) {
	end(ctx)
	if next, ok := l.next.(pgx.BatchTracer); ok {
		next.TraceBatchEnd(ctx, c, d)
	}
}

func (l *limits) TraceCopyFromStart(ctx context.Context, c *pgx.Conn, d pgx.TraceCopyFromStartData) context.Context {
	if next, ok := l.next.(pgx.CopyFromTracer); ok {
		ctx = next.TraceCopyFromStart(ctx, c, d)
	}
	return begin(ctx)
}

func (l *limits) TraceCopyFromEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceCopyFromEndData) {
	end(ctx)
	if next, ok := l.next.(pgx.CopyFromTracer); ok {
		next.TraceCopyFromEnd(ctx, c, d)
	}
}
