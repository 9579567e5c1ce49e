// Package postgres holds the way to the database: the pool, the transaction,
// the migration run, sealing of what must not lie there in clear, and the
// translation of a broken constraint into a fault. It decides how long anything
// may wait for the database, and which trouble passes. It knows no subject and
// no table of one.
package postgres

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is a pool of connections. Reads use it directly, writes go through Tx.
type DB struct {
	*pgxpool.Pool
	outage outage
	texts  sync.Map // what Write has read: a part by its text
}

// connections is the size of a pool whose url does not say pool_max_conns. Most
// of the time a connection waits for the disk, so more than processors help.
const connections = 20

// Open connects to url (postgres://…). Every session speaks UTC and gives up
// a lock after ten seconds and an idle transaction after a minute, so that
// one stuck process cannot hold up the others; a statement ends after 20 seconds,
// a connection that died silently within seconds. change may adjust the pool. A
// way over a network on which the server need not prove its name is a ClearError,
// and a pooler that keeps no sessions ErrPooler.
func Open(ctx context.Context, url string, change ...func(*pgxpool.Config)) (*DB, error) {
	if err := Verified(url); err != nil {
		return nil, err
	}
	return OpenUnverified(ctx, url, change...)
}

// OpenUnverified is Open, whoever answers.
func OpenUnverified(ctx context.Context, url string, change ...func(*pgxpool.Config)) (*DB, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read database url: %w", err)
	}
	p := c.ConnConfig.RuntimeParams
	p["timezone"] = "UTC"
	p["application_name"] = "petschaft"
	p["lock_timeout"] = "10s"
	p["idle_in_transaction_session_timeout"] = "60s"
	// Statements here are short: on large tables the planner's guess makes it compile
	// them for longer than they run.
	p["jit"] = "off"
	c.MaxConnIdleTime = 5 * time.Minute
	if !strings.Contains(url, "pool_max_conns") {
		c.MaxConns = connections
	}
	if c.ConnConfig.ConnectTimeout <= 0 {
		c.ConnConfig.ConnectTimeout = connecting
	}
	greeting := c.ConnConfig.ConnectTimeout
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(ctx, network, address, greeting)
	}
	for _, f := range change {
		f(c)
	}
	db := &DB{}
	db.watch(c)
	if db.Pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err = db.Ping(ctx); err != nil {
		err = refused(err)
	} else {
		err = db.sessions(ctx)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// watch makes the pool of c notice what died. An idle connection is asked before
// it is used again; whatever ended one that does not answer ended the others,
// too, so all idle ones go at once instead of one after the other.
func (db *DB) watch(c *pgxpool.Config) {
	if _, twice := c.ConnConfig.Tracer.(*limits); !twice {
		c.ConnConfig.Tracer = &limits{next: c.ConnConfig.Tracer}
	}
	c.PingTimeout = pinging
	c.ShouldPing = func(ctx context.Context, p pgxpool.ShouldPingParams) bool {
		if p.IdleDuration < time.Second {
			return false
		}
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), pinging)
		defer cancel()
		if p.Conn.Ping(soon) == nil {
			return false
		}
		db.Reset()
		return true // the pool asks once more, finds it closed and takes another
	}
}

// Close gives the connections back. It waits for those in use, but not for ever:
// after three seconds they are left to the end of the process.
func (db *DB) Close() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		db.Pool.Close()
	}()
	select {
	case <-closed:
	case <-time.After(closing):
	}
}

// Querier reads, in a transaction or outside one.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// attempts is how often Tx runs its function when Postgres gives up on one of
// several transactions that met.
const attempts = 4

// Tx runs f in a read committed transaction and commits when f returns nil.
// After a serialization failure or a deadlock it runs f again, at most three
// times, so f must have no effect outside the transaction. A broken constraint
// comes back as a fault. What f hands to Write and AtEnd goes out before the
// commit.
func (db *DB) Tx(ctx context.Context, f func(tx pgx.Tx) error) error {
	if why := shown(ctx); why != nil {
		return why
	}
	err := Fault(db.try(ctx, f))
	note(ctx, err)
	return err
}

func (db *DB) try(ctx context.Context, f func(tx pgx.Tx) error) (err error) {
	for range attempts {
		if err = pgx.BeginFunc(ctx, starter{db}, f); !Again(err) {
			break
		}
	}
	return err
}

// Like takes the special meaning from the characters of s in a like pattern. An
// apostrophe fits any one character: keyboards and programs know several.
func Like(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `'`, `_`, `’`, `_`).Replace(s)
}

// Word is the like pattern by which a search finds a word where each stands after
// a blank: one of three characters or more anywhere, in the middle of a word too,
// a shorter one at the beginning of a word.
func Word(s string) string {
	if len([]rune(s)) < 3 {
		return "% " + Like(s) + "%"
	}
	return "%" + Like(s) + "%"
}
