package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"petschaft/migrations"
)

// ErrSchemaOld says that the database lacks migrations this binary needs.
var ErrSchemaOld = errors.New("the database schema is older than this program: run `petschaft migrate` (or `petschaft serve --migrate`)")

// Migrated is what Migrate did: the versions of the portal's schema and of the
// queue's before and after, 0 where there was nothing. Equal ones say that nothing
// was to do.
type Migrated struct {
	From, To           int64
	QueueFrom, QueueTo int
}

// Migrate brings the schema of db to what this binary needs: the portal's own
// steps, then River's. Several processes may call it at once; they take turns
// by polling a lock, because a blocked advisory lock would deadlock with
// `create index concurrently`. A step takes as long as it takes.
func Migrate(ctx context.Context, db *DB) (Migrated, error) {
	var m Migrated
	ctx = Slow(ctx, 0)
	std := stdlib.OpenDBFromPool(db.Pool)
	defer std.Close()
	steps, err := provider(std)
	if err != nil {
		return m, err
	}
	done, err := steps.Up(ctx)
	if err != nil {
		return m, fmt.Errorf("migrate: %w", err)
	}
	if m.To, err = steps.GetDBVersion(ctx); err != nil {
		return m, fmt.Errorf("look at the schema: %w", err)
	}
	m.From = m.To
	if len(done) > 0 {
		m.From = before(steps.ListSources(), done[0].Source.Version)
	}
	m.QueueFrom, m.QueueTo, err = migrateRiver(ctx, db)
	return m, err
}

// before is the step in front of that version, 0 in front of the first.
func before(steps []*goose.Source, version int64) (last int64) {
	for _, s := range steps {
		if s.Version >= version {
			break
		}
		last = s.Version
	}
	return last
}

func provider(std *sql.DB) (*goose.Provider, error) {
	turns, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return nil, fmt.Errorf("make migration lock: %w", err)
	}
	steps, err := goose.NewProvider(goose.DialectPostgres, std, migrations.Files,
		goose.WithSessionLocker(turns), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return steps, nil
}

// riverLock is the advisory lock under which one process runs River's steps.
const riverLock = 4097083627

// migrateRiver takes its turn by polling, as goose does. The lock belongs to a
// session, not to a transaction: River's steps need one each, because a value
// added to an enum is of use only in the next.
func migrateRiver(ctx context.Context, db *DB) (from, to int, err error) {
	m, err := rivermigrate.New(riverpgxv5.New(db.Pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, 0, fmt.Errorf("read queue migrations: %w", err)
	}
	turn, err := db.Acquire(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("lock queue migrations: %w", err)
	}
	defer turn.Release()
	for mine := false; ; {
		if err := turn.QueryRow(ctx, "select pg_try_advisory_lock($1)", int64(riverLock)).Scan(&mine); err != nil {
			return 0, 0, fmt.Errorf("lock queue migrations: %w", err)
		}
		if mine {
			break
		}
		select {
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-time.After(time.Second):
		}
	}
	defer turn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", int64(riverLock))
	done, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return 0, 0, fmt.Errorf("migrate queue: %w", err)
	}
	to = m.AllVersions()[len(m.AllVersions())-1].Version
	if len(done.Versions) > 0 {
		return done.Versions[0].Version - 1, to, nil
	}
	return to, to, nil
}

// Current returns ErrSchemaOld when a migration is missing.
func Current(ctx context.Context, db *DB) error {
	std := stdlib.OpenDBFromPool(db.Pool)
	defer std.Close()
	steps, err := goose.NewProvider(goose.DialectPostgres, std, migrations.Files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	pending, err := steps.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("look for missing migrations: %w", err)
	}
	if pending {
		return ErrSchemaOld
	}
	m, err := rivermigrate.New(riverpgxv5.New(db.Pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read queue migrations: %w", err)
	}
	ok, err := m.Validate(ctx, nil)
	if err != nil {
		return fmt.Errorf("look for missing queue migrations: %w", err)
	}
	if !ok.OK {
		return ErrSchemaOld
	}
	return nil
}
