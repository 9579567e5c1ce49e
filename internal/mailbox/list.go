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
	"petschaft/internal/text"
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

// sorts are the columns behind them, and the type a cursor's key is read as.
// Each has an index (domain, status, column, id).
var sorts = map[Sort]struct{ column, typ string }{
	ByName:    {"name", "text"},
	ByStatus:  {"name", "text"},
	ByPrimary: {"primary_address", "text"},
	ByEnd:     {"certificate_end", "timestamptz"},
	ByComment: {"comment_key", "text"},
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
	q := newPageQuery(v, at)
	q.args = org.Scope(by, q.args)
	q.args["domain"] = d.ID
	type keyed struct {
		Row
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
	p := Page{}
	if len(found) > 0 {
		p.Hits = found[0].Hits
	}
	if p.Many = p.Hits > MaxHits; p.Many {
		return p, nil
	}
	found, p.Prev, p.Next = postgres.Cut(found, v.Size, at, func(k keyed) postgres.Cursor {
		return postgres.Cursor{Key: k.Key, ID: int64(k.ID), Part: string(k.Status)}
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

func newPageQuery(v View, at *postgres.Cursor) *pageQuery {
	q := &pageQuery{v: v, at: at, column: sorts[v.Sort].column, cmp: ">", dir: "asc", args: pgx.NamedArgs{"limit": v.Size + 1}}
	if v.Desc != (at != nil && at.Back) {
		q.cmp, q.dir = "<", "desc"
	}
	if at != nil {
		q.args["key"], q.args["id"] = at.Key, at.ID
	}
	for i, w := range words(v.Text) {
		arg := fmt.Sprintf("w%d", i)
		q.args[arg] = w
		q.matches += ` and r.search like @` + arg
	}
	return q
}

// maxWords bounds the words of one search.
const maxWords = 6

// words turns what somebody typed into patterns over address_row.search: a word
// of three and more characters may stand anywhere, a shorter one begins a word.
func words(sought string) []string {
	fields := strings.FieldsFunc(strings.ToLower(text.Line(sought)), func(r rune) bool { return strings.ContainsRune(".,;:-_+/()\"'@ ", r) })
	var patterns []string
	for _, w := range fields[:min(len(fields), maxWords)] {
		p := "%" + postgres.Like(w) + "%"
		if len([]rune(w)) < 3 {
			p = "% " + postgres.Like(w) + "%"
		}
		patterns = append(patterns, p)
	}
	return patterns
}

// statuses are those the page can show, in the order it shows them.
func (q *pageQuery) statuses() []Status {
	if q.v.Status != "" {
		return []Status{q.v.Status}
	}
	all := slices.Clone(Statuses[:])
	if q.v.Sort != ByStatus {
		return all
	}
	if q.dir == "desc" {
		slices.Reverse(all)
	}
	if q.at != nil {
		if i := slices.Index(all, Status(q.at.Part)); i > 0 {
			all = all[i:]
		}
	}
	return all
}

func (q *pageQuery) sql() string {
	order := fmt.Sprintf("%s %s, id %s", "key", q.dir, q.dir)
	if q.v.Sort == ByStatus {
		order = "rank, " + order
	}
	from := q.scans(order)
	if q.matches != "" {
		from = q.hits(order)
	}
	return from + `
		select p.key::text as key, p.hits, ` + rowColumns + `
		from page p join address_row r on r.id = p.id join email_domain d on d.id = r.domain
		join contact_group g0 on g0.id = d.contact_group
		left join link l on l.row_id = r.id left join account la on la.id = l.account
		order by ` + strings.NewReplacer("rank", "p.rank", "key", "p.key", "id", "p.id").Replace(order)
}

// scans reads at most a page from each status along its index and keeps the
// first page of them.
func (q *pageQuery) scans(order string) string {
	var parts []string
	for i, s := range q.statuses() {
		from := ""
		if q.at != nil && (q.v.Sort != ByStatus || string(s) == q.at.Part) {
			from = fmt.Sprintf("and (r.%s, r.id) %s (@key::%s, @id)", q.column, q.cmp, sorts[q.v.Sort].typ)
		}
		parts = append(parts, fmt.Sprintf(`(select %d as rank, r.id, r.%s as key, 0 as hits from address_row r
			where r.domain = @domain and r.status = '%s'%s %s order by r.%s %s, r.id %s limit @limit)`,
			i, q.column, s, q.v.only(), from, q.column, q.dir, q.dir))
	}
	return `with page as (select * from (` + strings.Join(parts, " union all ") + `) u order by ` + order + ` limit @limit)`
}

// hits sorts what a search finds, as long as that is not too much: then one row
// comes back for its count.
func (q *pageQuery) hits(order string) string {
	where := ""
	if q.v.Status != "" {
		where = fmt.Sprintf(" and r.status = '%s'", q.v.Status)
	}
	where += q.v.only()
	ranks := "array['" + strings.Join(strs(q.statuses()), "','") + "']"
	after := "true"
	if q.at != nil {
		after = fmt.Sprintf("(key, id) %s (@key::%s, @id)", q.cmp, sorts[q.v.Sort].typ)
		if q.v.Sort == ByStatus {
			after = fmt.Sprintf("(rank > 1 or rank = 1 and %s)", after)
		}
	}
	return fmt.Sprintf(`with hits as materialized (
			select array_position(%s, r.status::text) as rank, r.id, r.%s as key from address_row r
			where r.domain = @domain%s%s limit %d
		), n as (
			select count(*)::int as hits from hits
		), page as (
			(select h.rank, h.id, h.key, n.hits from n, hits h where n.hits <= %d and %s order by %s limit @limit)
			union all
			(select h.rank, h.id, h.key, n.hits from n, hits h where n.hits > %d limit 1)
		)`,
		ranks, q.column, where, q.matches, MaxHits+1, MaxHits, after, order, MaxHits)
}

func strs(ss []Status) []string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = string(s)
	}
	return out
}
