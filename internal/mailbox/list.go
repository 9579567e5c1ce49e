package mailbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Sort is what the table is ordered by.
type Sort string

const (
	ByName    Sort = "name"
	ByPrimary Sort = "primary"
	ByStatus  Sort = "status"
	ByEnd     Sort = "end"
	ByComment Sort = "comment"
)

// sorts are the columns behind them, the type a cursor's key is read as, and what
// stands for an empty value: the greatest there is. Each has an index (domain,
// status, column, id).
var sorts = map[Sort]struct{ column, typ, empty string }{
	ByName:    {"name", "text", ""},
	ByStatus:  {"name", "text", ""},
	ByPrimary: {"primary_address", "text", ""},
	ByEnd:     {"certificate_end", "timestamptz", "infinity"},
	ByComment: {"comment_key", "text", "2"},
}

// View is what of a domain's rows somebody wants to see. The zero value is the
// first page of all rows by name.
type View struct {
	Status   Status // empty: every status
	Doubtful bool   // only rows with a doubtful link
	Text     string // words to search for
	Sort     Sort
	Desc     bool
	Size     int    // rows a page; 0 means 50, at most 200
	Cursor   string // of a page returned before; empty: from the start

	// What else selects rows for Each and Export; Rows does not look at it.
	IDs  []ID  // only these, unless nil
	Only Query // only those that this condition on a row r and its domain d holds of, if it has any
}

// MaxHits is how many hits a search sorts; with more it asks to be narrowed.
const MaxHits = 1000

// Page is one page of a view. Prev and Next are cursors, empty at the ends.
type Page struct {
	Rows []Row
	Prev string
	Next string
	Hits int  // of a search
	All  bool // nothing is searched for, or what holds of every row of the domain
	Many bool // more than MaxHits: Rows is empty
}

// only is what v asks of a row r besides its status and words.
func (v View) only() string {
	if v.Doubtful {
		return ` and r.doubtful`
	}
	return ""
}

func (v *View) defaults() {
	if _, ok := sorts[v.Sort]; !ok {
		v.Sort = ByName
	}
	if !slices.Contains(Statuses[:], v.Status) {
		v.Status = ""
	}
	if v.Size <= 0 {
		v.Size = 50
	}
	v.Size = min(v.Size, 200)
}

