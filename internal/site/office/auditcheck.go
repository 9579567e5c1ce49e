package office

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// auditOverdue is when the hourly check should have come again.
const auditOverdue = 3 * time.Hour

// auditBroken are the words for what can be wrong with the record.
var auditBroken = map[audit.Kind]string{
	audit.Gap: "office.audit_gap", audit.Missing: "office.audit_missing", audit.Detailed: "office.audit_altered", audit.Altered: "office.audit_altered",
	audit.Rewritten: "office.audit_rewritten", audit.Cut: "office.audit_cut", audit.Forged: "office.audit_forged", audit.Unsigned: "office.audit_unsigned",
	audit.OtherKey: "office.audit_otherkey", audit.Stray: "office.audit_stray", audit.Late: "office.audit_late", audit.Twice: "office.audit_twice", audit.Gone: "office.audit_gone",
}

// auditChecked says how far the record was checked, or where it is broken.
func (s *Section) auditChecked(ctx context.Context) (view.NoticeModel, error) {
	w, err := audit.Watch(ctx, s.DB)
	if err != nil {
		return view.NoticeModel{}, err
	}
	l, now := locale.From(ctx), s.Now()
	switch {
	case w.Broken != nil:
		return view.NoticeModel{
			Kind: view.Bad, Title: page.T(ctx, "office.audit_broken", "since", l.DateTime(w.Since)),
			Text: page.T(ctx, cmp.Or(auditBroken[w.Broken.Kind], "office.audit_task"), "seal", l.Number(w.Broken.Seq), "line", l.Number(w.Broken.Line)) + " " + page.T(ctx, "office.audit_broken_next"),
		}, nil
	case w.At == nil:
		return view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "office.audit_unchecked")}, nil
	case now.Sub(*w.At) > auditOverdue:
		return view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "office.audit_overdue", "when", l.DateTime(*w.At), "seal", l.Number(w.Seq))}, nil
	}
	return view.NoticeModel{Kind: view.Good, Text: page.T(ctx, "office.audit_checked", "when", l.DateTime(*w.At), "seal", l.Number(w.Seq))}, nil
}

// auditTasks is the task to find out why the record is broken.
func (s *Section) auditTasks(ctx context.Context, _ person.Actor) ([]view.Task, error) {
	w, err := audit.Watch(ctx, s.DB)
	if err != nil || w.Broken == nil {
		return nil, err
	}
	return []view.Task{{Kind: view.Bad, Text: page.T(ctx, "office.audit_task"), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeAudit}}}, nil
}

// auditFilePage is how many lines of a file are read at once.
const auditFilePage = 5000

// AuditExport sends all lines that the filters let through as a file of cells, for
// people; what can be verified without the portal the command `audit export` writes.
func (s *Section) AuditExport(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	filter, bad, err := s.auditFilter(ctx, s.Actor(r), readAuditView(r))
	if err != nil {
		return err
	}
	if bad != (auditBad{}) {
		http.Redirect(w, r, paths.OfficeAudit+"?"+r.URL.RawQuery, http.StatusSeeOther)
		return nil
	}
	return s.Send(w, r, page.CellFile("audit", r.URL.Query().Get("format"), func(ctx context.Context, f page.Cells) error {
		head := []string{
			page.T(ctx, "office.audit_line"), page.T(ctx, "office.audit_when"), page.T(ctx, "office.audit_action"), page.T(ctx, "office.audit_name"),
			page.T(ctx, "office.audit_who"), page.T(ctx, "office.audit_address"), page.T(ctx, "office.audit_about"), page.T(ctx, "office.audit_details"),
		}
		if err := f.Write(head...); err != nil {
			return err
		}
		for before := int64(0); ; {
			lines, err := audit.Search(ctx, s.DB, filter, before, auditFilePage)
			if err != nil || len(lines) == 0 {
				return err
			}
			if err := s.auditCells(ctx, f, lines); err != nil {
				return err
			}
			before = lines[len(lines)-1].ID
		}
	}))
}

func (s *Section) auditCells(ctx context.Context, f page.Cells, lines []audit.Entry) error {
	who, err := s.WhoDid(ctx, lines)
	if err != nil {
		return err
	}
	about, err := audit.Things(ctx, s.DB, lines)
	if err != nil {
		return err
	}
	for i, e := range lines {
		var things []string
		for _, x := range about[e.ID] {
			things = append(things, x.Kind+":"+page.ID(x.ID))
		}
		origin, detail := "", []byte(nil)
		if e.Origin != nil {
			origin = e.Origin.String()
		}
		if e.Detail != nil {
			if detail, err = json.Marshal(e.Detail); err != nil {
				return err
			}
		}
		if err := f.Write(strconv.FormatInt(e.ID, 10), e.At.UTC().Format(time.RFC3339), page.ActionWords(ctx, e.Action), e.Action, who[i], origin, strings.Join(things, " "), string(detail)); err != nil {
			return err
		}
	}
	return nil
}
