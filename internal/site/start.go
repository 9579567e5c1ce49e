package site

import (
	"context"
	"net/http"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
	"petschaft/web/view/portalview"
)

const (
	startLinked = 5                   // linked addresses on the start page
	startTasks  = 8                   // sentences of one kind there; the rest is behind a link
	proofSoon   = 30 * 24 * time.Hour // a proof that lapses within this time is told
	failLimit   = 100                 // failures that are listed
)

// start is the first page: what the portal is for, or what is to be done.
func (s *Site) start(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	by, ok := s.Desk.Actor(ctx)
	if !ok {
		f := s.frame(r, t(ctx, "start.welcome_title"))
		f.SignIn = "" // the page's own button does it
		return s.show(w, r, http.StatusOK, portalview.Welcome(f, portalview.WelcomeModel{SignIn: paths.SignIn}))
	}
	m := portalview.StartModel{Lead: t(ctx, "start.lead"), Quiet: t(ctx, "start.nothing_text")}
	for _, look := range []func(context.Context, person.Actor) ([]view.Task, error){s.waitingTasks, s.handoverTasks, s.failedHandovers, s.reminderTasks, s.certificateTasks, s.serverTasks, s.orderTasks, s.contactTasks, s.officeTasks} {
		tasks, err := look(ctx, by)
		if err != nil {
			return err
		}
		m.Tasks = append(m.Tasks, tasks...)
	}
	linked, err := s.Mailbox.LinkedTo(ctx, by)
	if err != nil {
		return err
	}
	m.Linked = s.linked(ctx, linked[:min(len(linked), startLinked)])
	if len(linked) > startLinked {
		m.All = &view.Link{Label: t(ctx, "start.linked_all", "n", len(linked)), Href: paths.ClientCertificates}
	}
	return s.show(w, r, http.StatusOK, portalview.Start(s.frame(r, t(ctx, "nav.start")), m))
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
			Kind: view.Open, Link: view.Link{Label: t(ctx, "start.waiting_help"), Href: paths.Help},
			Text: t(ctx, "start.waiting", "address", string(c.Recipient), "asks", c.Asks, "until", c.Expires),
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
	if len(tasks) > startTasks {
		tasks = append(tasks[:startTasks], view.Task{
			Kind: view.Info, Text: t(ctx, "start.more_domains"),
			Link: view.Link{Label: t(ctx, "start.all_domains"), Href: paths.EmailDomains},
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
		Kind: kind, Text: t(ctx, words, "n", n, "domain", d.Name.Unicode()),
		Link: view.Link{Label: t(ctx, "start.look"), Href: viewHref(paths.EmailDomain(d.Name), rows)},
	}
}

// linked words addresses that belong to an account.
func (s *Site) linked(ctx context.Context, rows []mailbox.Linked) []mailboxview.LinkedModel {
	var ms []mailboxview.LinkedModel
	for _, l := range rows {
		m := mailboxview.LinkedModel{
			Address: string(l.Primary), Aliases: addresses(l.Aliases), Kind: kindWords(ctx, l.Kind), Since: view.Day(ctx, l.Since, s.Now()),
			State: view.StateModel{Kind: view.Good, Word: t(ctx, "start.linked_good")},
		}
		switch {
		case !l.Active:
			m.State = view.StateModel{Kind: view.Ended, Word: t(ctx, "start.linked_inactive")}
		case l.Suspended:
			m.State = view.StateModel{Kind: view.Warn, Word: t(ctx, "start.linked_suspended")}
		}
		ms = append(ms, m)
	}
	return ms
}
