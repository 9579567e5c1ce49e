package mailboxes

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/sheet"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// Domain is the table of a domain's rows.
func (s *Section) Domain(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Org.Domain(r.Context(), s.Actor(r), chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	return s.DomainPage(w, r, d, r.URL.Query(), nil)
}

// ticks are what was chosen in a table that is shown again.
type ticks struct {
	rows []string
	all  bool
	verb string
}

// DomainPage shows the table that q asks for, again when failed says why nothing
// could be done with the rows chosen in it.
func (s *Section) DomainPage(w http.ResponseWriter, r *http.Request, d org.EmailDomain, q url.Values, failed error) error {
	ctx, by, v := r.Context(), s.Actor(r), ReadView(q)
	rows, err := s.Mailbox.Rows(ctx, by, d, v)
	if fault.Is(err, fault.Missing) && v.Cursor != "" { // made up, or of another order
		v.Cursor = ""
		rows, err = s.Mailbox.Rows(ctx, by, d, v)
	}
	if err != nil {
		return err
	}
	n, err := s.Mailbox.Tally(ctx, d.ID)
	if err != nil {
		return err
	}
	work, err := s.Bulk.UnderWay(ctx, by, d)
	if err != nil {
		return err
	}
	again := ticks{rows: q["row"], all: q.Get("all") == "1", verb: q.Get("verb")}
	m := s.domainModel(ctx, d, v, rows, n, again)
	m.Work = s.bulkWork(ctx, work)
	f, status := s.Frame(r, d.Name.Unicode(), view.Link{Label: page.T(ctx, "nav.email_domains"), Href: paths.EmailDomains}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
		m.Fails = bulkFails(ctx, failed, m.Bulk != nil)
	}
	return s.Show(w, r, status, mailboxview.EmailDomain(f, m))
}

// shown is how many of a domain's rows v shows as long as nothing is searched for; of those
// in one status nobody knows how many are doubtful.
func shown(n mailbox.Tally, v mailbox.View) int64 {
	switch {
	case v.Doubtful && v.Status == "":
		return n.Doubtful
	case v.Status != "":
		return n.Of[v.Status]
	}
	return n.Sum()
}

func (s *Section) domainModel(ctx context.Context, d org.EmailDomain, v mailbox.View, p mailbox.Page, n mailbox.Tally, again ticks) mailboxview.EmailDomainModel {
	base, sum := paths.EmailDomain(d.Name), n.Sum()
	edits := mailbox.MayEditRows(d.Standing) == nil
	m := mailboxview.EmailDomainModel{
		Head:    view.HeadModel{Title: d.Name.Unicode(), Lead: page.T(ctx, "rows.lead", "group", d.GroupName)},
		Notices: s.domainNotices(ctx, d), Join: OfferJoin(ctx, d.Standing, d.Name), Chips: chips(ctx, base, v, n),
		Search: rowList(base, v).Search(page.T(ctx, "rows.search"), v.Text),
		Table:  rowsTable(ctx, base, v, edits), Bulks: paths.Bulks(d.Name),
	}
	if edits {
		m.Head.Actions = []view.ButtonModel{
			{Label: page.T(ctx, "rows.add"), Href: base + "/new", Kind: view.Primary, Icon: view.IconPlus},
			{Label: page.T(ctx, "import.title"), Href: base + "/imports"},
		}
	}
	if sum > 0 {
		m.Head.Actions = append(m.Head.Actions, view.ButtonModel{Label: page.T(ctx, "export.do"), Href: exportHref(base, v)})
	}
	if sum > sheet.MaxRows/2 { // one file may be too large to be imported again
		m.Head.Actions = append(m.Head.Actions, view.ButtonModel{Label: page.T(ctx, "export.parts"), Href: base + "/export.csv?format=parts"})
	}
	many := shown(n, v)
	if v.Text != "" {
		if !p.All {
			many = int64(p.Hits)
		}
		m.Found = page.T(ctx, "rows.hits", "n", many, "text", v.Text)
	}
	if m.Empty = noRows(ctx, base, v, p, sum, edits); m.Empty != nil {
		m.Found = ""
		return m
	}
	if edits {
		m.Bulk = bulkBar(ctx, d, v, max(many, int64(len(p.Rows))), again)
	}
	for i, row := range p.Rows {
		m.Rows = append(m.Rows, s.AddressLine(ctx, row, edits))
		if edits {
			m.Rows[i].Tick = tick(ctx, row, i, again)
		}
	}
	m.Pager = pager(ctx, base, v, p, many)
	return m
}

func (s *Section) domainNotices(ctx context.Context, d org.EmailDomain) []view.NoticeModel {
	switch {
	case d.Validation == org.ByMailbox:
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "rows.by_mailbox")}}
	case !d.Proven(s.Now()):
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "rows.lapsed")}}
	}
	return nil
}

func chips(ctx context.Context, base string, v mailbox.View, n mailbox.Tally) []view.Chip {
	l := rowList(base, v)
	chip := func(label string, st mailbox.Status, doubtful bool, n int64) view.Chip {
		c := l.Chip(label, v.Doubtful == doubtful && (doubtful || v.Status == st), func(v *mailbox.View) { v.Status, v.Doubtful = st, doubtful })
		c.Count = locale.From(ctx).Number(n)
		return c
	}
	all := []view.Chip{chip(page.T(ctx, "rows.all"), "", false, n.Sum())}
	for _, st := range mailbox.Statuses {
		if slices.Contains(rare, st) && n.Of[st] == 0 && v.Status != st {
			continue
		}
		all = append(all, chip(page.T(ctx, chipIDs[st]), st, false, n.Of[st]))
	}
	if n.Doubtful > 0 || v.Doubtful { // it is rare
		all = append(all, chip(page.T(ctx, "rows.doubtful"), "", true, n.Doubtful))
	}
	return all
}