// Rows returns a page of the domain's rows. Its time does not depend on how many
// rows the domain has or how deep the page lies: it reads along an index from a
// key, one short scan for each status.
func (b *Book) Rows(ctx context.Context, by person.Actor, d org.EmailDomain, v View) (Page, error) {
	v.defaults()
	at, err := postgres.ParseCursor(v.Cursor)
	if err != nil {
		return Page{}, err
	}
	q := newPageQuery(d, v, at)
	q.args = org.Scope(by, q.args)
	type keyed struct {
		Row
		Part int
		Key  string
		Hits int
	}
	rows, err := b.DB.Query(ctx, q.sql(), q.args)
	if err != nil {
		return Page{}, fmt.Errorf("list rows: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[keyed])
	if err != nil {
		return Page{}, fmt.Errorf("list rows: %w", q.at.Fault(err))
	}
	p := Page{All: q.matches == ""}
	if len(found) > 0 {
		p.Hits = found[0].Hits
	}
	if p.Many = p.Hits > MaxHits; p.Many {
		return p, nil
	}
	found, p.Prev, p.Next = postgres.Cut(found, v.Size, at, func(k keyed) postgres.Cursor {
		return postgres.Cursor{Key: k.Key, ID: int64(k.ID), Part: q.parts()[k.Part].name}
	})
	for _, k := range found {
		p.Rows = append(p.Rows, k.Row)
	}
	return p, nil
}

// pageQuery builds the statement of one page.
type pageQuery struct {
	v       View
	at      *postgres.Cursor
	column  string
	cmp     string
	dir     string
	args    pgx.NamedArgs
	matches string
}

func newPageQuery(d org.EmailDomain, v View, at *postgres.Cursor) *pageQuery {
	q := &pageQuery{v: v, at: at, column: sorts[v.Sort].column, cmp: ">", dir: "asc", args: pgx.NamedArgs{"domain": d.ID, "limit": v.Size + 1}}
	if v.Desc != (at != nil && at.Back) {
		q.cmp, q.dir = "<", "desc"
	}
	if at != nil {
		q.args["key"], q.args["id"] = at.Key, at.ID
	}
	q.matches = sought(v.Text, d.Name, q.args)
	return q
}

// part is a stretch of the list: what a cursor calls it, and what holds of its rows.
type part struct{ name, where string }

// parts are those that the page can have rows of, in their order, from the
// cursor's on: one for each status where the list is sorted by it. What is empty
// comes last also where the greatest comes first, and is a part of its own then.
func (q *pageQuery) parts() []part {
	empty, back := sorts[q.v.Sort].empty, q.at != nil && q.at.Back
	all := []part{{where: "true"}}
	switch {
	case q.v.Sort == ByStatus:
		all, back = nil, q.dir == "desc"
		for _, s := range q.statuses() {
			all = append(all, part{string(s), fmt.Sprintf("r.state = '%s'", s)})
		}
	case empty != "" && q.v.Desc:
		all = []part{{"", fmt.Sprintf("r.%s < '%s'", q.column, empty)}, {"empty", fmt.Sprintf("r.%s = '%s'", q.column, empty)}}
	}
	if back {
		slices.Reverse(all)
	}
	if q.at == nil {
		return all
	}
	return all[max(0, slices.IndexFunc(all, func(p part) bool { return p.name == q.at.Part })):]
}

// statuses are those of the rows to be seen.
func (q *pageQuery) statuses() []Status {
	if q.v.Status != "" {
		return []Status{q.v.Status}
	}
	return Statuses[:]
}

func (q *pageQuery) sql() string {
	order := fmt.Sprintf("part, key %s, id %s", q.dir, q.dir)
	from := q.scans(order)
	if q.matches != "" {
		from = q.hits(order)
	}
	return from + `
		select p.part, p.key::text as key, p.hits, ` + rowColumns + `
		from page p join address_row r on r.id = p.id join email_domain d on d.id = r.domain
		join contact_group g0 on g0.id = d.contact_group
		left join link l on l.row_id = r.id left join account la on la.id = l.account
		order by ` + strings.NewReplacer("part", "p.part", "key", "p.key", "id", "p.id").Replace(order)
}

// scans reads at most a page from each status in each part along its index and
// keeps the first page of them.
func (q *pageQuery) scans(order string) string {
	var all []string
	for i, p := range q.parts() {
		from := ""
		if q.at != nil && p.name == q.at.Part {
			from = fmt.Sprintf("and (r.%s, r.id) %s (@key::%s, @id)", q.column, q.cmp, sorts[q.v.Sort].typ)
		}
		for _, s := range q.statuses() {
			if q.v.Sort == ByStatus && p.name != string(s) {
				continue
			}
			all = append(all, fmt.Sprintf(`(select %d as part, r.id, r.%s as key, 0 as hits from address_row r
				where r.domain = @domain and r.state = '%s' and %s%s %s order by r.%s %s, r.id %s limit @limit)`,
				i, q.column, s, p.where, q.v.only(), from, q.column, q.dir, q.dir))
		}
	}
	return `with page as (select * from (` + strings.Join(all, " union all ") + `) u order by ` + order + ` limit @limit)`
}

// hits sorts what a search finds, as long as that is not too much: then one row
// comes back for its count.
func (q *pageQuery) hits(order string) string {
	where := q.v.only()
	if q.v.Status != "" {
		where += fmt.Sprintf(" and r.state = '%s'", q.v.Status)
	}
	number, after := "case", "part is not null"
	for i, p := range q.parts() {
		number += fmt.Sprintf(" when %s then %d", p.where, i)
		if q.at != nil && p.name == q.at.Part {
			after = fmt.Sprintf("(part > %d or part = %d and (key, id) %s (@key::%s, @id))", i, i, q.cmp, sorts[q.v.Sort].typ)
		}
	}
	return fmt.Sprintf(`with hits as materialized (
			select %s end as part, r.id, r.%s as key from address_row r
			where r.domain = @domain%s%s limit %d
		), n as (
			select count(*)::int as hits from hits
		), page as (
			(select h.part, h.id, h.key, n.hits from n, hits h where n.hits <= %d and %s order by %s limit @limit)
			union all
			(select 0, h.id, h.key, n.hits from n, hits h where n.hits > %d limit 1)
		)`,
		number, q.column, where, q.matches, MaxHits+1, MaxHits, after, order, MaxHits)
}
