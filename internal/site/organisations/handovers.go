package organisations

import (
	"context"
	"time"

	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/organisationview"
)

// handoverEnds words how a handover ended.
var handoverEnds = map[handover.State]struct {
	kind  view.Kind
	words string
}{
	handover.Done:      {view.Good, "handover.event_done"},
	handover.Declined:  {view.Ended, "handover.event_declined"},
	handover.Cancelled: {view.Ended, "handover.event_cancelled"},
	handover.Expired:   {view.Ended, "handover.event_expired"},
	handover.Locked:    {view.Bad, "handover.event_locked"},
	handover.Replaced:  {view.Ended, "handover.event_replaced"},
}

// handoverEvents are the steps of a handover, and the one that it waits for.
func (s *Section) handoverEvents(ctx context.Context, o handover.Offer) []view.Event {
	now := s.Now()
	at := func(t time.Time) view.Moment { return view.At(ctx, t, now) }
	to := []any{"name", o.SuccessorName}
	events := []view.Event{{Kind: view.Open, Title: page.T(ctx, "handover.event_offered", to...), When: at(o.Created), Who: o.GiverName}}
	if o.Reminded != nil {
		events = append(events, view.Event{Icon: view.IconMail, Title: page.T(ctx, "handover.event_reminded", to...), When: at(*o.Reminded)})
	}
	if o.Accepted != nil {
		events = append(events, view.Event{Kind: view.Good, Title: page.T(ctx, "handover.event_accepted"), When: at(*o.Accepted), Who: o.SuccessorName})
	}
	switch end := handoverEnds[o.State]; {
	case o.Ended != nil:
		events = append(events, view.Event{Kind: end.kind, Title: page.T(ctx, end.words, to...), When: at(*o.Ended)})
	case !o.Open(now):
		events = append(events, view.Event{Kind: view.Ended, Title: page.T(ctx, "handover.event_expired", to...), When: at(o.Ends)})
	case o.Accepted == nil:
		events = append(events, view.Event{Icon: view.IconOpen, Title: page.T(ctx, "handover.event_answer", to...), Text: page.T(ctx, "handover.by", "day", at(o.Ends).Text)})
	default:
		events = append(events, view.Event{Icon: view.IconOpen, Title: page.T(ctx, "handover.event_password", to...), Text: page.T(ctx, "handover.by", "day", at(o.Ends).Text)})
	}
	return events
}

// handoverState is where an open one stands, short.
func handoverState(ctx context.Context, o handover.Offer) view.StateModel {
	if o.State == handover.Accepted {
		return view.StateModel{Kind: view.Open, Word: page.T(ctx, "handover.state_accepted")}
	}
	return view.StateModel{Kind: view.Open, Word: page.T(ctx, "handover.state_offered")}
}

// handovers is what the page of o says of its handovers.
func (s *Section) handovers(ctx context.Context, by person.Actor, o org.Organisation, form *organisationview.HandoverForm) (m organisationview.HandoversModel, err error) {
	m.Form = form
	all, err := s.Handover.OfOrganisation(ctx, by, o.ID)
	for i, h := range all {
		if i == 0 {
			m.Last, m.Open = s.handoverEvents(ctx, h), s.openHandover(ctx, h)
		} else {
			m.Earlier = append(m.Earlier, s.handoverEvents(ctx, h)...)
		}
	}
	return m, err
}

