package clients

import (
	"context"
	"slices"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// Tasks are by's own certificates that end soon, the addresses without one, and
// own applications that came to nothing.
func (s *Section) Tasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	ending, err := s.Cert.Ending(ctx, by, mailbox.Renewable)
	if err != nil {
		return nil, err
	}
	applied, err := s.Order.Mine(ctx, by, page.MostTasks)
	if err != nil {
		return nil, err
	}
	linked, err := s.Mailbox.LinkedTo(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, c := range ending {
		if openFor(applied, c.RowID) != nil {
			continue
		}
		day, label, to := view.Ends(ctx, c.NotAfter, s.Now()), "start.look", paths.ClientCertificates // which says why not
		if slices.ContainsFunc(linked, func(l mailbox.Linked) bool { return l.RowID == c.RowID && s.mayApply(l) == nil }) {
			label, to = "start.certificate_next", paths.Apply(c.RowID)
		}
		tasks = append(tasks, view.Task{
			Kind: view.Warn, By: c.NotAfter, Link: view.Link{Label: page.T(ctx, label), Href: to},
			Text: page.T(ctx, "start.certificate_ends", "addresses", strings.Join(c.Emails, ", "), "when", day.Title, "day", day.Text),
		})
	}
	tasks = append(tasks, page.Most(s.without(ctx, linked, applied), func(n int) view.Task {
		return view.Task{Kind: view.Open, Text: page.T(ctx, "start.more_without", "n", n), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.ClientCertificates}}
	})...)
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

// without are the linked addresses that one may apply for and has no certificate
// for, or none that still counts. Who revoked theirs is not asked again.
func (s *Section) without(ctx context.Context, linked []mailbox.Linked, applied []order.Application) (tasks []view.Task) {
	now := s.Now()
	for _, l := range linked {
		expired := l.Ends != nil && now.After(*l.Ends)
		if l.Ends != nil && !expired || l.Revoked != nil || s.mayApply(l) != nil || openFor(applied, l.RowID) != nil {
			continue
		}
		k := view.Task{
			Kind: view.Open, Text: page.T(ctx, "start.certificate_none", "address", string(l.Primary)),
			Link: view.Link{Label: page.T(ctx, "mine.apply"), Href: paths.Apply(l.RowID)},
		}
		if expired {
			day := view.Ends(ctx, *l.Ends, now)
			k.Kind, k.Text = view.Warn, page.T(ctx, "start.certificate_ended", "address", string(l.Primary), "when", day.Title, "day", day.Text)
		}
		tasks = append(tasks, k)
	}
	return tasks
}
