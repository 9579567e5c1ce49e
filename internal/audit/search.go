package audit

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// Filter says which lines are looked for: those for which all holds that is set.
type Filter struct {
	Prefix   string    // of the action
	Accounts []int64   // who did it, one of these; nil: anybody
	About    Thing     // the zero value: anything
	From     time.Time // from then on
	Until    time.Time // and before
	Words    []string  // each stands in the detail, in lower case
}

// twin is the line that an order's history has of the certificate, beside the
// certificate's own line: who looks for neither reads once that it was issued.
const twin = "order.fulfilled"

// Search returns the newest lines of f, newest first, older than the line before
// (0: from the newest), at most limit.
func Search(ctx context.Context, db *postgres.DB, f Filter, before int64, limit int) ([]Entry, error) {
	where, args := f.where()
	args["limit"] = limit
	if before > 0 {
		where, args["before"] = append(where, `l.id < @before`), before
	}
	sql := `select ` + entryColumns + ` from audit_line l`
	if len(where) > 0 {
		sql += ` where ` + strings.Join(where, ` and `)
	}
	rows, err := db.Query(ctx, sql+` order by l.id desc limit @limit`, args)
	return collect(rows, err)
}

// where holds only what is asked for, so that each combination finds its index.
func (f Filter) where() (where []string, args pgx.NamedArgs) {
	args = pgx.NamedArgs{}
	add := func(when bool, sql, name string, value any) {
		if when {
			where, args[name] = append(where, sql), value
		}
	}
	add(f.Prefix != "", `l.action like @prefix`, "prefix", strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(f.Prefix)+"%")
	add(f.Accounts != nil, `l.account = any(@accounts)`, "accounts", f.Accounts)
	add(f.About.Kind != "", `l.id in (select a.line from audit_about a where a.kind = @kind and a.id = @id)`, "kind", f.About.Kind)
	args["id"] = f.About.ID
	add(!f.From.IsZero(), `l.at >= @from`, "from", f.From)
	add(!f.Until.IsZero(), `l.at < @until`, "until", f.Until)
	add(f.About.Kind == "" && !strings.HasPrefix(f.Prefix, "order."), `l.action <> @twin`, "twin", twin)
	if len(f.Words) > 0 {
		words := make([]string, len(f.Words))
		for i, w := range f.Words {
			words[i] = "%" + postgres.Like(escaped(w)) + "%"
		}
		add(true, `lower(l.detail::text) like all(@words)`, "words", words)
	}
	return where, args
}

// escaped is a word as the text of a detail holds it.
func escaped(word string) string {
	j, _ := json.Marshal(word)
	return strings.ToLower(string(j[1 : len(j)-1]))
}
