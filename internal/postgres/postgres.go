// Package postgres holds the way to the database: the pool, the transaction,
// the migration run, sealing of what must not lie there in clear, and the
// translation of a broken constraint into a fault. It knows no subject and no
// table of one.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/fault"
)

// DB is a pool of connections. Reads use it directly, writes go through Tx.
type DB struct{ *pgxpool.Pool }

// connections is the size of a pool whose url does not say pool_max_conns. Most
// of the time a connection waits for the disk, so more than processors help.
const connections = 20

// Open connects to url (postgres://…). Every session speaks UTC and gives up
// a lock after ten seconds and an idle transaction after a minute, so that
// one stuck process cannot hold up the others. change may adjust the pool.
func Open(ctx context.Context, url string, change ...func(*pgxpool.Config)) (*DB, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read database url: %w", err)
	}
	p := c.ConnConfig.RuntimeParams
	p["timezone"] = "UTC"
	p["application_name"] = "petschaft"
	p["lock_timeout"] = "10s"
	p["idle_in_transaction_session_timeout"] = "60s"
	c.MaxConnIdleTime = 5 * time.Minute
	if !strings.Contains(url, "pool_max_conns") {
		c.MaxConns = connections
	}
	for _, f := range change {
		f(c)
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach database: %w", err)
	}
	return &DB{pool}, nil
}

// attempts is how often Tx runs its function when Postgres gives up on one of
// several transactions that met.
const attempts = 4

// Tx runs f in a read committed transaction and commits when f returns nil.
// After a serialization failure or a deadlock it runs f again, at most three
// times, so f must have no effect outside the transaction. A broken constraint
// comes back as a fault.
func (db *DB) Tx(ctx context.Context, f func(tx pgx.Tx) error) error {
	var err error
	for range attempts {
		err = pgx.BeginFunc(ctx, db.Pool, f)
		if !Again(err) {
			break
		}
	}
	return Fault(err)
}

// Again tells whether err means that the whole transaction is to be tried again.
func Again(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

// Fault turns the violation of a named constraint, also one raised by a
// trigger (errcode 23514 with a constraint name), into a conflict whose
// message id is "schema." and that name. No rows is Missing, and so is what a
// foreign key did not find and a text that no row can equal (RFC 3629 allows it
// not, or it holds NUL). Other errors pass unchanged.
func Fault(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.Missing, "fault.missing").Because(err)
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch pg.Code {
	case "23503", "22021":
		return fault.New(fault.Missing, "fault.missing").Because(err)
	case "23505", "23514", "23P01":
		if pg.ConstraintName != "" {
			return fault.New(fault.Conflict, "schema."+pg.ConstraintName).Because(err)
		}
	case "55P03":
		return fault.New(fault.Unavailable, "fault.busy").Because(err)
	}
	return err
}

// Text is s as a text column can hold it: valid UTF-8 without NUL. What is not
// is left out.
func Text(s string) string { return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "") }

// Like takes the special meaning from the characters of s in a like pattern.
func Like(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
