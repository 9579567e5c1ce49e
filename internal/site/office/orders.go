package office

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/site/clients"
	"petschaft/internal/site/page"
	"petschaft/internal/site/servers"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
	"petschaft/web/view/serverview"
)

var orderFilters = []servers.Filter{
	{Name: "", Words: "serverorder.which_decide", States: []order.State{order.Received, order.Review}},
	{Name: "waiting", Words: "serverorder.which_waiting", States: []order.State{order.Waiting}},
	{Name: "failed", Words: "serverorder.which_failed", States: []order.State{order.Failed}},
	{Name: "open", Words: "serverorder.which_open", States: servers.Filters[0].States},
	{Name: "rejected", Words: "serverorder.which_rejected", States: []order.State{order.Rejected}},
	{Name: "withdrawn", Words: "serverorder.which_withdrawn", States: []order.State{order.Withdrawn}},
	{Name: "all", Words: "serverorder.which_all", States: nil},
}

func (s *Section) Orders(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	l := servers.ReadOrderList(paths.OfficeOrders, orderFilters, r.URL.Query())
	all, next, err := s.Order.Orders(ctx, s.Actor(r), order.OrderView{Office: true, States: l.At.States, Text: l.Text, Of: l.Of, Before: l.Before})
	if err != nil {
		return err
	}
	m := l.Model(ctx, next)
	m.Head = view.HeadModel{Title: page.T(ctx, "office.orders"), Lead: page.T(ctx, "office.orders_lead")}
	m.Lines = s.Servers.OrderLines(ctx, all, paths.OfficeOrder)
	if len(all) == 0 {
		m.Empty = l.None(ctx)
	}
	return s.Show(w, r, http.StatusOK, serverview.Orders(s.OfficeFrame(r, m.Head.Title), m))
}

// OneOrder is the page on which an officer decides: all checks are shown.
func (s *Section) OneOrder(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	o, checks, err := s.Order.Inspect(ctx, by, servers.Reference(r))
	if err != nil {
		return err
	}
	m, err := s.Servers.OrderModel(ctx, by, o, checks, servers.CheckPlaces{
		Order: paths.OfficeOrder, Name: func(n org.ServerNameID) string { return paths.OfficeName(o.Organisation, n) },
	})
	if err != nil {
		return err
	}
	m.Organisation.Href = paths.OfficeOrganisation(o.Organisation)
	s.decisions(ctx, o, checks, &m)
	crumb := view.Link{Label: page.T(ctx, "office.orders"), Href: paths.OfficeOrders}
	return s.Show(w, r, http.StatusOK, serverview.OrderPage(s.OfficeFrame(page.Stands(r, o.State), m.Head.Title, crumb), m))
}

// decisions puts what the officer may do onto the page, and why not the rest.
func (s *Section) decisions(ctx context.Context, o order.ServerOrder, checks order.Checks, m *serverview.OrderModel) {
	path, version := paths.OfficeOrder(o.Reference), []view.Hidden{{Name: "version", Value: strconv.Itoa(o.Version)}}
	add := func(err error, b view.ButtonModel) {
		if err == nil {
			m.Actions = append(m.Actions, b)
		}
	}
	approve := order.MayApprove(o, checks)
	add(approve, view.ButtonModel{Label: page.T(ctx, "serverorder.approve"), Action: path + "/approve", Hidden: version, Kind: view.Primary, Icon: view.IconCheck})
	add(order.MayTake(o), view.ButtonModel{Label: page.T(ctx, "serverorder.take"), Action: path + "/take"})
	retry := order.MayRetry(o, checks)
	add(retry, view.ButtonModel{Label: page.T(ctx, "serverorder.retry"), Action: path + "/retry", Kind: view.Primary})
	add(order.MayReturn(o), view.ButtonModel{Label: page.T(ctx, "serverorder.return"), Href: path + "/return"})
	add(order.MayReject(o), view.ButtonModel{Label: page.T(ctx, "serverorder.reject_verb"), Href: path + "/reject", Kind: view.Danger})
	why := approve
	if o.State == order.Failed {
		why = retry
	}
	switch f := fault.Of(why); {
	case f == nil || errors.Is(why, order.ErrDecided):
	case order.MayDecide(o) == nil && checks.Block(): // each is said among the checks
		m.Reasons = append(m.Reasons, page.T(ctx, "serverorder.blocked"))
	default:
		m.Reasons = append(m.Reasons, page.T(ctx, f.ID, page.Dated(ctx, s.Now(), f.Args)...))
	}
	if o.Contact {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "serverorder.to_own"), Href: paths.Order(o.Reference)})
	}
}

