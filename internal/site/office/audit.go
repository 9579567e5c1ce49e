package office

import (
	"context"
	"net/http"
	"net/url"
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
	more := len(lines) > auditPage
	lines = lines[:min(len(lines), auditPage)]
	who, err := s.WhoDid(ctx, lines)
	if err != nil {
		return err
	}
	links, err := s.concerns(ctx, s.Actor(r), lines, audit.Thing{})
	if err != nil {
		return err
	}
	m := officeview.AuditModel{Areas: auditAreas(ctx, filter), Pager: auditPager(ctx, auditView{filter, before}, lines, more)}
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

func (a auditView) href() string {
	v := url.Values{}
	if a.filter != "" {
		v.Set("action", a.filter)
	}
	if a.before > 0 {
		v.Set("before", strconv.FormatInt(a.before, 10))
	}
	if len(v) == 0 {
		return paths.OfficeAudit
	}
	return paths.OfficeAudit + "?" + v.Encode()
}

func (a auditView) list() page.List[auditView, int64] {
	return page.List[auditView, int64]{View: a, Href: auditView.href, Turn: func(a *auditView, before int64) { a.before = before }}
}

func auditPager(ctx context.Context, a auditView, lines []audit.Entry, more bool) view.PagerModel {
	next := int64(0)
	if more {
		next = lines[len(lines)-1].ID
	}
	return a.list().Pager(page.T(ctx, "office.audit_shown", "n", len(lines)), a.before > 0, 0, next)
}

// auditAreas are the filters; a single action that was chosen is one more.
func auditAreas(ctx context.Context, filter string) []view.Chip {
	areas := []struct{ prefix, words string }{
		{"", "office.audit_all"},
		{"mailbox.", "office.audit_mailbox"},
		{"bulk.", "bulk.list"},
		{"order.", "office.audit_order"},
		{"cert.", "office.audit_cert"},
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
		When: view.At(ctx, e.At, s.Now()), Action: page.ActionWords(ctx, e.Action), ActionHref: auditView{filter: e.Action}.href(), Who: who, About: about,
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
