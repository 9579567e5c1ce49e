package office

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"

	"petschaft/internal/audit"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// auditPage is how many lines stand on a page.
const auditPage = 50

// AuditLog shows who did what, newest first, as far as the filters let it.
func (s *Section) AuditLog(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), readAuditView(r)
	m := officeview.AuditModel{Form: v.form(), All: paths.OfficeAudit}
	filter, bad, err := s.auditFilter(ctx, s.Actor(r), v)
	if err != nil {
		return err
	}
	m.Form.FromError, m.Form.UntilError = bad.from, bad.until
	if m.Checked, err = s.auditChecked(ctx); err != nil {
		return err
	}
	var lines []audit.Entry
	if bad == (auditBad{}) {
		if lines, err = audit.Search(ctx, s.DB, filter, v.before, auditPage+1); err != nil {
			return err
		}
	}
	lines, next := page.Cut(lines, auditPage, func(e audit.Entry) int64 { return e.ID })
	who, err := s.WhoDid(ctx, lines)
	if err != nil {
		return err
	}
	links, err := s.concerns(ctx, s.Actor(r), lines, audit.Thing{})
	if err != nil {
		return err
	}
	m.Areas = auditAreas(ctx, v, links)
	m.Pager = v.list().Pager(page.T(ctx, "office.audit_shown", "n", len(lines)), v.before > 0, 0, next)
	if len(lines) > 0 {
		m.Export = v.exportHref()
	}
	for i, e := range lines {
		m.Lines = append(m.Lines, s.auditRow(ctx, v, e, who[i], links[e.ID]))
	}
	status := http.StatusOK
	if bad != (auditBad{}) {
		status = http.StatusUnprocessableEntity
	}
	return s.Show(w, r, status, officeview.AuditLog(s.OfficeFrame(r, page.T(ctx, "office.audit")), m))
}

// auditView is what of the log is shown: actions that begin with filter, by whom, about
// what, when, with which words, before a line.
type auditView struct {
	filter           string
	who, from, until string // as they were typed
	query            string
	about            audit.Thing
	before           int64
}

func readAuditView(r *http.Request) auditView {
	q := r.URL.Query()
	v := auditView{filter: q.Get("action"), who: strings.TrimSpace(q.Get("who")), from: strings.TrimSpace(q.Get("from")), until: strings.TrimSpace(q.Get("until")), query: strings.TrimSpace(q.Get("q"))}
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	v.before = max(0, before)
	if about := q.Get("about"); about != "" {
		kind, number, _ := strings.Cut(about, ":")
		id, _ := strconv.ParseInt(number, 10, 64)
		v.about = audit.Thing{Kind: cmp.Or(kind, "none"), ID: max(0, id)} // what nobody is called: no lines
	}
	for _, s := range []*string{&v.filter, &v.who, &v.from, &v.until, &v.query, &v.about.Kind} {
		*s = text.Line(*s)
	}
	return v
}

func (a auditView) list() page.List[auditView, int64] {
	return page.List[auditView, int64]{View: a, Base: paths.OfficeAudit, Pairs: auditView.pairs, Turn: func(a *auditView, before int64) { a.before = before }}
}

func (a auditView) pairs(add page.Add) {
	add("action", a.filter, a.filter != "")
	add("about", a.about.Kind+":"+page.ID(a.about.ID), a.about.Kind != "")
	add("who", a.who, a.who != "")
	add("from", a.from, a.from != "")
	add("until", a.until, a.until != "")
	add("q", a.query, a.query != "")
	add("before", strconv.FormatInt(a.before, 10), a.before > 0)
}

// exportHref leads to a file of all lines of the view.
func (a auditView) exportHref() string {
	a.before = 0
	l := a.list()
	l.Base = paths.OfficeAuditExport
	return l.Href(a)
}

func (a auditView) form() officeview.AuditForm {
	f := officeview.AuditForm{Query: a.query, Who: a.who, From: a.from, Until: a.until}
	if a.filter != "" {
		f.Hidden = append(f.Hidden, view.Hidden{Name: "action", Value: a.filter})
	}
	if a.about.Kind != "" {
		f.Hidden = append(f.Hidden, view.Hidden{Name: "about", Value: a.about.Kind + ":" + page.ID(a.about.ID)})
	}
	return f
}

