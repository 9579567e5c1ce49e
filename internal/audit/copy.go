package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Copy adds lines in tx, in their order, as Write adds one, but with a few
// statements for all. It holds them in memory: a caller with very many comes
// with some thousand at a time.
func Copy(ctx context.Context, tx pgx.Tx, lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `select nextval(pg_get_serial_sequence('audit_line', 'id')) from generate_series(1, $1::int)`, len(lines))
	if err != nil {
		return fmt.Errorf("audit %d lines: %w", len(lines), err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("audit %d lines: %w", len(lines), err)
	}
	salts := make([]byte, 16*len(lines))
	rand.Read(salts)
	var all, about, waiting [][]any
	for i, l := range lines {
		r, err := l.row(salts[16*i : 16*i+16])
		if err != nil {
			return fmt.Errorf("audit %s: %w", l.Action, err)
		}
		all = append(all, []any{ids[i], r.at, r.account, r.token, r.origin, r.action, r.detail, r.salt, r.digest})
		waiting = append(waiting, []any{ids[i]})
		for j, t := range l.About {
			if !slices.Contains(l.About[:j], t) {
				about = append(about, []any{ids[i], t.Kind, t.ID})
			}
		}
	}
	columns := []string{"id", "at", "account", "token", "origin", "action", "detail", "salt", "digest"}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audit_line"}, columns, pgx.CopyFromRows(all)); err != nil {
		return fmt.Errorf("audit %d lines: %w", len(lines), err)
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audit_about"}, []string{"line", "kind", "id"}, pgx.CopyFromRows(about)); err != nil {
		return fmt.Errorf("audit %d lines: %w", len(lines), err)
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audit_waiting"}, []string{"line"}, pgx.CopyFromRows(waiting)); err != nil {
		return fmt.Errorf("audit %d lines: %w", len(lines), err)
	}
	return nil
}

// row is a line as audit_line holds it, without its id.
type row struct {
	at             time.Time
	account, token *int64
	origin         *netip.Addr
	action, detail string
	salt, digest   []byte
}

func (l Line) row(salt []byte) (row, error) {
	detail, err := json.Marshal(l.Detail)
	if err != nil {
		return row{}, err
	}
	digest := sha256.Sum256(append(slices.Clone(salt), detail...))
	r := row{at: l.At, action: l.Action, detail: string(detail), salt: salt, digest: digest[:]}
	if l.Who.Account != 0 {
		r.account = &l.Who.Account
	}
	if l.Who.Token != 0 {
		r.token = &l.Who.Token
	}
	if l.Who.From.IsValid() {
		r.origin = &l.Who.From
	}
	return r, nil
}
