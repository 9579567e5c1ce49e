package servers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/site/clients"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
	"petschaft/web/view/serverview"
)

// Filter is a choice of orders.
type Filter struct {
	Name, Words string
	States      []order.State
}

var Filters = []Filter{
	{"", "serverorder.which_open", []order.State{order.Received, order.Waiting, order.Review, order.Returned, order.Approved, order.Issuing, order.Pending, order.Failed}},
	{"rejected", "serverorder.which_rejected", []order.State{order.Rejected}},
	{"withdrawn", "serverorder.which_withdrawn", []order.State{order.Withdrawn}},
	{"all", "serverorder.which_all", nil},
}

// orderList is what is to be seen of a list of orders.
type orderList struct {
	base    string
	filters []Filter
	At      Filter
	Text    string
	Of      org.OrganisationID // 0: any
	Before  order.ServerID
}

func ReadOrderList(base string, filters []Filter, q url.Values) orderList {
	l := orderList{base: base, filters: filters, At: filters[0], Text: strings.TrimSpace(q.Get("q"))}
	if i := slices.IndexFunc(filters, func(f Filter) bool { return f.Name == q.Get("which") }); i >= 0 {
		l.At = filters[i]
	}
	if n, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && n > 0 {
		l.Before = order.ServerID(n)
	}
	if n, err := strconv.ParseInt(q.Get("organisation"), 10, 64); err == nil && n > 0 {
		l.Of = org.OrganisationID(n)
	}
	return l
}

func (l orderList) list() page.List[orderList, order.ServerID] {
	return page.List[orderList, order.ServerID]{View: l, Base: l.base, Pairs: orderList.pairs, Turn: func(l *orderList, before order.ServerID) { l.Before = before }}
}

func (l orderList) pairs(add page.Add) {
	add("which", l.At.Name, l.At.Name != "")
	add("organisation", page.ID(l.Of), l.Of != 0)
	add("q", l.Text, l.Text != "")
	add("before", page.ID(l.Before), l.Before != 0)
}

// Model is the list's frame: filters, search, columns, and the way on.
func (l orderList) Model(ctx context.Context, next order.ServerID) serverview.OrdersModel {
	m := serverview.OrdersModel{Filter: page.T(ctx, "serverorder.filter")}
	all := l.list()
	for _, f := range l.filters {
		m.Chips = append(m.Chips, all.Chip(page.T(ctx, f.Words), f.Name == l.At.Name, func(l *orderList) { l.At = f }))
	}
	m.Search = all.Search(page.T(ctx, "serverorder.search"), l.Text)
	m.Table = view.TableModel{Caption: page.T(ctx, "serverorder.caption"), Columns: []view.Column{
		{Label: page.T(ctx, "cert.reference"), Tight: true},
		{Label: page.T(ctx, "server.name")},
		{Label: page.T(ctx, "server.organisation")},
		{Label: page.T(ctx, "server.product")},
		{Label: page.T(ctx, "serverorder.submitted"), Tight: true},
		{Label: page.T(ctx, "serverorder.state")},
	}}
	if l.Before != 0 || next != 0 {
		pager := all.Pager("", l.Before != 0, 0, next)
		m.Pager = &pager
	}
	return m
}

// None says why there is nothing to see.
func (l orderList) None(ctx context.Context) *view.EmptyModel {
	all := &view.ButtonModel{Label: page.T(ctx, "serverorder.show_all"), Href: l.base + "?which=all"}
	if l.Text != "" {
		return &view.EmptyModel{Title: page.T(ctx, "serverorder.no_hit", "text", l.Text), Text: page.T(ctx, "serverorder.no_hit_text"), Action: all}
	}
	return &view.EmptyModel{Title: page.T(ctx, "serverorder.none_so"), Text: page.T(ctx, "serverorder.none_so_text"), Action: all}
}

func (s *Section) Orders(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	sections, err := s.Org.Sections(ctx, by)
	if err != nil {
		return err
	}
	if !sections.Organisations && !by.Officer {
		return fault.New(fault.Denied, "serverorder.section_closed")
	}
	l := ReadOrderList(paths.Orders, Filters, r.URL.Query())
	all, next, err := s.Order.Orders(ctx, by, order.OrderView{States: l.At.States, Text: l.Text, Of: l.Of, Before: l.Before})
	if err != nil {
		return err
	}
	m := l.Model(ctx, next)
	m.Head = view.HeadModel{Title: page.T(ctx, "nav.orders"), Lead: page.T(ctx, "serverorder.lead")}
	add := view.ButtonModel{Label: page.T(ctx, "serverorder.new"), Href: paths.NewOrder, Kind: view.Primary, Icon: view.IconPlus}
	if sections.Organisations {
		m.Head.Actions = []view.ButtonModel{add}
	}
	m.Lines = s.OrderLines(ctx, all, paths.Order)
	switch {
	case len(all) > 0:
	case !sections.Organisations:
		m.Empty = &view.EmptyModel{
			Title: page.T(ctx, "serverorder.none_officer"), Text: page.T(ctx, "serverorder.none_officer_text"),
			Action: &view.ButtonModel{Label: page.T(ctx, "office.orders"), Href: paths.OfficeOrders, Kind: view.Primary},
		}
	case l.Text == "" && l.At.Name == "" && l.Of == 0:
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "serverorder.none"), Text: page.T(ctx, "serverorder.none_text")}
	default:
		m.Empty = l.None(ctx)
	}
	return s.Show(w, r, http.StatusOK, serverview.Orders(s.Frame(r, m.Head.Title), m))
}

