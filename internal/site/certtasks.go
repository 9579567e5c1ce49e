package site

import (
	"context"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// certificateTasks are by's own certificates that end soon, and own
// applications that came to nothing.
func (s *Site) certificateTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	ending, err := s.Cert.Ending(ctx, by, mailbox.Renewable)
	if err != nil {
		return nil, err
	}
	applied, err := s.Order.Mine(ctx, by, page.MostTasks)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, c := range ending {
		tasks = append(tasks, view.Task{
			Kind: view.Warn, Link: view.Link{Label: page.T(ctx, "start.certificate_next"), Href: paths.ClientCertificates},
			Text: page.T(ctx, "start.certificate_ends", "addresses", strings.Join(c.Emails, ", "), "day", view.Day(ctx, c.NotAfter, s.Now()).Text),
		})
	}
	for _, a := range applied {
		words := map[order.State]string{order.Failed: "start.application_failed", order.Refused: "start.application_refused"}[a.State]
		if words != "" {
			tasks = append(tasks, view.Task{
				Kind: applicationKinds[a.State], Text: page.T(ctx, words, "reference", a.Reference),
				Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Application(a.ID)},
			})
		}
	}
	return tasks, nil
}

// failedApplications is the task of officers to look at what an authority did
// not fulfil.
func (s *Site) failedApplications(ctx context.Context, by person.Actor) ([]view.Task, error) {
	failed, err := s.Order.Failures(ctx, by, page.MostFailures)
	if err != nil || len(failed) == 0 {
		return nil, err
	}
	return []view.Task{{
		Kind: view.Bad, Text: page.T(ctx, "office.applications_failed", "n", len(failed)),
		Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeApplications},
	}}, nil
}

// serverTasks are the certificates of by's organisations that end soon and that
// nothing renews yet.
func (s *Site) serverTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
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
