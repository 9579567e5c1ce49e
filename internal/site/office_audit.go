package site

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"petschaft/internal/audit"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// auditPage is how many lines stand on a page.
const auditPage = 50

// auditLog shows who did what, newest first, as far as its action begins with
// what the filter says.
func (s *Site) auditLog(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	filter := q.Get("action")
	lines, err := audit.Recent(ctx, s.DB, filter, max(0, before), auditPage+1)
	if err != nil {
		return err
	}
	more := len(lines) > auditPage
	lines = lines[:min(len(lines), auditPage)]
	who, err := s.whoDid(ctx, lines)
	if err != nil {
		return err
	}
	links, err := s.concerns(ctx, s.actor(r), lines, audit.Thing{})
	if err != nil {
		return err
	}
	m := officeview.AuditModel{Areas: auditAreas(ctx, filter), Pager: auditPager(ctx, filter, before, lines, more)}
	for i, e := range lines {
		m.Lines = append(m.Lines, s.auditRow(ctx, e, who[i], links[e.ID]))
	}
	return s.show(w, r, http.StatusOK, officeview.AuditLog(s.officeFrame(r, t(ctx, "office.audit")), m))
}

func auditPager(ctx context.Context, filter string, before int64, lines []audit.Entry, more bool) view.PagerModel {
	m := view.PagerModel{Shown: t(ctx, "office.audit_shown", "n", len(lines))}
	if before > 0 {
		m.First = auditPath(filter, 0)
	}
	if more {
		m.Next = auditPath(filter, lines[len(lines)-1].ID)
	}
	return m
}

func auditPath(filter string, before int64) string {
	v := url.Values{}
	if filter != "" {
		v.Set("action", filter)
	}
	if before > 0 {
		v.Set("before", strconv.FormatInt(before, 10))
	}
	if len(v) == 0 {
		return paths.OfficeAudit
	}
	return paths.OfficeAudit + "?" + v.Encode()
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
	known := false
	for _, a := range areas {
		known = known || a.prefix == filter
		chips = append(chips, view.Chip{Label: t(ctx, a.words), Href: auditPath(a.prefix, 0), Current: a.prefix == filter})
	}
	if !known {
		chips = append(chips, view.Chip{Label: actionWords(ctx, filter), Href: auditPath(filter, 0), Current: true})
	}
	return chips
}

func (s *Site) auditRow(ctx context.Context, e audit.Entry, who string, about []view.Link) officeview.AuditRow {
	row := officeview.AuditRow{
		When: view.At(ctx, e.At, s.Now()), Action: actionWords(ctx, e.Action), ActionHref: auditPath(e.Action, 0), Who: who, About: about,
		Details: detailWords(ctx, e), Seal: view.StateModel{Kind: view.Good, Icon: view.IconLock, Word: t(ctx, "office.audit_sealed")},
	}
	if e.Account != nil {
		row.WhoHref = paths.OfficePerson(*e.Account)
	}
	if e.Origin != nil {
		row.From = e.Origin.String()
	}
	if !e.Sealed {
		row.Seal = view.StateModel{Kind: view.Open, Word: t(ctx, "office.audit_unsealed")}
	}
	return row
}
