package servers

import (
	"context"

	"petschaft/internal/cert"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// Tasks are the certificates of by's organisations that end soon or have just
// ended, and that nothing follows yet.
func (s *Section) Tasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	due, err := s.Cert.Servers(ctx, by, cert.ServerView{Which: cert.Due, Size: mostDue})
	if err != nil {
		return nil, err
	}
	followers, err := s.followers(ctx, due.Certificates)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, c := range due.Certificates {
		if _, ordered := followers[c.ID]; !ordered && c.Renewal == nil && c.Revoking == nil {
			tasks = append(tasks, s.endingTask(ctx, c))
		}
	}
	look := view.Link{Label: page.T(ctx, "start.look"), Href: paths.CertificatesEnding}
	if due.Next != "" { // nobody counted them
		return append(tasks[:min(len(tasks), page.MostTasks)], view.Task{Kind: view.Warn, Text: page.T(ctx, "start.servers_many"), Link: look}), nil
	}
	return page.Most(tasks, func(n int) view.Task {
		return view.Task{Kind: view.Warn, Text: page.T(ctx, "start.servers_more", "n", n), Link: look}
	}), nil
}

// mostDue is how many certificates are looked at.
const mostDue = 200

func (s *Section) endingTask(ctx context.Context, c cert.ServerCertificate) view.Task {
	day, now := view.Ends(ctx, c.NotAfter, s.Now()), s.Now()
	k := view.Task{Kind: view.Warn, By: c.NotAfter, Link: next(ctx, c)}
	k.Text = page.T(ctx, "start.server_ends", "name", cert.Spelled(c.CommonName), "when", day.Title, "day", day.Text)
	if now.After(c.NotAfter) {
		k.Kind, k.Text = view.Bad, page.T(ctx, "start.server_ended", "name", cert.Spelled(c.CommonName), "when", day.Title, "day", day.Text)
	}
	return k
}

// next is the step that c's contact takes when its time has come.
func next(ctx context.Context, c cert.ServerCertificate) view.Link {
	if c.Earlier {
		return view.Link{Label: page.T(ctx, "server.order_like"), Href: orderLike(c)}
	}
	return view.Link{Label: page.T(ctx, "server.renew"), Href: paths.Certificate(c.Reference) + "/renew"}
}

// followers are what will stand for those of all that cannot be renewed.
func (s *Section) followers(ctx context.Context, all []cert.ServerCertificate) (map[cert.ID]order.Follower, error) {
	var ids []cert.ID
	for _, c := range all {
		if c.Earlier {
			ids = append(ids, c.ID)
		}
	}
	return s.Order.Followers(ctx, ids...)
}

// OrderTasks are what waits for the technical contact.
func (s *Section) OrderTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	returned, _, err := s.Order.Orders(ctx, by, order.OrderView{States: []order.State{order.Returned}, Size: mostReturned})
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, o := range returned {
		tasks = append(tasks, view.Task{
			Kind: view.Warn, Text: page.T(ctx, "start.order_returned", "reference", o.Reference, "name", page.Spelled(o.Names[:1])[0]),
			Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Order(o.Reference)},
		})
	}
	return page.Most(tasks, func(n int) view.Task {
		return view.Task{Kind: view.Warn, Text: page.T(ctx, "start.more_orders", "n", n), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Orders}}
	}), nil
}

// mostReturned is how many returned orders are looked at.
const mostReturned = 100

// Waiting tells of by's orders that others have in hand.
func (s *Section) Waiting(ctx context.Context, by person.Actor) ([]view.Task, error) {
	n, err := s.Order.OthersTurn(ctx, by)
	if err != nil || n == 0 {
		return nil, err
	}
	return []view.Task{{Kind: view.Open, Text: page.T(ctx, "start.orders_open", "n", n), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Orders}}}, nil
}
