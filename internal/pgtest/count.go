package pgtest

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// Queries starts counting and returns how many queries db has run since, by
// whomever: each statement of a batch and each copy counts one; the brackets
// of a transaction count nothing.
func Queries(t testing.TB, db *postgres.DB) func() int {
	t.Helper()
	c, ok := counterOf(db)
	if !ok {
		t.Fatal("only a database from pgtest counts its queries")
	}
	before := c.n.Load()
	return func() int { return int(c.n.Load() - before) }
}

// counterOf looks behind the tracer that postgres.Open puts in front.
func counterOf(db *postgres.DB) (*counter, bool) {
	in, ok := db.Config().ConnConfig.Tracer.(interface{ Next() pgx.QueryTracer })
	if !ok {
		return nil, false
	}
	c, ok := in.Next().(*counter)
	return c, ok
}

// counter is a pgx tracer.
type counter struct{ n atomic.Int64 }

var (
	_ pgx.QueryTracer    = (*counter)(nil)
	_ pgx.BatchTracer    = (*counter)(nil)
	_ pgx.CopyFromTracer = (*counter)(nil)
)

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	word, _, _ := strings.Cut(strings.ToLower(d.SQL), " ")
	switch word {
	case "begin", "commit", "rollback", "savepoint", "release":
	default:
		c.n.Add(1)
	}
	return ctx
}

func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { c.n.Add(1) }

func (c *counter) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)       {}
func (c *counter) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}
func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)       {}

func (c *counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
