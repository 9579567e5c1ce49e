package bulk

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/bulkview"
)

// listing is which rows of a bulk are to be seen: those of one outcome,
// perhaps for one reason, behind a row.
type listing struct {
	show  bulk.Outcome
	why   string
	after mailbox.ID
}

func readListing(q url.Values) (l listing) {
	for _, o := range bulk.Outcomes {
		if q.Get("show") == string(o) {
			l.show = o
		}
	}
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	l.why, l.after = q.Get("why"), mailbox.ID(max(0, after))
	return l
}

// list is the list of x's rows as l shows it.
func (l listing) list(x bulk.Bulk) page.List[listing, mailbox.ID] {
	return page.List[listing, mailbox.ID]{
		View: l, Base: page.BulkPath(x), Pairs: listing.pairs, Place: listing.place, Turn: func(l *listing, after mailbox.ID) { l.after = after },
	}
}

func (l listing) pairs(add page.Add) {
	add("show", string(l.show), l.show != "")
	add("why", l.why, l.why != "")
	add("after", page.ID(l.after), l.after > 0)
}

func (l listing) place() string {
	if l == (listing{}) {
		return ""
	}
	return "#rows"
}

// onePage shows x, again when failed is not nil.
func (s *Section) onePage(w http.ResponseWriter, r *http.Request, x bulk.Bulk, failed error) error {
	ctx, by := r.Context(), s.Actor(r)
	reasons, err := s.Bulk.Reasons(ctx, x)
	if err != nil {
		return err
	}
	l := readListing(r.URL.Query())
	items, err := s.Bulk.Items(ctx, x, l.show, l.why, l.after, page.Sizes[0]+1)
	if err != nil {
		return err
	}
	m := s.oneModel(ctx, x)
	if x.State == bulk.Draft {
		if err := s.ask(ctx, by, x, r.PostFormValue("comment"), failed, &m); err != nil {
			return err
		}
	}
	leftOut(ctx, x, reasons, &m)
	rowsModel(ctx, x, l, items, &m)
	f := s.Frame(r, m.Head.Title, crumbs(ctx, x.DomainName)...)
	status := http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, bulkview.Page(f, m))
}

// oneModel is what a bulk is that was started.
func (s *Section) oneModel(ctx context.Context, x bulk.Bulk) bulkview.Model {
	m := bulkview.Model{Head: view.HeadModel{Title: page.BulkVerb(ctx, x.Verb)}}
	if x.Started == nil {
		return m
	}
	state := stateOf(ctx, x)
	state.Pill = true
	m.Head.State = &state
	m.Head.Lead = page.T(ctx, "bulk.started_by", "name", x.AccountName, "at", *x.Started)
	if x.Verb == bulk.Comment {
		m.What = append(m.What, commentWords(ctx, x.Comment))
	}
	switch x.State {
	case bulk.Running:
		p := s.progress(ctx, x)
		m.Progress = &p
		m.Again = page.BulkPath(x)
		if bulk.MayCancel(x) == nil {
			m.Cancel = &view.ButtonModel{Label: page.T(ctx, "bulk.cancel"), Action: page.BulkPath(x) + "/cancel"}
		}
	default:
		m.Notices = append(m.Notices, overModel(ctx, x))
	}
	return m
}

// overModel says how x ended.
func overModel(ctx context.Context, x bulk.Bulk) view.NoticeModel {
	n := view.NoticeModel{Kind: view.Good, Title: page.T(ctx, "bulk.over"), Text: resultWords(ctx, x)}
	if x.Count(bulk.LeftOut)+x.Failed > 0 {
		n.Kind = view.Info
	}
	if x.State != bulk.Cancelled {
		return n
	}
	n.Kind, n.Title = view.Warn, page.T(ctx, "bulk.cancelled")
	switch {
	case x.Reason != "":
		n.Title = page.T(ctx, "bulk.cancelled_because", "why", reasonID(ctx, x.Reason))
	case x.EndedBy != nil:
		n.Title = page.T(ctx, "bulk.cancelled_by", "name", *x.EndedBy)
	}
	return n
}

func (s *Section) progress(ctx context.Context, x bulk.Bulk) bulkview.ProgressModel {
	done, total := x.Worked(), x.Due
	m := bulkview.ProgressModel{Progress: view.ProgressModel{
		Label: page.BulkVerb(ctx, x.Verb), Text: page.T(ctx, "bulk.progress", "done", done, "n", total),
		Done: strconv.Itoa(done), Total: strconv.Itoa(total),
	}}
	if x.State != bulk.Running {
		m.Over = true
		return m
	}
	m.Refresh = page.BulkPath(x) + "/progress"
	if x.Verb == bulk.Challenge && x.Mails > 0 {
		m.More = page.T(ctx, "bulk.ready", "at", s.Bulk.Ready(x, s.Now()))
	}
	return m
}

