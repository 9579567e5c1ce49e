// Package audit keeps who did what, append only. A line is written in the
// transaction of what it tells; a job seals committed lines into a chain of
// hashes seconds later, so a missing or altered line becomes visible without
// making writers wait for each other. It decides no rights.
package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
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

// Write adds l in tx.
func Write(ctx context.Context, tx pgx.Tx, l Line) error {
	detail, err := json.Marshal(l.Detail)
	if err != nil {
		return fmt.Errorf("audit %s: %w", l.Action, err)
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	digest := sha256.Sum256(append(append([]byte{}, salt...), detail...))
	kinds, ids := make([]string, len(l.About)), make([]int64, len(l.About))
	for i, t := range l.About {
		kinds[i], ids[i] = t.Kind, t.ID
	}
	var from *netip.Addr
	if l.Who.From.IsValid() {
		from = &l.Who.From
	}
	_, err = tx.Exec(ctx, `
		with l as (
			insert into audit_line (at, account, token, origin, action, detail, salt, digest)
			values (@at, nullif(@account::bigint, 0), nullif(@token::bigint, 0), @from, @action, @detail, @salt, @digest)
			returning id
		), a as (
			insert into audit_about (line, kind, id)
			select distinct l.id, t.kind, t.id from l, unnest(@kinds::text[], @ids::bigint[]) t (kind, id)
		)
		insert into audit_unsealed (line) select id from l`,
		pgx.NamedArgs{
			"at": l.At, "account": l.Who.Account, "token": l.Who.Token, "from": from, "action": l.Action,
			"detail": string(detail), "salt": salt, "digest": digest[:], "kinds": kinds, "ids": ids,
		})
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

// Recent returns the newest lines whose action begins with prefix, as About
// does.
func Recent(ctx context.Context, db *postgres.DB, prefix string, before int64, limit int) ([]Entry, error) {
	rows, err := db.Query(ctx, `select `+entryColumns+`
		from audit_line l
		where starts_with(l.action, @prefix) and (@before = 0::bigint or l.id < @before)
		order by l.id desc limit @limit`,
		pgx.NamedArgs{"prefix": prefix, "before": before, "limit": limit})
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
