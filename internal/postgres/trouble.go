package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"petschaft/internal/fault"
)

var errAway = fault.New(fault.Unavailable, "fault.away")

// Again tells whether err means that the whole transaction is to be tried again.
func Again(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

// Fault turns the violation of a named constraint, also one raised by a
// trigger (errcode 23514 with a constraint name), into a conflict whose
// message id is "schema." and that name. No rows is Missing, and so is what a
// foreign key did not find and a text that no row can equal (RFC 3629 allows it
// not, or it holds NUL). A database that is away, or does not answer in time,
// is Unavailable. Other errors pass unchanged.
func Fault(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.Missing, "fault.missing").Because(err)
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return outside(err)
	}
	if broken(pg) {
		return fault.New(fault.Conflict, "schema."+pg.ConstraintName).Because(err)
	}
	switch pg.Code {
	case "23503", "22021":
		return fault.New(fault.Missing, "fault.missing").Because(err)
	case "55P03", "40001", "40P01":
		return fault.New(fault.Unavailable, "fault.busy").Because(err)
	}
	return outside(err)
}

// Broken tells whether err is the violation of a constraint, whichever: somebody
// else was first with what was looked for before it was written.
func Broken(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && broken(pg)
}

func broken(pg *pgconn.PgError) bool {
	return pg.ConstraintName != "" && (pg.Code == "23505" || pg.Code == "23514" || pg.Code == "23P01")
}

// outside is err as Unavailable where nobody has judged it and the database is
// away.
func outside(err error) error {
	if away(err) && fault.Is(err, fault.Internal) {
		return errAway.Because(err)
	}
	return err
}

// Told is the fault that a request is answered with which ended with err: the
// one that somebody gave it, or Unavailable where the database is away. Every
// way out of a request leads through here, so that no query needs to.
func Told(err error) *fault.Fault {
	f := fault.Of(err)
	if f == nil || f.Kind != fault.Internal {
		return f
	}
	if g := fault.Of(Fault(err)); g.Kind == fault.Unavailable {
		return g
	}
	return f
}

// Away tells whether err ends a request, in Told's words, because the database
// is away.
func Away(err error) bool { return err != nil && errors.Is(Told(err), errAway) }

// away tells whether err comes from a database that cannot be reached, does not
// answer in time, takes no more or does not write: a standby in the middle of a
// failover does not. Its codes are in appendix A of Postgres's manual.
func away(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "57P01", "57P02", "57P03", "57P05", "57014", "25006", "25P03", "25P04":
			return true
		}
		return class(pg) == "08" || class(pg) == "53"
	}
	if _, ok := errors.AsType[*lostError](err); ok {
		return true
	}
	return pgconn.Timeout(err) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, puddle.ErrClosedPool) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func class(pg *pgconn.PgError) string { return pg.Code[:min(2, len(pg.Code))] }

// Locked tells whether err is the word of a server that is there and lets
// nobody in with this user, password and database: waiting does not help.
func Locked(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (class(pg) == "28" || pg.Code == "3D000" || pg.Code == "42501")
}

// Passing tells whether err is no verdict about what was wanted: the same may
// succeed a little later, so nothing final follows from it. Verdicts are faults
// of every kind but Unavailable and Internal, and what Postgres says about the
// statement or its data.
func Passing(err error) bool {
	if err == nil {
		return false
	}
	f := fault.Of(Fault(err))
	if f.Kind != fault.Internal {
		return f.Kind == fault.Unavailable
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return true
	}
	switch class(pg) {
	case "25", "40", "55", "57", "58", "XX":
		return true
	}
	return false
}

// Tries is how often something is tried whose trouble is Doubtful.
const Tries = 20

// Doubtful tells whether err is Passing and yet may come again for ever,
// because its cause lies in what was asked for: a statement that is cancelled
// (57014), a failure within Postgres (XX), a transaction that went on after an
// error (25P02), an error that nobody knows. Such things are tried at most
// Tries times.
func Doubtful(err error) bool {
	if !Passing(err) {
		return false
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "57014" || pg.Code == "25P02" || class(pg) == "XX"
	}
	return fault.Is(Fault(err), fault.Internal)
}

// outage is what was said in the log about a database that is away.
type outage struct {
	sync.Mutex
	said    time.Time
	refused int
}

// outagePause is how long the log is silent between two lines.
const outagePause = time.Second

// Outage says in log that a request could not be answered because of err, at most
// once a second however many there are. Others stay in the count of the next
// line.
func (db *DB) Outage(ctx context.Context, log *slog.Logger, err error) {
	o := &db.outage
	o.Lock()
	o.refused++
	n := o.refused
	quiet := time.Since(o.said) < outagePause
	if !quiet {
		o.said, o.refused = time.Now(), 0
	}
	o.Unlock()
	if !quiet {
		log.ErrorContext(ctx, "database away", "requests_refused", n, "error", err)
	}
}