// ask adds what a draft would do, and the form that starts it.
func (s *Section) ask(ctx context.Context, by person.Actor, x bulk.Bulk, typed string, failed error, m *bulkview.Model) error {
	m.Head.Title = askWords(ctx, x)
	if err := bulk.MayStart(by, x); err != nil {
		m.Head.Title = page.BulkVerb(ctx, x.Verb)
		m.Notices = append(m.Notices, view.NoticeModel{Kind: view.Info, Text: page.T(ctx, fault.Of(err).ID)})
		return nil
	}
	m.Form = &view.FormModel{
		Action: page.BulkPath(x) + "/start", Cancel: paths.EmailDomain(x.DomainName), Submit: view.ButtonModel{Label: page.BulkVerb(ctx, x.Verb)},
	}
	fields, whole := page.Wrong(ctx, failed)
	m.Whole = whole
	switch x.Verb {
	case bulk.Challenge:
		m.What = s.askChallenges(ctx, x)
	case bulk.Deactivate:
		m.What = []string{page.T(ctx, "bulk.what_deactivate"), page.T(ctx, "bulk.advice_deactivate")}
	case bulk.Activate:
		m.What = []string{page.T(ctx, "bulk.what_activate")}
	case bulk.Delete:
		m.What = []string{page.T(ctx, "bulk.what_delete")}
		m.Notices = append(m.Notices, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "step.delete_final")})
		m.Form.Submit.Kind = view.Danger
	case bulk.Comment:
		m.What = []string{page.T(ctx, "bulk.what_comment")}
		n, err := s.Bulk.Comments(ctx, x)
		if err != nil {
			return err
		}
		if n > 0 {
			m.Notices = append(m.Notices, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "bulk.comments_replaced", "n", n)})
		}
		m.Comment = &bulkview.Comment{Text: typed, Error: fields["comment"]}
	}
	return nil
}

func (s *Section) askChallenges(ctx context.Context, x bulk.Bulk) []string {
	what := []string{page.T(ctx, "bulk.mails", "n", x.Mails), page.T(ctx, "bulk.what_challenge")}
	if ready := s.Bulk.Ready(x, s.Now()); ready.Sub(s.Now()) > time.Minute {
		what = append(what, page.T(ctx, "bulk.ready_if_now", "at", ready))
	}
	return what
}

// leftOut adds the reasons for which rows are not among those that are done.
func leftOut(ctx context.Context, x bulk.Bulk, reasons []bulk.Group, m *bulkview.Model) {
	if x.LeftOut+x.Failed == 0 {
		return
	}
	m.Left = page.T(ctx, "bulk.left_out", "n", x.LeftOut+x.Failed)
	if x.State != bulk.Draft {
		m.Left = page.T(ctx, "bulk.not_done", "n", x.LeftOut+x.Failed)
	}
	for _, g := range reasons {
		to := listing{show: g.Outcome, why: g.Reason}
		m.Reasons = append(m.Reasons, view.Link{
			Label: page.T(ctx, "bulk.reason_count", "why", groupWords(ctx, g), "count", locale.From(ctx).Number(int64(g.N))), Href: to.list(x).Href(to),
		})
	}
}

// chips choose an outcome that there is.
func chips(ctx context.Context, x bulk.Bulk, l listing) (cs []view.Chip) {
	add := func(label string, o bulk.Outcome, n int) {
		c := l.list(x).Chip(label, o == l.show, func(l *listing) { l.show, l.why = o, "" })
		c.Count = locale.From(ctx).Number(int64(n))
		cs = append(cs, c)
	}
	add(page.T(ctx, "rows.all"), "", x.Total)
	for _, o := range bulk.Outcomes {
		if n := x.Count(o); n > 0 || o == l.show {
			add(outcomeState(ctx, x, o).Word, o, n)
		}
	}
	return cs
}

// pager leads on from items, of which one more than a page may be there.
func pager(ctx context.Context, x bulk.Bulk, l listing, items []bulk.Item) (view.PagerModel, []bulk.Item) {
	items, next := page.Cut(items, page.Sizes[0], func(i bulk.Item) mailbox.ID { return i.Row })
	count := x.Total
	if l.show != "" {
		count = x.Count(l.show)
	}
	shown := ""
	if l.why == "" {
		shown = page.T(ctx, "rows.shown", "shown", len(items), "n", max(count, len(items)))
	}
	return l.list(x).Pager(shown, l.after > 0, 0, next), items
}

// rowsModel adds the list of rows.
func rowsModel(ctx context.Context, x bulk.Bulk, l listing, items []bulk.Item, m *bulkview.Model) {
	m.Rows = page.T(ctx, "bulk.rows")
	m.Chips = chips(ctx, x, l)
	m.Table = view.TableModel{Caption: page.T(ctx, "bulk.rows"), Columns: []view.Column{
		{Label: page.T(ctx, "rows.status"), Tight: true},
		{Label: page.T(ctx, "rows.name")},
		{Label: page.T(ctx, "rows.primary")},
		{Label: page.T(ctx, "bulk.reason")},
	}}
	m.Pager, items = pager(ctx, x, l, items)
	for _, i := range items {
		line := bulkview.Line{State: outcomeState(ctx, x, i.Outcome), Name: i.Name, Address: string(i.Address), Reason: itemReason(ctx, i)}
		if i.There {
			line.Href = paths.Row(x.DomainName, i.Row)
		}
		m.Lines = append(m.Lines, line)
	}
	if len(items) == 0 {
		m.None = page.T(ctx, "bulk.rows_none")
		if x.Ended != nil && l.show == "" {
			m.None = page.T(ctx, "bulk.rows_forgotten")
		}
	}
}
