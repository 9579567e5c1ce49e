package cert

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// serverQuery builds the statement of one page.
type serverQuery struct {
	v      ServerView
	column string
	dir    string
	after  string // where the page begins; empty: at the start
	where  string // what the words ask for
	args   pgx.NamedArgs
}

func newServerQuery(v ServerView, at *postgres.Cursor) *serverQuery {
	sort := serverSorts[v.Sort]
	q := &serverQuery{v: v, column: sort.column, dir: "asc", args: pgx.NamedArgs{"limit": v.Size + 1, "organisation": v.Organisation}}
	cmp := ">"
	if v.Desc != (at != nil && at.Back) {
		cmp, q.dir = "<", "desc"
	}
	if at != nil {
		q.args["key"], q.args["id"] = at.Key, at.ID
		q.after = fmt.Sprintf(" and (c.%s, c.id) %s (@key::%s, @id)", q.column, cmp, sort.typ)
	}
	for i, w := range v.words() {
		q.word(fmt.Sprintf("w%d", i), w)
	}
	return q
}

// words are what is searched for; colons are those of serials and fingerprints.
func (v ServerView) words() []string {
	return text.Sought(strings.ReplaceAll(v.Text, ":", ""))
}

// word asks for w: a whole serial or fingerprint is looked up, anything else may
// stand anywhere in the certificate's words, or begin one when it is very short.
// Of a name with dots only its most telling label goes through the index: the
// others are in so many names that looking for them costs more than it saves.
func (q *serverQuery) word(arg, w string) {
	whole, err := hex.DecodeString(w)
	switch {
	case err == nil && len(whole) == 32:
		q.args[arg] = whole
		q.where += ` and c.fingerprint = @` + arg
	case err == nil && len(whole) == 16:
		q.args[arg] = whole
		q.where += ` and c.serial = @` + arg
	case len([]rune(w)) < 3:
		q.args[arg] = "% " + postgres.Like(w) + "%"
		q.where += ` and c.search like @` + arg
	default:
		l := label(w)
		q.args[arg] = "%" + postgres.Like(l) + "%"
		q.where += ` and c.search like @` + arg
		if l != w {
			q.args[arg+"_whole"] = w
			q.where += ` and position(@` + arg + `_whole in c.search) > 0`
		}
	}
}

// label is the first label of w that is long enough to tell something and no
// "www"; w itself where there is none.
func label(w string) string {
	for l := range strings.SplitSeq(w, ".") {
		if len([]rune(l)) >= 4 {
			return l
		}
	}
	return w
}

// organisations are those the page is of; empty for all.
func (q *serverQuery) organisations() string {
	switch {
	case q.v.Organisation != 0:
		return `select o.id from organisation o where o.id = @organisation and (@officer or ` + org.IsTechnicalContact + `)`
	case q.v.Office:
		return ``
	}
	return `select o.id from organisation o where ` + org.IsTechnicalContact
}

func (q *serverQuery) sql() string {
	from := q.scans()
	if q.where != "" {
		from = q.hits()
	}
	return fmt.Sprintf(`%s
		select p.key::text as key, p.hits, %s, ''::bytea as der, '{}'::bytea[] as chain, null::text as replaces
		from page p join certificate c on c.id = p.id join organisation o on o.id = c.organisation left join certificate n on n.id = c.replaced_by
		order by p.key %s, p.id %s`, from, serverListed, q.dir, q.dir)
}

// A phase that a job has not turned yet is looked at by its time: what is late is
// found by an index of its own and not where the job will put it. countsNow holds
// for all but a few of its phase; the sum keeps the planner, which cannot know
// that, from looking for them by their end and sorting them all.
const (
	countsNow = ` and c.not_after + interval '0' >= @now`
	lateSoon  = `c.phase = 'valid' and c.renewable <= @now and c.not_after >= @now`
	lateDue   = `c.phase = 'valid' and c.renewable <= @now and c.not_after >= @since`
	lateOver  = `c.not_after < @now`

	// lapsed is what was wanted, ended without a successor and may be renewed for some time yet;
	// what is from before the portal has one where a newer certificate has its names.
	lapsed = `c.phase = 'over' and c.not_after >= @since and c.revoked is null and not c.unwanted and c.replaced_by is null and not (c.imported is not null and ` + followed + `)`

	// followed tells of a certificate c that another one of its organisation, which
	// counts for longer, has all its names and is to stay. So written it is asked of each, and never
	// of all certificates at once.
	followed = `coalesce((select true from certificate f where f.organisation = c.organisation and f.phase in ('valid', 'ending')
		and f.common_name = any(c.names) and f.names @> c.names and f.not_after > c.not_after and f.not_after >= @now
			and f.revoking is null and not f.unwanted limit 1), false)`

	// notLong is countsNow with what may be renewed after its end, before a job turned it.
	notLong = ` and c.not_after + interval '0' >= @since`

	// mostLapsed is how many of these are shown beside what counts; all are over, too.
	mostLapsed = 300

	// mostLate bounds what is looked at that a job should have turned.
	mostLate = 10_000
)