// OneOrder is the page of one order, for whoever ordered.
func (s *Section) OneOrder(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	o, checks, err := s.Order.Inspect(ctx, by, Reference(r))
	if err != nil {
		return err
	}
	m, err := s.OrderModel(ctx, by, o, checks, contactPlaces(o.Organisation))
	if err != nil {
		return err
	}
	path := paths.Order(o.Reference)
	if order.MayCorrect(o) == nil {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "serverorder.correct_verb"), Href: path + "/correct", Kind: view.Primary, Icon: view.IconPencil})
	}
	if order.MayWithdraw(o) == nil {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "serverorder.withdraw_verb"), Href: path + "/withdraw", Icon: view.IconBan})
	}
	if o.Officer {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "serverorder.to_decision"), Href: paths.OfficeOrder(o.Reference)})
	}
	crumb := view.Link{Label: page.T(ctx, "nav.orders"), Href: paths.Orders}
	return s.Show(w, r, http.StatusOK, serverview.OrderPage(page.Standing(s.Frame(r, m.Head.Title, crumb)), m))
}

// OrderProgress is the part that the page refreshes; with another state than the
// page has seen, all of it is new. While people decide and nothing is new there
// is no answer, so that nothing is read out again.
func (s *Section) OrderProgress(w http.ResponseWriter, r *http.Request) error {
	o, err := s.LoadOrder(r)
	if err != nil {
		return err
	}
	seen := r.URL.Query().Get("seen")
	if seen == clients.Seen(o.State, o.Progress) && !moving(o.State) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	m := s.progress(r.Context(), o)
	m.Over = clients.SeenState(seen) != o.State
	return s.Show(w, r, http.StatusOK, clientview.ApplicationProgress(m))
}

func (s *Section) AskWithdraw(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.LoadOrder(r)
	if err != nil {
		return err
	}
	if err := order.MayWithdraw(o); err != nil {
		return s.Meanwhile(w, r, err, o.ID.Thing(), ownOrder(ctx, o))
	}
	path, what := paths.Order(o.Reference), []string{page.T(ctx, "serverorder.withdraw_what")}
	if o.Asking {
		what = append(what, page.T(ctx, "serverorder.withdraw_asked"))
	}
	m := StepPath(o, view.DialogModel{
		Title: page.T(ctx, "serverorder.withdraw_verb"), What: what, Final: page.T(ctx, "serverorder.withdraw_final"),
		Action: path + "/withdraw", Verb: page.T(ctx, "serverorder.withdraw_verb"), Danger: true, Cancel: path,
	})
	crumbs := []view.Link{{Label: page.T(ctx, "nav.orders"), Href: paths.Orders}, {Label: o.Reference, Href: path}}
	return s.Show(w, r, http.StatusOK, serverview.OrderStep(page.Standing(s.Frame(r, m.Dialog.Title, crumbs...)), m))
}

// ownOrder leads to the order, for whoever ordered.
func ownOrder(ctx context.Context, o order.ServerOrder) view.Link {
	return view.Link{Label: page.T(ctx, "serverorder.title", "reference", o.Reference), Href: paths.Order(o.Reference)}
}

func StepPath(o order.ServerOrder, d view.DialogModel) serverview.OrderStepModel {
	return serverview.OrderStepModel{Dialog: d, Reference: o.Reference, Names: page.Spelled(o.Names), Organisation: o.OrganisationName}
}

func (s *Section) Withdraw(w http.ResponseWriter, r *http.Request) error {
	reference := Reference(r)
	o, err := s.LoadOrder(r)
	if err != nil {
		return err
	}
	if err := s.Order.Withdraw(r.Context(), s.Actor(r), reference); err != nil {
		return s.Meanwhile(w, r, err, o.ID.Thing(), ownOrder(r.Context(), o))
	}
	return s.Done(w, r, paths.Order(reference), "serverorder.withdrawn_done", "reference", reference)
}
