package servers

import (
	"context"
	"strings"
	"time"

	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/clients"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
	"petschaft/web/view/serverview"
)

var orderStates = map[order.State]struct {
	kind  view.Kind
	icon  view.Icon
	words string
	title string // of the notice
}{
	order.Received:  {view.Open, "", "serverorder.state_received", "serverorder.title_received"},
	order.Waiting:   {view.Paused, "", "serverorder.state_waiting", "serverorder.title_waiting"},
	order.Review:    {view.Open, "", "serverorder.state_review", "serverorder.title_review"},
	order.Returned:  {view.Warn, "", "serverorder.state_returned", "serverorder.title_returned"},
	order.Approved:  {view.Open, "", "serverorder.state_approved", "serverorder.title_approved"},
	order.Issuing:   {view.Open, "", "serverorder.state_issuing", "order.issuing_title"},
	order.Pending:   {view.Open, "", "order.state_pending", "order.issuing_title"},
	order.Issued:    {view.Good, "", "serverorder.state_issued", "order.issued_title"},
	order.Rejected:  {view.Ended, "", "serverorder.state_rejected", "serverorder.title_rejected"},
	order.Withdrawn: {view.Ended, "", "serverorder.state_withdrawn", "serverorder.title_withdrawn"},
	order.Failed:    {view.Bad, "", "serverorder.state_failed", "order.failed_title"},
}

// orderState is where an order stands, with the time of it.
func orderState(ctx context.Context, o order.ServerOrder) view.StateModel {
	x := orderStates[o.State]
	return view.StateModel{Kind: x.kind, Icon: x.icon, Word: page.T(ctx, x.words), Since: locale.From(ctx).DateTime(o.Since)}
}

// orderWaits says for what an order waits, and for whom, to its contact or to the
// office; "" when it is over.
func orderWaits(ctx context.Context, o order.ServerOrder, now time.Time) string {
	switch o.State {
	case order.Received:
		return said(ctx, o, "serverorder.waits_office", "serverorder.waits_decision")
	case order.Review:
		return said(ctx, o, "serverorder.waits_review", "serverorder.waits_decision")
	case order.Waiting:
		return said(ctx, o, "serverorder.waits_name", "serverorder.waits_validation")
	case order.Returned:
		if order.MayCorrect(o) == nil {
			return page.T(ctx, "serverorder.waits_you")
		}
		return page.T(ctx, "serverorder.waits_contact")
	case order.Approved, order.Issuing:
		return page.T(ctx, "serverorder.waits_authority")
	case order.Pending:
		return clients.WaitsSince(ctx, o.Progress, now)
	case order.Failed:
		return said(ctx, o, "serverorder.waits_failed", "serverorder.waits_retry")
	}
	return ""
}

// said words something for the contact of the order's organisation, or for the office.
func said(ctx context.Context, o order.ServerOrder, contact, office string) string {
	if o.Contact {
		return page.T(ctx, contact)
	}
	return page.T(ctx, office)
}

// orderSteps are those of an order on its way; at an end that is no certificate
// there are none.
func orderSteps(ctx context.Context, s order.State) (steps []view.Step) {
	at, known := map[order.State]int{
		order.Received: 1, order.Waiting: 1, order.Review: 1, order.Returned: 0, order.Approved: 2, order.Issuing: 3, order.Pending: 3, order.Issued: 4, order.Failed: 3,
	}[s]
	if !known {
		return nil
	}
	for i, label := range []string{
		page.T(ctx, "serverorder.state_received"), page.T(ctx, "serverorder.step_checked"), page.T(ctx, "serverorder.state_approved"), page.T(ctx, "serverorder.state_issued"),
	} {
		steps = append(steps, view.Step{Label: label, Done: i < at, Current: i == at})
	}
	return steps
}

// moving tells whether an order goes on without anybody's decision.
func moving(s order.State) bool { return s == order.Approved || s == order.Issuing }

