package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrPooler says that what stands between keeps no sessions: settings, prepared
// statements, locks and listening would be lost, or be somebody else's.
var ErrPooler = errors.New("a pooler between the portal and Postgres does not keep sessions as the portal needs them: " +
	"let it pool by session as docs/operations.md says under \"The database\", or go to Postgres directly")

// refused is err of a first connection, as ErrPooler where the settings of a
// session were refused: Postgres itself has them all.
func refused(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "08P01" {
		return fmt.Errorf("%w: %v", ErrPooler, err) // it is no reason to wait for the database
	}
	return fmt.Errorf("reach database: %w", err)
}

// poolerRounds is how often it is looked for one: others may get the connection
// that we gave back.
const poolerRounds = 5

// sessions returns ErrPooler when connections are handed out by transaction or
// statement. Postgres itself says at the start which process answers, and that one
// does; a pooler makes that number up. Then a second connection holds a transaction:
// if it got the process of the first, or the first gets another one meanwhile, no
// session is anybody's own.
func (db *DB) sessions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connecting)
	defer cancel()
	one, err := db.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("look for a pooler: %w", err)
	}
	defer one.Release()
	first := one.Conn().PgConn()
	mine, err := backend(ctx, first, "")
	if err != nil || mine == first.PID() {
		return err
	}
	two, err := pgx.ConnectConfig(ctx, db.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("look for a pooler: %w", err)
	}
	defer two.Close(context.WithoutCancel(ctx))
	for range poolerRounds {
		if mine, err = backend(ctx, first, ""); err != nil {
			return err
		}
		other, err := backend(ctx, two.PgConn(), "begin; ")
		if err != nil {
			return err
		}
		again, err := backend(ctx, first, "")
		if err != nil {
			return err
		}
		if other == mine || again != mine {
			return ErrPooler
		}
		if _, err := two.PgConn().Exec(ctx, "rollback").ReadAll(); err != nil {
			return fmt.Errorf("look for a pooler: %w", err)
		}
	}
	return nil
}

// backend is the process that answers; before is run in front of the question.
func backend(ctx context.Context, c *pgconn.PgConn, before string) (uint32, error) {
	results, err := c.Exec(ctx, before+"select pg_backend_pid()").ReadAll()
	if err != nil {
		return 0, fmt.Errorf("look for a pooler: %w", err)
	}
	n, err := strconv.ParseUint(string(results[len(results)-1].Rows[0][0]), 10, 32)
	return uint32(n), err
}
