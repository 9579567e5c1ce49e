package servers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/serverview"
)

// sorts are the columns a list of server certificates can be sorted by.
var sorts = map[cert.ServerSort]string{
	cert.ByReference: "cert.reference", cert.ByName: "server.name", cert.ByIssued: "server.issued", cert.ByEnd: "cert.until",
}

var (
	whiches    = [...]cert.Which{cert.Current, cert.Due, cert.Over, cert.All}
	whichWords = map[cert.Which]string{
		cert.Current: "server.which_current", cert.Due: "server.which_due", cert.Over: "server.which_over", cert.All: "server.which_all",
	}
	whichNone = map[cert.Which]string{
		cert.Current: "server.none_valid", cert.Due: "server.none_due", cert.Over: "server.none_over", cert.All: "server.none_at_all",
	}
)

// readView reads what is to be seen of a list; what it does not know falls
// back to the default.
func readView(q url.Values) cert.ServerView {
	v := cert.ServerView{
		Which: cert.Which(q.Get("which")), Text: strings.TrimSpace(q.Get("q")), Sort: cert.ServerSort(q.Get("sort")),
		Desc: q.Get("desc") == "1", Size: page.Sizes[0], Cursor: q.Get("at"),
	}
	switch {
	case v.Which == cert.Ending: // as mails say
		v.Which = cert.Due
	case !slices.Contains(whiches[:], v.Which):
		v.Which = cert.Current
	}
	if sorts[v.Sort] == "" {
		v.Sort = cert.ByEnd
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil && slices.Contains(page.Sizes[:], n) {
		v.Size = n
	}
	if n, err := strconv.ParseInt(q.Get("organisation"), 10, 64); err == nil && n > 0 {
		v.Organisation = org.OrganisationID(n)
	}
	return v
}

func viewBase(v cert.ServerView) string {
	if v.Office {
		return paths.OfficeServers
	}
	return paths.Certificates
}

// serverList is the list as v shows it.
func serverList(v cert.ServerView) page.List[cert.ServerView, string] {
	return page.List[cert.ServerView, string]{
		View: v, Base: viewBase(v), Pairs: viewPairs, Turn: func(v *cert.ServerView, cursor string) { v.Cursor = cursor },
	}
}

func viewPairs(v cert.ServerView, add page.Add) {
	add("which", string(v.Which), v.Which != cert.Current)
	add("sort", string(v.Sort), v.Sort != cert.ByEnd)
	add("desc", "1", v.Desc)
	add("size", strconv.Itoa(v.Size), v.Size != page.Sizes[0])
	add("organisation", page.ID(v.Organisation), v.Organisation != 0)
	add("q", v.Text, v.Text != "")
	add("at", v.Cursor, v.Cursor != "")
}

// List lists the certificates of the organisations that one is the technical
// contact of.
func (s *Section) List(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	v := readView(r.URL.Query())
	m := serverview.ServersModel{Head: view.HeadModel{Title: page.T(ctx, "nav.certificates"), Lead: page.T(ctx, "server.lead"), Actions: []view.ButtonModel{
		{Label: page.T(ctx, "server.order"), Href: paths.NewOrder, Kind: view.Primary, Icon: view.IconPlus},
	}}}
	if err := s.listModel(ctx, by, &v, &m); err != nil {
		return err
	}
	if m.Empty != nil && !by.Officer { // perhaps there never was an organisation
		sections, err := s.Org.Sections(ctx, by)
		if err != nil {
			return err
		}
		if !sections.Organisations {
			return fault.New(fault.Denied, "server.section_closed")
		}
	}
	return s.Show(w, r, http.StatusOK, serverview.Servers(s.Frame(r, m.Head.Title), m))
}

// OfficeList lists those of all organisations.
func (s *Section) OfficeList(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := readView(r.URL.Query())
	v.Office = true
	m := serverview.ServersModel{Head: view.HeadModel{Title: page.T(ctx, "office.server_certificates"), Lead: page.T(ctx, "office.server_certificates_lead")}}
	if err := s.listModel(ctx, s.Actor(r), &v, &m); err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, serverview.Servers(s.OfficeFrame(r, m.Head.Title), m))
}

// listModel puts the page v into m; a cursor that leads nowhere begins again.
func (s *Section) listModel(ctx context.Context, by person.Actor, v *cert.ServerView, m *serverview.ServersModel) error {
	if v.Organisation != 0 {
		o, err := s.Org.Organisation(ctx, by, v.Organisation)
		if err != nil {
			return err
		}
		every := *v
		every.Organisation, every.Cursor = 0, ""
		m.Only = &view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "server.only", "name", o.Name)}
		m.Every = &view.ButtonModel{Label: page.T(ctx, "server.every"), Href: serverList(every).Href(every)}
	}
	found, err := s.search(ctx, by, *v)
	if fault.Is(err, fault.Missing) && v.Cursor != "" { // made up, or of another order
		v.Cursor = ""
		found, err = s.search(ctx, by, *v)
	}
	if err != nil {
		return err
	}
	m.Filter, m.Chips = page.T(ctx, "server.filter"), chips(ctx, *v)
	m.Search = serverList(*v).Search(page.T(ctx, "server.search"), v.Text)
	m.Table = tableModel(ctx, *v)
	if m.Empty = none(ctx, *v, found); m.Empty != nil {
		return nil
	}
	if v.Text != "" {
		m.Found = page.T(ctx, "server.hits", "n", found.Hits, "text", v.Text)
	}
	followers, err := s.followers(ctx, found.Certificates)
	if err != nil {
		return err
	}
	for _, c := range found.Certificates {
		m.Lines = append(m.Lines, s.line(ctx, c, followers))
	}
	m.Pager = pager(ctx, *v, found)
	return nil
}

