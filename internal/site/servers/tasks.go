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

// Tasks are the certificates of by's organisations that end soon and that
// nothing renews yet.
func (s *Section) Tasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	ending, err := s.Cert.Servers(ctx, by, cert.ServerView{Which: cert.Ending, Size: page.MostTasks + 1})
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for i, c := range ending.Certificates {
		switch {
		case i == page.MostTasks:
			tasks = append(tasks, view.Task{
				Kind: view.Warn, Text: page.T(ctx, "start.servers_more"), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.CertificatesEnding},
			})
		case cert.MayRenew(c, s.Now()) == nil:
			tasks = append(tasks, view.Task{
				Kind: view.Warn, Link: view.Link{Label: page.T(ctx, "server.renew"), Href: paths.Certificate(c.Reference) + "/renew"},
				Text: page.T(ctx, "start.server_ends", "name", cert.Spelled(c.CommonName), "day", view.Day(ctx, c.NotAfter, s.Now()).Text),
			})
		}
	}
	return tasks, nil
}

// OrderTasks are what waits for the technical contact.
func (s *Section) OrderTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	returned, next, err := s.Order.Orders(ctx, by, order.OrderView{States: []order.State{order.Returned}, Size: page.MostTasks})
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
	if next != 0 {
		tasks = append(tasks, view.Task{Kind: view.Info, Text: page.T(ctx, "start.more_orders"), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Orders}})
	}
	return tasks, nil
}
