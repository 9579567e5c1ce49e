package order_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// TestHowManyCertificatesAKeyHasCostsAnOrderNothing: a server that renews with its old
// key each week has hundreds.
func TestHowManyCertificatesAKeyHasCostsAnOrderNothing(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	c := h.issued(t, "www.uni.example")
	o := h.approved(t, "www.uni.example") // by the same key
	var columns string
	h.ok(t, h.db.QueryRow(t.Context(), `select string_agg(quote_ident(attname), ', ') from pg_attribute
		where attrelid = 'certificate'::regclass and attnum > 0 and not attisdropped and attname not in ('id', 'reference', 'serial', 'fingerprint', 'search', 'server_order')`).Scan(&columns))
	h.exec(t, `insert into certificate (reference, serial, fingerprint, search, server_order, `+columns+`)
		select 'N' || n, decode(lpad(to_hex(n), 8, '0'), 'hex'), sha256(n::text::bytea), ' n' || n, 1000000 + n, `+columns+` from certificate, generate_series(1, 1000) n where certificate.id = $1`, c.ID)
	h.exec(t, `analyze certificate`)
	rows, err := h.db.Query(t.Context(), `explain (analyze, format json) select `+order.KnownColumns()+` from server_order s where s.id = @id`,
		org.Scope(person.Actor{Officer: true}, pgx.NamedArgs{"id": o.ID}))
	h.ok(t, err)
	plan, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte])
	h.ok(t, err)
	var all any
	h.ok(t, json.Unmarshal(plan, &all))
	if n := read(all); n > 20 {
		t.Errorf("got %v certificates read, want a few however many there are:\n%s", n, plan)
	}
}

// read is how many certificates a plan read.
func read(plan any) (n float64) {
	switch p := plan.(type) {
	case []any:
		for _, x := range p {
			n += read(x)
		}
	case map[string]any:
		if name, _ := p["Index Name"].(string); p["Relation Name"] == "certificate" || strings.HasPrefix(name, "certificate") {
			for _, key := range []string{"Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"} {
				rows, _ := p[key].(float64)
				loops, _ := p["Actual Loops"].(float64)
				n += rows * loops
			}
		}
		for _, x := range p {
			n += read(x)
		}
	}
	return n
}