// asking are the states of an order while an authority is asked for its certificate.
var asking = []order.State{order.Approved, order.Issuing, order.Pending}

func (s *Section) TakeOrder(w http.ResponseWriter, r *http.Request) error {
	reference := servers.Reference(r)
	if err := s.Order.Take(r.Context(), s.Actor(r), reference); err != nil {
		return s.decided(w, r, err)
	}
	return s.Done(w, page.While(r, order.Review), paths.OfficeOrder(reference), "serverorder.taken_done", "reference", reference)
}

func (s *Section) ApproveOrder(w http.ResponseWriter, r *http.Request) error {
	reference := servers.Reference(r)
	version, _ := strconv.Atoi(r.PostFormValue("version"))
	if err := s.Order.Approve(r.Context(), s.Actor(r), reference, version); err != nil {
		return s.decided(w, r, err)
	}
	return s.Done(w, page.While(r, asking...), paths.OfficeOrder(reference), "serverorder.approved_done", "reference", reference)
}

func (s *Section) RetryOrder(w http.ResponseWriter, r *http.Request) error {
	reference := servers.Reference(r)
	if err := s.Order.RetryOrder(r.Context(), s.Actor(r), reference); err != nil {
		return s.decided(w, r, err)
	}
	return s.Done(w, page.While(r, asking...), paths.OfficeOrder(reference), "serverorder.retried_done", "reference", reference)
}

// decided answers who comes too late with what a colleague did.
func (s *Section) decided(w http.ResponseWriter, r *http.Request, refused error) error {
	o, err := s.Servers.LoadOrder(r)
	if err != nil {
		return err
	}
	look := view.Link{Label: page.T(r.Context(), "serverorder.title", "reference", o.Reference), Href: paths.OfficeOrder(o.Reference)}
	return s.Meanwhile(w, r, refused, o.ID.Thing(), look)
}

// Decision is one that needs a reason.
type Decision struct {
	Path, verb, what, final, done string
	danger                        bool
	may                           func(order.ServerOrder) error
}

var (
	Returning = Decision{
		Path: "return", verb: "serverorder.return", what: "serverorder.return_what", done: "serverorder.returned_done", may: order.MayReturn,
	}
	Rejecting = Decision{
		Path: "reject", verb: "serverorder.reject_verb", what: "serverorder.reject_what", final: "serverorder.reject_final",
		done: "serverorder.rejected_done", danger: true, may: order.MayReject,
	}
)

func (s *Section) AskDecision(d Decision) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		o, err := s.Servers.LoadOrder(r)
		if err != nil {
			return err
		}
		if err := d.may(o); err != nil {
			return s.decided(w, r, err)
		}
		return s.decisionPage(w, r, d, o, order.Decision{Version: o.Version}, nil)
	}
}

func (s *Section) DoDecision(d Decision) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		o, err := s.Servers.LoadOrder(r)
		if err != nil {
			return err
		}
		version, _ := strconv.Atoi(r.PostFormValue("version"))
		said := order.Decision{Version: version, Reason: r.PostFormValue("reason")}
		decide := s.Order.Return
		if d.Path == Rejecting.Path {
			decide = s.Order.Reject
		}
		err = decide(r.Context(), s.Actor(r), o.Reference, said)
		if fault.Is(err, fault.Invalid) || errors.Is(err, postgres.ErrShown) {
			return s.decisionPage(w, r, d, o, said, err)
		}
		if err != nil {
			return s.decided(w, r, err)
		}
		return s.Done(w, r, paths.OfficeOrder(o.Reference), d.done, "reference", o.Reference)
	}
}

