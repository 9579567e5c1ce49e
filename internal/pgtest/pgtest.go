// Package pgtest gives each test a database of its own on a real server: a
// clone of a template that holds the newest schema and no rows. The server's
// address comes from PETSCHAFT_TEST_DATABASE, which `demo postgres` sets. It
// decides how clones are made and dropped, never what is in them, and it is
// for tests only.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"petschaft/internal/postgres"
	"petschaft/migrations"
)

// New makes a database for t and opens it with four connections. Both are
// gone when t ends; a connection that t did not give back fails it.
func New(t testing.TB) *postgres.DB {
	t.Helper()
	return Open(t, URL(t))
}

// Open opens one more pool on a database from URL, as another process of the
// portal would have it. change may give it more connections.
func Open(t testing.TB, url string, change ...func(*pgxpool.Config)) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, append([]func(*pgxpool.Config){func(c *pgxpool.Config) {
		c.MaxConns = 4
		c.ConnConfig.Tracer = new(counter)
	}}, change...)...)
	if err != nil {
		t.Fatalf("open the test's database: %v", err)
	}
	t.Cleanup(func() { closePool(t, db) })
	return db
}

// closePool does not wait for ever for a connection somebody kept.
func closePool(t testing.TB, db *postgres.DB) {
	closed := make(chan struct{})
	go func() {
		db.Pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Errorf("%d connections were not given back to the pool: close rows, end transactions and stop workers before the test ends", db.Stat().AcquiredConns())
	}
}

// URL makes a database for t and returns its address, for tests that start
// processes. It is dropped when t ends, whoever is still connected.
func URL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("PETSCHAFT_TEST_DATABASE")
	if server == "" {
		t.Fatal("this test needs a database: run it through `make test`, or `go run ./cmd/demo postgres -- go test ./...`")
	}
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("reach the test server of PETSCHAFT_TEST_DATABASE: %v", err)
	}
	defer conn.Close(ctx)
	template, err := templateFor(ctx, conn, server)
	if err != nil {
		t.Fatalf("make the template of test databases: %v", err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	// file_copy halves the time where fsync is off.
	if _, err := conn.Exec(ctx, "create database "+name+" template "+template+" strategy file_copy"); err != nil {
		t.Fatalf("clone the template: %v", err)
	}
	t.Cleanup(func() { drop(t, server, name) })
	return at(server, name)
}

// drop has a context of its own: t's is over by now.
func drop(t testing.TB, server, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Errorf("drop the test's database: %v", err)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "drop database "+name+" with (force)"); err != nil {
		t.Errorf("drop the test's database: %v", err)
	}
}

// at is server's address with another database.
func at(server, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err) // pgx has connected with it
	}
	u.Path = "/" + database
	return u.String()
}

// templateLock is the advisory lock under which one test process makes the
// template while the others wait.
const templateLock = 7238001946

// templateFor names the template of this schema and makes it when it is not
// there. That it is marked as a template says that it is whole.
func templateFor(ctx context.Context, conn *pgx.Conn, server string) (string, error) {
	name, err := templateName()
	if err != nil {
		return "", err
	}
	if whole, err := isTemplate(ctx, conn, name); whole || err != nil {
		return name, err
	}
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return "", err
	}
	defer conn.Exec(ctx, "select pg_advisory_unlock($1)", int64(templateLock)) // the end of the connection unlocks too
	if whole, err := isTemplate(ctx, conn, name); whole || err != nil {
		return name, err
	}
	if _, err := conn.Exec(ctx, "drop database if exists "+name+" with (force)"); err != nil {
		return "", err
	}
	if _, err := conn.Exec(ctx, "create database "+name); err != nil {
		return "", err
	}
	if err := fill(ctx, at(server, name)); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "alter database "+name+" is_template true")
	return name, err
}

func isTemplate(ctx context.Context, conn *pgx.Conn, name string) (bool, error) {
	var whole bool
	err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and datistemplate)", name).Scan(&whole)
	return whole, err
}

// fill migrates and leaves no connection behind: a template with a visitor
// cannot be cloned.
func fill(ctx context.Context, url string) error {
	db, err := postgres.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = postgres.Migrate(ctx, db)
	return err
}

// templateName changes with every change of our migrations and of River's.
func templateName() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(migrations.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		step, err := fs.ReadFile(migrations.Files, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(step), step)
		return err
	})
	if err != nil {
		return "", err
	}
	river, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		return "", err
	}
	for _, m := range river.AllVersions() {
		fmt.Fprintf(sum, "river %d\n%s", m.Version, m.SQLUp)
	}
	return "template_" + hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