func rowsTable(ctx context.Context, base string, v mailbox.View, edits bool) view.TableModel {
	l := rowList(base, v)
	sorted := func(by mailbox.Sort) view.Column {
		return l.Column(page.T(ctx, sortIDs[by]), v.Sort == by, v.Desc, func(v *mailbox.View, desc bool) { v.Sort, v.Desc = by, desc })
	}
	m := view.TableModel{Caption: page.T(ctx, "rows.caption"), Columns: []view.Column{
		sorted(mailbox.ByStatus), sorted(mailbox.ByName), sorted(mailbox.ByPrimary),
		{Label: page.T(ctx, "row.aliases")},
		{Label: page.T(ctx, "row.kind")},
		{Label: page.T(ctx, "row.linked")},
		sorted(mailbox.ByEnd), sorted(mailbox.ByComment),
	}}
	m.Columns[0].Tight = true
	if edits {
		m.Columns = append([]view.Column{{Label: page.T(ctx, "bulk.tick"), Quiet: true, Tight: true, Tick: true}}, m.Columns...)
		m.Columns = append(m.Columns, view.Column{Label: page.T(ctx, "row.actions"), Quiet: true, Tight: true})
	}
	return m
}

// Called names a row apart from those of people with the same name.
func Called(r mailbox.Row) string { return r.Name + " (" + string(r.Primary) + ")" }

// tick is the box of the row in place i; what is wrong with the choice is told
// at the first.
func tick(ctx context.Context, r mailbox.Row, i int, again ticks) *view.TickModel {
	m := &view.TickModel{ID: "f-row", Value: page.ID(r.ID), Label: page.T(ctx, "bulk.tick_row", "name", Called(r))}
	if i > 0 {
		m.ID = "row-" + m.Value
	}
	m.On = slices.Contains(again.rows, m.Value)
	return m
}

func (s *Section) AddressLine(ctx context.Context, r mailbox.Row, edits bool) mailboxview.AddressLine {
	l := mailboxview.AddressLine{
		State: RowState(ctx, r), Name: r.Name, Href: page.RowPath(r), Primary: string(r.Primary), Aliases: page.Addresses(r.Aliases),
		Kind: page.RowKind(ctx, r.Kind), Comment: r.Comment,
	}
	if r.LinkedName != nil {
		l.Linked, l.Unlike, l.Doubtful = *r.LinkedName, unlikeState(ctx, r), doubtState(ctx, r)
	}
	if r.CertificateEnd != nil {
		l.Ends = view.Ends(ctx, *r.CertificateEnd, s.Now())
	}
	if edits {
		l.Actions = icons(ctx, r)
	}
	return l
}

// icons are the steps of a row in the order of their places, which are the
// same in each line: send, edit, turn on or off, delete.
func icons(ctx context.Context, r mailbox.Row) []view.ButtonModel {
	icons := make([]view.ButtonModel, 4)
	for _, b := range buttons(ctx, r) {
		place := slices.Index([]view.Icon{view.IconMail, view.IconPencil, view.IconBan, view.IconBin}, b.Icon)
		if b.Icon == view.IconPlay {
			place = 2
		}
		if place >= 0 {
			b.IconOnly, b.About, b.Kind = true, Called(r), view.Plain
			icons[place] = b
		}
	}
	return icons
}

// RowState is where a row stands, with the time of it where the row knows.
func RowState(ctx context.Context, r mailbox.Row) view.StateModel {
	m := statusState(ctx, r.Status)
	if r.Status == mailbox.Confirmed && r.LinkedSince != nil {
		m.Since = locale.From(ctx).DateTime(*r.LinkedSince)
	}
	return m
}

// noRows says why there is nothing to see, nil when there is.
func noRows(ctx context.Context, base string, v mailbox.View, p mailbox.Page, sum int64, edits bool) *view.EmptyModel {
	all := &view.ButtonModel{Label: page.T(ctx, "rows.show_all"), Href: base}
	switch {
	case p.Many:
		return &view.EmptyModel{Title: page.T(ctx, "rows.many"), Text: page.T(ctx, "rows.many_text")}
	case len(p.Rows) > 0:
		return nil
	case v.Text != "":
		return &view.EmptyModel{Title: page.T(ctx, "rows.no_hit", "text", v.Text), Text: page.T(ctx, "rows.no_hit_text"), Action: all}
	case v.Doubtful && sum > 0:
		return &view.EmptyModel{Title: page.T(ctx, "rows.none_so", "status", page.T(ctx, "rows.doubtful")), Text: page.T(ctx, "rows.none_so_text"), Action: all}
	case v.Status != "" && sum > 0:
		return &view.EmptyModel{Title: page.T(ctx, "rows.none_so", "status", page.T(ctx, chipIDs[v.Status])), Text: page.T(ctx, "rows.none_so_text"), Action: all}
	case !edits:
		return &view.EmptyModel{Title: page.T(ctx, "rows.empty"), Text: page.T(ctx, "rows.empty_reader")}
	}
	return &view.EmptyModel{
		Title: page.T(ctx, "rows.empty"), Text: page.T(ctx, "rows.empty_text"),
		Action: &view.ButtonModel{Label: page.T(ctx, "rows.add_first"), Href: base + "/new"},
	}
}

func pager(ctx context.Context, base string, v mailbox.View, p mailbox.Page, of int64) view.PagerModel {
	l := rowList(base, v)
	m := l.Pager(page.T(ctx, "rows.shown", "shown", len(p.Rows), "n", max(of, int64(len(p.Rows)))), p.Prev != "", p.Prev, p.Next)
	m.Sizes = l.Sizes(v.Size, func(v *mailbox.View, size int) { v.Size = size })
	return m
}
