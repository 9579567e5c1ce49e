package site

import (
	"context"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
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
	applied, err := s.Order.Mine(ctx, by, startTasks)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, c := range ending {
		tasks = append(tasks, view.Task{
			Kind: view.Warn, Link: view.Link{Label: t(ctx, "start.certificate_next"), Href: paths.ClientCertificates},
			Text: t(ctx, "start.certificate_ends", "addresses", strings.Join(c.Emails, ", "), "day", view.Day(ctx, c.NotAfter, s.Now()).Text),
		})
	}
	for _, a := range applied {
		words := map[order.State]string{order.Failed: "start.application_failed", order.Refused: "start.application_refused"}[a.State]
		if words != "" {
			tasks = append(tasks, view.Task{
				Kind: applicationKinds[a.State], Text: t(ctx, words, "reference", a.Reference),
				Link: view.Link{Label: t(ctx, "start.look"), Href: paths.Application(a.ID)},
			})
		}
	}
	return tasks, nil
}

// failedApplications is the task of officers to look at what an authority did
// not fulfil.
func (s *Site) failedApplications(ctx context.Context, by person.Actor) ([]view.Task, error) {
	failed, err := s.Order.Failures(ctx, by, failLimit)
	if err != nil || len(failed) == 0 {
		return nil, err
	}
	return []view.Task{{
		Kind: view.Bad, Text: t(ctx, "office.applications_failed", "n", len(failed)),
		Link: view.Link{Label: t(ctx, "start.look"), Href: paths.OfficeApplications},
	}}, nil
}

// serverTasks are the certificates of by's organisations that end soon and that
// nothing renews yet.
func (s *Site) serverTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	ending, err := s.Cert.Servers(ctx, by, cert.ServerView{Which: cert.Ending, Size: startTasks + 1})
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for i, c := range ending.Certificates {
		switch {
		case i == startTasks:
			tasks = append(tasks, view.Task{
				Kind: view.Warn, Text: t(ctx, "start.servers_more"), Link: view.Link{Label: t(ctx, "start.look"), Href: paths.CertificatesEnding},
			})
		case cert.MayRenew(c, s.Now()) == nil:
			tasks = append(tasks, view.Task{
				Kind: view.Warn, Link: view.Link{Label: t(ctx, "server.renew"), Href: paths.Certificate(c.Reference) + "/renew"},
				Text: t(ctx, "start.server_ends", "name", cert.Spelled(c.CommonName), "day", view.Day(ctx, c.NotAfter, s.Now()).Text),
			})
		}
	}
	return tasks, nil
}
