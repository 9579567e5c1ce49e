package mailboxes

import (
	"context"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// WaitingTasks are the rounds of challenges that wait for the person. They are
// hints: the links stand in the mails only.
func (s *Section) WaitingTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	waiting, err := s.Mailbox.WaitingFor(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, a := range waiting {
		k := view.Task{Kind: view.Open, Link: view.Link{Label: page.T(ctx, "start.waiting_help"), Href: paths.Help}}
		missing := strings.Join(page.Addresses(a.Missing), ", ")
		switch done := len(a.Confirmed); {
		case !a.Open():
			k.Kind = view.Warn
			k.Text = page.T(ctx, "start.waiting_over", "done", done, "of", a.Total, "addresses", missing, "group", a.GroupName)
		case done > 0:
			k.Text = page.T(ctx, "start.waiting_more", "n", len(a.Missing), "done", done, "of", a.Total, "addresses", missing)
		case a.Kind == mailbox.Functional:
			k.Text = page.T(ctx, "start.waiting_functional", "address", missing, "asks", a.Asks, "functional", string(a.Primary), "until", *a.Expires)
		default:
			k.Text = page.T(ctx, "start.waiting", "address", missing, "asks", a.Asks, "until", *a.Expires)
		}
		if a.Open() && a.Expires != nil {
			k.By = *a.Expires
		}
		tasks = append(tasks, k)
	}
	return tasks, nil
}

// taskIDs say of the statuses that want somebody's attention how many rows there are.
var taskIDs = map[mailbox.Status]string{
	mailbox.RowDeclined: "start.declined", mailbox.RowConflict: "start.conflict", mailbox.Undeliverable: "start.undeliverable",
	mailbox.RowExpired: "start.expired", mailbox.None: "start.without_challenge",
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
		for _, st := range [...]mailbox.Status{mailbox.RowDeclined, mailbox.RowConflict, mailbox.Undeliverable, mailbox.RowExpired, mailbox.None} {
			if of := n.Of[st]; of > 0 {
				tasks = append(tasks, rowsTask(ctx, statusKinds[st], taskIDs[st], d, mailbox.View{Status: st}, of))
			}
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
