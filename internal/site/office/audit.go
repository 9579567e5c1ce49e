package office

import (
	"context"
	"net/http"
	"strconv"

	"petschaft/internal/audit"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// auditPage is how many lines stand on a page.
const auditPage = 50

// AuditLog shows who did what, newest first, as far as its action begins with
// what the filter says.
func (s *Section) AuditLog(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	filter := q.Get("action")
	lines, err := audit.Recent(ctx, s.DB, filter, max(0, before), auditPage+1)
	if err != nil {
		return err
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
	m := officeview.AuditModel{
		Areas: auditAreas(ctx, filter),
		Pager: auditView{filter, before}.list().Pager(page.T(ctx, "office.audit_shown", "n", len(lines)), before > 0, 0, next),
	}
	for i, e := range lines {
		m.Lines = append(m.Lines, s.auditRow(ctx, e, who[i], links[e.ID]))
	}
	return s.Show(w, r, http.StatusOK, officeview.AuditLog(s.OfficeFrame(r, page.T(ctx, "office.audit")), m))
}

// auditView is what of the log is shown: actions that begin with filter, before
// a line.
type auditView struct {
	filter string
	before int64
}

func (a auditView) list() page.List[auditView, int64] {
	return page.List[auditView, int64]{View: a, Base: paths.OfficeAudit, Pairs: auditView.pairs, Turn: func(a *auditView, before int64) { a.before = before }}
}

func (a auditView) pairs(add page.Add) {
	add("action", a.filter, a.filter != "")
	add("before", strconv.FormatInt(a.before, 10), a.before > 0)
}

// auditHref leads to all lines of an action.
func auditHref(action string) string {
	v := auditView{filter: action}
	return v.list().Href(v)
}

// auditAreas are the filters; a single action that was chosen is one more.
func auditAreas(ctx context.Context, filter string) []view.Chip {
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
	known, l := false, auditView{filter: filter}.list()
	for _, a := range areas {
		known = known || a.prefix == filter
		chips = append(chips, l.Chip(page.T(ctx, a.words), a.prefix == filter, func(v *auditView) { v.filter = a.prefix }))
	}
	if !known {
		chips = append(chips, l.Chip(page.ActionWords(ctx, filter), true, func(*auditView) {}))
	}
	return chips
}

func (s *Section) auditRow(ctx context.Context, e audit.Entry, who string, about []view.Link) officeview.AuditRow {
	row := officeview.AuditRow{
		When: view.At(ctx, e.At, s.Now()), Action: page.ActionWords(ctx, e.Action), ActionHref: auditHref(e.Action), Who: who, About: about,
		Details: page.DetailWords(ctx, e), Seal: view.StateModel{Kind: view.Good, Icon: view.IconLock, Word: page.T(ctx, "office.audit_sealed")},
	}
	if e.Account != nil {
		row.WhoHref = paths.OfficePerson(*e.Account)
	}
	if e.Origin != nil {
		row.From = e.Origin.String()
	}
	if !e.Sealed {
		row.Seal = view.StateModel{Kind: view.Open, Word: page.T(ctx, "office.audit_unsealed")}
	}
	return row
}
