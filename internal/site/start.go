package site

import (
	"context"
	"net/http"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
	"petschaft/web/view/portalview"
)

const startLinked = 5 // linked addresses on the start page

// start is the first page: what the portal is for, or what is to be done.
func (s *Site) start(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	by, ok := s.Desk.Actor(ctx)
	if !ok {
		f := s.Frame(r, page.T(ctx, "start.welcome_title"))
		f.SignIn = "" // the page's own button does it
		return s.Show(w, r, http.StatusOK, portalview.Welcome(f, portalview.WelcomeModel{SignIn: paths.SignIn}))
	}
	m := portalview.StartModel{Lead: page.T(ctx, "start.lead"), Quiet: page.T(ctx, "start.nothing_text")}
	for _, look := range []func(context.Context, person.Actor) ([]view.Task, error){s.waitingTasks, s.handoverTasks, s.failedHandovers, s.reminderTasks, s.certificateTasks, s.serverTasks, s.orderTasks, s.contactTasks, s.officeTasks} {
		tasks, err := look(ctx, by)
		if err != nil {
			return err
		}
		m.Tasks = append(m.Tasks, tasks...)
	}
	mine, err := s.Mailbox.LinkedTo(ctx, by)
	if err != nil {
		return err
	}
	m.Linked = linked(ctx, mine[:min(len(mine), startLinked)], s.Now())
	if len(mine) > startLinked {
		m.All = &view.Link{Label: page.T(ctx, "start.linked_all", "n", len(mine)), Href: paths.ClientCertificates}
	}
	return s.Show(w, r, http.StatusOK, portalview.Start(s.Frame(r, page.T(ctx, "nav.start")), m))
}

// waitingTasks are the challenges that were mailed to the person. They are
// hints: the link stands in the mail only.
func (s *Site) waitingTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	waiting, err := s.Mailbox.WaitingFor(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, c := range waiting {
		tasks = append(tasks, view.Task{
			Kind: view.Open, Link: view.Link{Label: page.T(ctx, "start.waiting_help"), Href: paths.Help},
			Text: page.T(ctx, "start.waiting", "address", string(c.Recipient), "asks", c.Asks, "until", c.Expires),
		})
	}
	return tasks, nil
}

// contactTasks are what waits in the domains that by looks after.
func (s *Site) contactTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
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
	if len(tasks) > page.MostTasks {
		tasks = append(tasks[:page.MostTasks], view.Task{
			Kind: view.Info, Text: page.T(ctx, "start.more_domains"),
			Link: view.Link{Label: page.T(ctx, "start.all_domains"), Href: paths.EmailDomains},
		})
	}
	return tasks, nil
}

// ownDomains are those by looks after; an officer reads others, too.
func (s *Site) ownDomains(ctx context.Context, by person.Actor) ([]org.EmailDomain, error) {
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
		Link: view.Link{Label: page.T(ctx, "start.look"), Href: viewHref(paths.EmailDomain(d.Name), rows)},
	}
}

// linked words addresses that belong to an account.
func linked(ctx context.Context, rows []mailbox.Linked, now time.Time) []mailboxview.LinkedModel {
	var ms []mailboxview.LinkedModel
	for _, l := range rows {
		m := mailboxview.LinkedModel{
			Address: string(l.Primary), Aliases: page.Addresses(l.Aliases), Kind: page.RowKind(ctx, l.Kind), Since: view.Day(ctx, l.Since, now),
			State: view.StateModel{Kind: view.Good, Word: page.T(ctx, "start.linked_good")},
		}
		switch {
		case !l.Active:
			m.State = view.StateModel{Kind: view.Ended, Word: page.T(ctx, "start.linked_inactive")}
		case l.Suspended:
			m.State = view.StateModel{Kind: view.Warn, Word: page.T(ctx, "start.linked_suspended")}
		}
		ms = append(ms, m)
	}
	return ms
}