// openHandover says what an open one waits for, to who gives; nil when it is
// over.
func (s *Section) openHandover(ctx context.Context, o handover.Offer) *organisationview.HandoverOpen {
	if !o.Open(s.Now()) {
		return nil
	}
	until := view.At(ctx, o.Ends, s.Now()).Text
	m := &organisationview.HandoverOpen{Notice: view.NoticeModel{
		Kind: view.Info, Title: page.T(ctx, "handover.open_offered", "name", o.SuccessorName), Text: page.T(ctx, "handover.open_offered_text", "name", o.SuccessorName, "until", until),
	}}
	if o.State == handover.Accepted {
		m.Notice.Title, m.Notice.Text = page.T(ctx, "handover.open_accepted", "name", o.SuccessorName), page.T(ctx, "handover.open_accepted_text", "name", o.SuccessorName, "until", until)
	}
	if o.SuccessorLocked {
		m.Notice.Kind, m.Notice.Text = view.Warn, page.T(ctx, "handover.open_locked", "name", o.SuccessorName)
	}
	if handover.MayCancel(o, s.Now()) == nil {
		m.Actions = []view.ButtonModel{{Label: page.T(ctx, "handover.cancel"), Href: paths.Handover(o.ID) + "/cancel", Icon: view.IconBan}}
	}
	return m
}

// HandoverTasks are the handovers that by gives or receives.
func (s *Section) HandoverTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	open, err := s.Handover.Mine(ctx, by)
	var tasks []view.Task
	for _, o := range open {
		tasks = append(tasks, s.handoverTask(ctx, o))
	}
	return s.few(ctx, tasks, "start.more_handovers"), err
}

func (s *Section) handoverTask(ctx context.Context, o handover.Offer) view.Task {
	args := []any{"organisation", o.OrganisationName, "from", o.GiverName, "to", o.SuccessorName, "until", view.Ends(ctx, o.Ends, s.Now()).Text}
	if o.Receives {
		link := view.Link{Label: page.T(ctx, "start.look"), Href: paths.Handover(o.ID)}
		if o.State == handover.Accepted {
			link.Label = page.T(ctx, "start.handover_enter")
			return view.Task{Kind: view.Open, By: o.Ends, Text: page.T(ctx, "start.handover_password", args...), Link: link}
		}
		return view.Task{Kind: view.Open, By: o.Ends, Text: page.T(ctx, "start.handover_offered", args...), Link: link}
	}
	k := view.Task{Kind: view.Paused, By: o.Ends, Text: page.T(ctx, "start.handover_waits", args...), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Organisation(o.Organisation) + "#contact"}}
	switch {
	case o.SuccessorLocked:
		k.Kind, k.Text = view.Warn, page.T(ctx, "start.handover_locked", args...)
	case o.State == handover.Accepted:
		k.Kind, k.Text = view.Open, page.T(ctx, "start.handover_pass", args...)
	}
	return k
}

// few are the first of tasks that are about organisations.
func (s *Section) few(ctx context.Context, tasks []view.Task, more string) []view.Task {
	return page.Most(tasks, func(n int) view.Task {
		return view.Task{Kind: view.Info, Text: page.T(ctx, more, "n", n), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Organisations}}
	})
}

// FailedHandovers are those of by's that came to nothing lately.
func (s *Section) FailedHandovers(ctx context.Context, by person.Actor) ([]view.Task, error) {
	failed, err := s.Handover.Failed(ctx, by)
	var tasks []view.Task
	for _, o := range failed {
		words := map[handover.State]string{
			handover.Declined: "start.handover_declined", handover.Expired: "start.handover_expired", handover.Locked: "start.handover_wrong",
		}[o.State]
		tasks = append(tasks, view.Task{
			Kind: view.Warn, Text: page.T(ctx, words, "organisation", o.OrganisationName, "to", o.SuccessorName),
			Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Organisation(o.Organisation) + "#contact"},
		})
	}
	return s.few(ctx, tasks, "start.more_handovers"), err
}

// ReminderTasks are the addresses that somebody entered who was the contact
// before by.
func (s *Section) ReminderTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	all, err := s.Org.Organisations(ctx, by)
	var tasks []view.Task
	for _, o := range all {
		if o.Contact && len(o.Unconfirmed) > 0 {
			tasks = append(tasks, view.Task{
				Kind: view.Warn, Text: page.T(ctx, "start.reminders_confirm", "organisation", o.Name),
				Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Organisation(o.ID)},
			})
		}
	}
	return s.few(ctx, tasks, "start.more_reminders"), err
}