// auditBad is what is wrong with days that were typed.
type auditBad struct{ from, until string }

// auditFilter is what the view asks for. Whom it asks for is found by name or
// address.
func (s *Section) auditFilter(ctx context.Context, by person.Actor, v auditView) (f audit.Filter, bad auditBad, err error) {
	f = audit.Filter{Prefix: v.filter, About: v.about, Words: text.Sought(v.query)}
	r := locale.From(ctx)
	if from := page.TypedDay(v.from); !from.IsZero() {
		f.From = r.Begins(from, 0)
	} else if v.from != "" {
		bad.from = page.T(ctx, "office.audit_day")
	}
	if until := page.TypedDay(v.until); !until.IsZero() {
		f.Until = r.Begins(until, 1)
	} else if v.until != "" {
		bad.until = page.T(ctx, "office.audit_day")
	}
	if !f.From.IsZero() && !f.Until.IsZero() && !f.From.Before(f.Until) {
		bad.until = page.T(ctx, "office.audit_days")
	}
	if v.who == "" {
		return f, bad, nil
	}
	found, _, err := s.People.Search(ctx, by, v.who)
	f.Accounts = []int64{}
	for _, a := range found {
		f.Accounts = append(f.Accounts, int64(a.ID))
	}
	return f, bad, err
}

// auditAreas are the filters; a single action that was chosen is one more, and so
// is a thing.
func auditAreas(ctx context.Context, v auditView, links map[int64][]concern) []view.Chip {
	areas := []struct{ prefix, words string }{
		{"", "office.audit_all"},
		{"mailbox.", "office.audit_mailbox"},
		{"bulk.", "bulk.list"},
		{"order.", "office.audit_order"},
		{"cert.", "office.audit_cert"},
		{"compromise.", "office.audit_compromise"},
		{"org.", "office.audit_org"},
		{"person.", "office.audit_person"},
		{"signin.", "office.audit_signin"},
		{"token.", "office.audit_tokens"},
		{"mail.", "office.audit_mail"},
		{"queue.", "office.audit_queue"},
	}
	var chips []view.Chip
	known, l := false, v.list()
	for _, a := range areas {
		known = known || a.prefix == v.filter
		chips = append(chips, l.Chip(page.T(ctx, a.words), a.prefix == v.filter, func(v *auditView) { v.filter = a.prefix }))
	}
	if !known {
		chips = append(chips, l.Chip(page.ActionWords(ctx, v.filter), true, func(*auditView) {}))
	}
	if v.about.Kind != "" {
		label := page.T(ctx, "office.audit_thing")
		for _, all := range links {
			for _, c := range all {
				if c.of == v.about {
					label = c.Label
				}
			}
		}
		chips = append(chips, l.Chip(label+" ×", true, func(v *auditView) { v.about = audit.Thing{} }))
	}
	return chips
}

// auditRow shows e; its links lead to more of the same within v.
func (s *Section) auditRow(ctx context.Context, v auditView, e audit.Entry, who string, about []concern) officeview.AuditRow {
	row := officeview.AuditRow{
		When: view.AtSecond(ctx, e.At, s.Now()), Action: page.ActionWords(ctx, e.Action), Who: who, Details: page.DetailWords(ctx, e),
		ActionHref: v.list().To(func(v *auditView) { v.filter = e.Action }),
	}
	for _, c := range about {
		row.About = append(row.About, officeview.AuditThing{Link: c.Link, Only: v.list().To(func(v *auditView) { v.about = c.of })})
	}
	if e.Account != nil {
		row.WhoHref = paths.OfficePerson(*e.Account)
	}
	if e.Origin != nil {
		row.From = e.Origin.String()
	}
	if !e.Sealed {
		row.Unsealed = &view.StateModel{Kind: view.Open, Word: page.T(ctx, "office.audit_unsealed")}
	}
	return row
}
