package site

import (
	"context"
	"net/http"
	"slices"
	"time"

	"petschaft/internal/person"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
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
	var err error
	if m.Waits, err = s.servers.Waiting(ctx, by); err != nil {
		return err
	}
	for _, look := range []func(context.Context, person.Actor) ([]view.Task, error){s.mailboxes.WaitingTasks, s.organisations.HandoverTasks, s.organisations.FailedHandovers, s.organisations.ReminderTasks, s.organisations.NameTasks, s.clients.Tasks, s.servers.Tasks, s.servers.OrderTasks, s.mailboxes.ContactTasks, s.office.Tasks} {
		tasks, err := look(ctx, by)
		if err != nil {
			return err
		}
		m.Tasks = append(m.Tasks, tasks...)
	}
	mostUrgent(m.Tasks, s.Now())
	mine, err := s.mailbox.LinkedTo(ctx, by)
	if err != nil {
		return err
	}
	m.Linked = mailboxes.Linked(ctx, mine[:min(len(mine), startLinked)], s.Now())
	if len(mine) > startLinked {
		m.All = &view.Link{Label: page.T(ctx, "start.linked_all", "n", len(mine)), Href: paths.ClientCertificates}
	}
	f := s.Frame(r, page.T(ctx, "nav.start"))
	if m.Notices, err = s.notices(ctx, by, keeps(f)); err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, portalview.Start(f, m))
}

// mostUrgent puts in front what is too late within a week, soonest first; the rest
// follows as it was found, and then what has more time.
func mostUrgent(tasks []view.Task, now time.Time) {
	by := func(k view.Task) time.Time {
		if k.By.IsZero() {
			return now.Add(soon)
		}
		return k.By
	}
	slices.SortStableFunc(tasks, func(a, b view.Task) int { return by(a).Compare(by(b)) })
}

const soon = 7 * 24 * time.Hour
