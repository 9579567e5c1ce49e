package clients

import (
	"context"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// Tasks are by's own certificates that end soon, and own
// applications that came to nothing.
func (s *Section) Tasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
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