// scans reads at most a page of each phase along its index and keeps the first
// page of them.
func (q *serverQuery) scans() string {
	late := func(what string) string {
		return fmt.Sprintf(`(select c.id, c.%s as key from late l join certificate c on c.id = l.id where %s%s%s order by c.%s %s, c.id %s limit @limit)`,
			q.column, what, q.ofOrganisations(), q.after, q.column, q.dir, q.dir)
	}
	var parts []string
	switch q.v.Which {
	case Valid:
		parts = []string{q.scan("valid", countsNow), q.scan("ending", countsNow)}
	case Ending:
		parts = []string{q.scan("ending", countsNow), late(lateSoon)}
	case Over:
		parts = []string{q.scan("over", ""), late(lateOver)}
	case Current:
		parts = []string{q.scan("valid", notLong), q.scan("ending", notLong), q.fromLapsed()}
	case Due:
		parts = []string{q.scan("ending", notLong), late(lateDue), q.fromLapsed()}
	default:
		parts = []string{q.scan("valid", ""), q.scan("ending", ""), q.scan("over", "")}
	}
	return fmt.Sprintf(`with late as materialized (
			select c.id from certificate c where c.turns <= @now order by c.turns limit %d
		), lapsed as materialized (%s), page as (
			select u.id, u.key, 0 as hits from (%s) u order by key %s, id %s limit @limit
		)`, mostLate, q.lapsed(), strings.Join(parts, " union all "), q.dir, q.dir)
}

func (q *serverQuery) scan(phase, where string) string {
	one := fmt.Sprintf(`select c.id, c.%s as key from certificate c where %%s c.phase = '%s'%s%s order by c.%s %s, c.id %s limit @limit`,
		q.column, phase, where, q.after, q.column, q.dir, q.dir)
	if of := q.organisations(); of != "" {
		return `(select s.id, s.key from (` + of + `) o cross join lateral (` + fmt.Sprintf(one, "c.organisation = o.id and") + `) s)`
	}
	return `(` + fmt.Sprintf(one, "c.organisation is not null and") + `)`
}

func (q *serverQuery) fromLapsed() string {
	return fmt.Sprintf(`(select c.id, c.%s as key from lapsed c where true%s order by c.%s %s, c.id %s limit @limit)`,
		q.column, q.after, q.column, q.dir, q.dir)
}

// lapsed are the newest of what ended without a successor, with what they are
// sorted and searched by: nothing is joined to them before they are few.
func (q *serverQuery) lapsed() string {
	one := fmt.Sprintf(`select c.id, c.not_after, c.common_name, c.issued, c.reference, c.search, c.serial, c.fingerprint
		from certificate c where %%s%s order by c.not_after desc limit %d`, lapsed, mostLapsed)
	of := q.organisations()
	if of == "" {
		return fmt.Sprintf(one, "c.organisation is not null and ")
	}
	return fmt.Sprintf(`select s.* from (%s) o cross join lateral (%s) s order by s.not_after desc limit %d`,
		of, fmt.Sprintf(one, "c.organisation = o.id and "), mostLapsed)
}

func (q *serverQuery) ofOrganisations() string {
	if of := q.organisations(); of != "" {
		return ` and c.organisation in (` + of + `)`
	}
	return ` and c.organisation is not null`
}

// hits sorts what a search finds, as long as that is not too much: then one row
// comes back for its count.
func (q *serverQuery) hits() string {
	within := ""
	if q.organisations() != "" {
		within = ` and c.organisation = any(@within)`
	}
	which := map[Which]string{
		Valid:   ` and c.phase <> 'over'` + countsNow,
		Ending:  ` and c.phase <> 'over' and c.renewable + interval '0' <= @now` + countsNow,
		Over:    ` and (c.phase = 'over' or c.not_after < @now)`,
		Current: ` and c.phase <> 'over'` + notLong,
		Due:     ` and c.phase <> 'over' and c.renewable + interval '0' <= @now` + notLong,
	}[q.v.Which]
	also := ""
	if q.v.Which == Current || q.v.Which == Due {
		also = fmt.Sprintf(` union all (select c.id, c.%s from (%s) c where true%s)`, q.column, q.lapsed(), q.where)
	}
	return fmt.Sprintf(`with hits as materialized (
			(select c.id, c.%s from certificate c where c.organisation is not null%s%s%s limit %d)%s
		), n as (
			select count(*)::int as hits from hits
		), page as (
			(select c.id, c.%s as key, n.hits from n, hits c where n.hits <= %d%s order by c.%s %s, c.id %s limit @limit)
			union all
			(select c.id, c.%s as key, n.hits from n, hits c where n.hits > %d limit 1)
		)`,
		q.column, within, which, q.where, MaxHits+1, also,
		q.column, MaxHits, q.after, q.column, q.dir, q.dir, q.column, MaxHits)
}
