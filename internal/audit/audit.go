// Package audit keeps who did what, append only. A line is written in the
// transaction of what it tells; a job seals committed lines into a chain of
// hashes seconds later, so a missing or altered line becomes visible without
// making writers wait for each other. It decides no rights.
package audit

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// Who did it: an account, perhaps through an API token, from an address. The
// zero value is the portal itself.
type Who struct {
	Account int64
	Token   int64
	From    netip.Addr
}

// Thing is something a line is about.
type Thing struct {
	Kind string // the table's name
	ID   int64
}

// Line is one thing done. Action is "room.verb", a message id after "audit.".
// Detail holds what changed, before and after, without secrets.
type Line struct {
	Who    Who
	At     time.Time
	Action string
	Detail Detail
	About  []Thing
}

// Detail is what a line tells: flat, so that pages can show it.
type Detail map[string]any

// Write adds l in tx. Lines of one transaction have ids in the order in which
// they were written; they go out with what else the transaction keeps
// (postgres.Write).
func Write(ctx context.Context, tx pgx.Tx, l Line) error {
	salt := make([]byte, 16)
	rand.Read(salt)
	r, err := l.row(salt)
	if err == nil {
		err = postgres.Add(ctx, tx, func(all *written) { all.add(r, l.About) })
	}
	if err != nil {
		return fmt.Errorf("audit %s: %w", l.Action, err)
	}
	return nil
}

// Entry is a line as read. Detail is nil when it was erased; Sealed tells
// whether the chain holds it already.
type Entry struct {
	ID      int64
	At      time.Time
	Account *int64
	Token   *int64
	Origin  *netip.Addr
	Action  string
	Detail  Detail
	Sealed  bool
}

const entryColumns = `l.id, l.at, l.account, l.token, l.origin, l.action, l.detail,
	exists (select from audit_seal s where s.line = l.id) as sealed`

// About returns the newest lines about t, newest first, older than the line
// before (0: from the newest), at most limit.
func About(ctx context.Context, db *postgres.DB, t Thing, before int64, limit int) ([]Entry, error) {
	rows, err := db.Query(ctx, `select `+entryColumns+`
		from audit_about a join audit_line l on l.id = a.line
		where a.kind = @kind and a.id = @id and (@before = 0::bigint or a.line < @before)
		order by a.line desc limit @limit`,
		pgx.NamedArgs{"kind": t.Kind, "id": t.ID, "before": before, "limit": limit})
	return collect(rows, err)
}

func collect(rows pgx.Rows, err error) ([]Entry, error) {
	if err == nil {
		var all []Entry
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Entry]); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("read audit lines: %w", err)
}