// progress is what happens to an order, and what is next.
func (s *Section) progress(ctx context.Context, o order.ServerOrder) clientview.ApplicationProgressModel {
	x := orderStates[o.State]
	m := clientview.ApplicationProgressModel{Notice: view.NoticeModel{Kind: x.kind, Title: page.T(ctx, x.title), Text: orderWaits(ctx, o, s.Now())}}
	if x.kind == view.Paused || x.kind == view.Open || x.kind == view.Ended {
		m.Notice.Kind = view.Info
	}
	if o.State != order.Issued && o.State != order.Rejected && o.State != order.Withdrawn {
		m.Refresh = paths.Order(o.Reference) + "/progress?seen=" + clients.Seen(o.State, o.Progress)
		if !moving(o.State) {
			m.Every = clients.PeopleEvery
		}
	}
	switch o.State {
	case order.Approved, order.Issuing, order.Pending:
		if s.Now().Sub(o.Since) > page.Patience {
			m.More = page.T(ctx, "order.slow")
		}
		clients.Waits(ctx, &m, o.State, o.Progress, o.Officer, s.Now())
	case order.Issued:
		m.Notice.Text = said(ctx, o, "serverorder.issued_text", "serverorder.issued_office")
		m.Actions = []view.ButtonModel{{Label: page.T(ctx, "order.to_certificate"), Href: paths.Certificate(o.Reference), Kind: view.Primary}}
	case order.Failed:
		m.More = page.ReasonWords(ctx, o.Reason)
		if o.Officer {
			m.More = strings.TrimSpace(m.More + " " + clients.FailedSaid(ctx, o.Progress))
		}
	case order.Rejected:
		m.Notice.Text = said(ctx, o, "serverorder.rejected_text", "serverorder.rejected_office")
	case order.Withdrawn:
		m.Notice.Text = said(ctx, o, "serverorder.withdrawn_text", "serverorder.withdrawn_office")
	}
	if o.State == order.Rejected || o.State == order.Withdrawn || o.State == order.Failed && o.Late {
		m.More = strings.TrimSpace(m.More + " " + clients.LateWords(ctx, o.Progress, o.Late))
	}
	if o.Late && o.State != order.Issued {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "order.to_late"), Href: paths.Certificate(o.Reference)})
	}
	return m
}

// OrderModel is the page of an order without what its reader may do with it.
func (s *Section) OrderModel(ctx context.Context, by person.Actor, o order.ServerOrder, checks order.Checks, to CheckPlaces) (serverview.OrderModel, error) {
	state := orderState(ctx, o)
	state.Pill = true
	m := serverview.OrderModel{
		Head:  view.HeadModel{Title: page.T(ctx, "serverorder.title", "reference", o.Reference), State: &state, Lead: page.Spelled(o.Names[:1])[0]},
		Steps: orderSteps(ctx, o.State), Progress: s.progress(ctx, o), Names: page.Spelled(o.Names),
		Organisation: view.Link{Label: o.OrganisationName, Href: paths.Organisation(o.Organisation)}, Product: page.ProductName(ctx, o.Product),
		Key: o.KeyKind, Comment: o.Comment, Submitter: o.SubmitterName, Submitted: view.At(ctx, o.Created, s.Now()),
	}
	if key, err := pki.ReadKey(o.SPKI); err == nil {
		m.Key += " · SHA-256 " + pki.Colons(key.Fingerprint[:8]) + "…"
	}
	if o.Officer && o.State == order.Failed {
		m.Findings = page.Findings(ctx, o.Findings)
	}
	if o.State == order.Returned || o.State == order.Rejected {
		m.Reason = o.Reason
		if o.DeciderName != nil {
			m.ReasonBy = *o.DeciderName
		}
	}
	if o.Ended == nil || o.Officer {
		m.Checks = s.CheckModels(ctx, checks, to)
	}
	if o.State == order.Waiting {
		of, err := s.Org.Organisation(ctx, by, o.Organisation)
		if err != nil {
			return m, err
		}
		m.Progress.More = page.T(ctx, "serverorder.then_decided")
		if checks.Next(of.AutoApprove) == order.Approved {
			m.Progress.More = page.T(ctx, "serverorder.then_approved")
		}
	}
	if o.Renews != nil {
		m.Renews = &view.Link{Label: *o.Renews, Href: paths.Certificate(*o.Renews)}
	}
	h, err := s.History(ctx, o.ID.Thing(), 0)
	m.History = h.Events
	return m, err
}

func (s *Section) OrderLines(ctx context.Context, all []order.ServerOrder, path func(string) string) (lines []serverview.OrderLine) {
	for _, o := range all {
		l := serverview.OrderLine{
			Reference: o.Reference, Href: path(o.Reference), Name: page.Spelled(o.Names[:1])[0], Organisation: o.OrganisationName,
			OrganisationHref: paths.Organisation(o.Organisation), Product: page.ProductName(ctx, o.Product),
			Submitted: view.Ago(ctx, o.Created, s.Now()), State: orderState(ctx, o), Waits: orderWaits(ctx, o, s.Now()),
		}
		if n := len(o.Names) - 1; n > 0 {
			l.More = page.T(ctx, "server.more_names", "n", n)
		}
		lines = append(lines, l)
	}
	return lines
}
