package mailboxes

import (
	"context"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// WaitingTasks are the challenges that were mailed to the person. They are
// hints: the link stands in the mail only.
func (s *Section) WaitingTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	waiting, err := s.Mailbox.WaitingFor(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, c := range waiting {
		tasks = append(tasks, view.Task{
			Kind: view.Open, By: c.Expires, Link: view.Link{Label: page.T(ctx, "start.waiting_help"), Href: paths.Help},
			Text: page.T(ctx, "start.waiting", "address", string(c.Recipient), "asks", c.Asks, "until", c.Expires),
		})
	}
	return tasks, nil
}

// ContactTasks are what waits in the domains that by looks after.
func (s *Section) ContactTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	domains, err := s.ownDomains(ctx, by)
	if err != nil || len(domains) == 0 {
		return nil, err
	}
	ids := make([]org.ID, len(domains))
	for i, d := range domains {
		ids[i] = d.ID
	}
	tallies, err := s.Mailbox.Tallies(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, d := range domains {
		n := tallies[d.ID]
		if n.Doubtful > 0 {
			tasks = append(tasks, rowsTask(ctx, view.Warn, "start.doubtful", d, mailbox.View{Doubtful: true}, n.Doubtful))
		}
		if of := n.Of[mailbox.Undeliverable]; of > 0 {
			tasks = append(tasks, rowsTask(ctx, view.Bad, "start.undeliverable", d, mailbox.View{Status: mailbox.Undeliverable}, of))
		}
		if of := n.Of[mailbox.None]; of > 0 {
			tasks = append(tasks, rowsTask(ctx, view.Paused, "start.without_challenge", d, mailbox.View{Status: mailbox.None}, of))
		}
	}
	return page.Most(tasks, func(int) view.Task {
		return view.Task{Kind: view.Info, Text: page.T(ctx, "start.more_domains"), Link: view.Link{Label: page.T(ctx, "start.all_domains"), Href: paths.EmailDomains}}
	}), nil
}

// ownDomains are those by looks after; an officer reads others, too.
func (s *Section) ownDomains(ctx context.Context, by person.Actor) ([]org.EmailDomain, error) {
	all, err := s.Org.Domains(ctx, by)
	var own []org.EmailDomain
	for _, d := range all {
		if d.Contact {
			own = append(own, d)
		}
	}
	return own, err
}

func rowsTask(ctx context.Context, kind view.Kind, words string, d org.EmailDomain, rows mailbox.View, n int64) view.Task {
	return view.Task{
		Kind: kind, Text: page.T(ctx, words, "n", n, "domain", d.Name.Unicode()),
		Link: view.Link{Label: page.T(ctx, "start.look"), Href: rowHref(paths.EmailDomain(d.Name), rows)},
	}
}