func (s *Section) decisionPage(w http.ResponseWriter, r *http.Request, d Decision, o order.ServerOrder, said order.Decision, failed error) error {
	ctx, path := r.Context(), paths.OfficeOrder(o.Reference)
	bad, _ := page.Wrong(ctx, failed)
	m := servers.StepPath(o, view.DialogModel{
		Title: page.T(ctx, d.verb), What: []string{page.T(ctx, d.what)}, Action: path + "/" + d.Path, Verb: page.T(ctx, d.verb), Danger: d.danger, Cancel: path,
		Hidden: []view.Hidden{{Name: "version", Value: strconv.Itoa(said.Version)}},
	})
	if d.final != "" {
		m.Dialog.Final = page.T(ctx, d.final)
	}
	if d.danger && (clients.AskedFor(o.Progress) || o.Stage == issuance.Unknown) {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "order.take_back_asked"))
	}
	m.AsksReason, m.Reason, m.ReasonError = true, said.Reason, bad["reason"]
	f, status := s.OfficeFrame(r, m.Dialog.Title, view.Link{Label: page.T(ctx, "office.orders"), Href: paths.OfficeOrders}, view.Link{Label: o.Reference, Href: path}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, serverview.OrderStep(f, m))
}

func (s *Section) Products(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := s.Order.Products(ctx)
	if err != nil {
		return err
	}
	offered := s.Order.Issuance.Registry.ForServers()
	choose := slices.ContainsFunc(all, func(p order.Product) bool { return authorityChoices(ctx, offered, p.Authority) != nil })
	var lines []officeview.ProductLine
	for _, p := range all {
		l := officeview.ProductLine{
			Name: page.ProductName(ctx, p.Code), Text: p.Code, Names: servers.ProductText(ctx, p), Keys: strings.Join(p.Keys, ", "), Days: locale.From(ctx).Number(int64(p.Days)),
			State:  view.StateModel{Kind: view.Good, Word: page.T(ctx, "product.on")},
			Switch: view.ButtonModel{Label: page.T(ctx, "product.switch_off"), About: page.ProductName(ctx, p.Code), Action: paths.OfficeProduct(p.Code) + "/off"},
		}
		if !p.Active {
			l.State = view.StateModel{Kind: view.Paused, Word: page.T(ctx, "product.off")}
			l.Switch.Label, l.Switch.Action = page.T(ctx, "product.switch_on"), paths.OfficeProduct(p.Code)+"/on"
		}
		if choose {
			l.Authority, l.Change = page.AuthorityName(ctx, p.Authority), paths.OfficeProduct(p.Code)+"/authority"
		}
		lines = append(lines, l)
	}
	return s.Show(w, r, http.StatusOK, officeview.Products(s.OfficeFrame(r, page.T(ctx, "office.products")), lines))
}

func (s *Section) SwitchProduct(w http.ResponseWriter, r *http.Request) error {
	to := chi.URLParam(r, "switch")
	if to != "on" && to != "off" {
		return fault.New(fault.Missing, "")
	}
	if err := s.Order.OfferProduct(r.Context(), s.Actor(r), chi.URLParam(r, "product"), to == "on"); err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeProducts, "product.switched")
}

// waitingOrders are the orders that an officer may decide.
func (s *Section) waitingOrders(ctx context.Context, by person.Actor) ([]view.Task, error) {
	n, err := s.Order.WaitingOrders(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	add := func(kind view.Kind, words string, n int64, which string) {
		if n > 0 {
			tasks = append(tasks, view.Task{Kind: kind, Text: page.T(ctx, words, "n", n), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeOrders + which}})
		}
	}
	add(view.Open, "office.orders_decide", n.Decide, "")
	add(view.Paused, "office.orders_validate", n.Validate, "?which=waiting")
	add(view.Bad, "office.orders_failed", n.Failed, "?which=failed")
	return tasks, nil
}