// search takes what looks like a reference number for one, however it was
// typed; what that does not find may be a word all the same.
func (s *Section) search(ctx context.Context, by person.Actor, v cert.ServerView) (cert.ServerPage, error) {
	if reference, ok := text.ParseReference(v.Text); ok && v.Text != reference {
		exact := v
		exact.Text = reference
		if page, err := s.Cert.Servers(ctx, by, exact); err != nil || page.Hits > 0 {
			return page, err
		}
	}
	return s.Cert.Servers(ctx, by, v)
}

func chips(ctx context.Context, v cert.ServerView) (chips []view.Chip) {
	l := serverList(v)
	for _, w := range whiches {
		chips = append(chips, l.Chip(page.T(ctx, whichWords[w]), w == v.Which, func(v *cert.ServerView) { v.Which = w }))
	}
	return chips
}

func tableModel(ctx context.Context, v cert.ServerView) view.TableModel {
	l := serverList(v)
	sorted := func(by cert.ServerSort) view.Column {
		return l.Column(page.T(ctx, sorts[by]), v.Sort == by, v.Desc, func(v *cert.ServerView, desc bool) { v.Sort, v.Desc = by, desc })
	}
	m := view.TableModel{Caption: page.T(ctx, "server.caption"), Columns: []view.Column{
		sorted(cert.ByReference), sorted(cert.ByName),
		{Label: page.T(ctx, "server.organisation")},
		sorted(cert.ByIssued), sorted(cert.ByEnd),
		{Label: page.T(ctx, "cert.state"), Tight: true},
		{Label: page.T(ctx, "row.actions"), Quiet: true, Tight: true},
	}}
	m.Columns[0].Tight = true
	return m
}

func (s *Section) line(ctx context.Context, c cert.ServerCertificate, followers map[cert.ID]order.Follower) serverview.ServerLine {
	now := s.Now()
	l := serverview.ServerLine{
		Reference: c.Reference, Href: paths.Certificate(c.Reference), Name: cert.Spelled(c.CommonName), Organisation: c.OrganisationName,
		OrganisationHref: paths.Organisation(c.Organisation), Issued: view.Day(ctx, c.Issued, now), Ends: view.Ends(ctx, c.NotAfter, now),
		State: s.stateOf(ctx, c),
	}
	if n := len(c.Names) - 1; n > 0 {
		l.More = page.T(ctx, "server.more_names", "n", n)
	}
	if from, _ := c.Renewable(); c.Revoked == nil && c.Revoking == nil && c.ReplacedBy == nil && !now.Before(from) {
		l.Left = l.Ends.Title
	}
	follower, followed := followers[c.ID]
	switch {
	case followed && follower.Issued:
		l.UnderWay = &view.Link{Label: page.T(ctx, "server.followed_by"), Href: paths.Certificate(follower.Reference)}
	case followed:
		l.UnderWay = &view.Link{Label: page.T(ctx, "server.ordered_anew"), Href: paths.Order(follower.Reference)}
	case c.Earlier && l.Left != "" && mayOrderLike(c, now):
		l.Renew = &view.ButtonModel{Label: page.T(ctx, "server.order_like"), About: l.Name, Href: orderLike(c)}
	case cert.MayRenew(c, now) == nil:
		l.Renew = &view.ButtonModel{Label: page.T(ctx, "server.renew"), About: l.Name, Href: paths.Certificate(c.Reference) + "/renew"}
	case c.Renewal != nil:
		l.UnderWay = &view.Link{Label: page.T(ctx, "server.under_way"), Href: paths.Order(*c.Renewal)}
	}
	return l
}

// none says why there is nothing to see, nil when there is.
func none(ctx context.Context, v cert.ServerView, p cert.ServerPage) *view.EmptyModel {
	every := v
	every.Which, every.Text, every.Cursor = cert.All, "", ""
	all := &view.ButtonModel{Label: page.T(ctx, "server.show_all"), Href: serverList(every).Href(every)}
	switch {
	case p.Many:
		return &view.EmptyModel{Title: page.T(ctx, "rows.many"), Text: page.T(ctx, "server.many_text")}
	case len(p.Certificates) > 0:
		return nil
	case v.Text != "":
		return &view.EmptyModel{Title: page.T(ctx, "server.no_hit", "text", v.Text), Text: page.T(ctx, "server.no_hit_text"), Action: all}
	case v.Which != cert.All:
		return &view.EmptyModel{Title: page.T(ctx, whichNone[v.Which]), Text: page.T(ctx, "server.none_text"), Action: all}
	}
	return &view.EmptyModel{Title: page.T(ctx, whichNone[v.Which]), Text: page.T(ctx, "server.none_text")}
}

func pager(ctx context.Context, v cert.ServerView, p cert.ServerPage) view.PagerModel {
	l := serverList(v)
	m := l.Pager(page.T(ctx, "server.shown", "n", len(p.Certificates)), p.Prev != "", p.Prev, p.Next)
	m.Sizes = l.Sizes(v.Size, func(v *cert.ServerView, size int) { v.Size = size })
	return m
}
