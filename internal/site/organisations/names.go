package organisations

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/organisationview"
)

// NameLines are the names of o, those that lead somewhere by href, and what
// ended last.
func (s *Section) NameLines(ctx context.Context, by person.Actor, o org.Organisation, href func(org.ServerName) string) ([]organisationview.ServerNameLine, []organisationview.EndedName, error) {
	names, err := s.Org.ServerNames(ctx, s.DB, o.ID)
	if err != nil {
		return nil, nil, err
	}
	ended, err := s.Org.EndedNames(ctx, s.DB, o.ID)
	if err != nil {
		return nil, nil, err
	}
	var lines []organisationview.ServerNameLine
	for _, n := range names {
		l := s.NameLine(ctx, n)
		if href != nil {
			l.Href = href(n)
		} else if n.Accepted == nil && org.MayEndName(by, o, n) == nil {
			l.Withdraw = paths.Organisation(o.ID) + "/names/" + page.ID(n.ID) + "/withdraw"
		}
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b organisationview.ServerNameLine) int { return strings.Compare(a.Name, b.Name) })
	var gone []organisationview.EndedName
	for _, n := range ended {
		gone = append(gone, organisationview.EndedName{Name: n.Name.Unicode(), When: view.Day(ctx, *n.Ended, s.Now()), Why: n.EndedWhy})
	}
	return lines, gone, nil
}

func (s *Section) NameLine(ctx context.Context, n org.ServerName) organisationview.ServerNameLine {
	l := organisationview.ServerNameLine{Name: n.Name.Unicode(), Wildcard: page.T(ctx, "organisation.no")}
	if n.Wildcard {
		l.Wildcard = page.T(ctx, "organisation.yes")
		if n.Accepted == nil {
			l.Wildcard = page.T(ctx, "organisation.wished")
		}
	}
	l.State, l.Until = nameState(ctx, n, s.Now())
	if n.From != nil {
		l.Proof = strings.Join(filled(n.Method, n.By, page.T(ctx, "office.from", "day", view.Day(ctx, *n.From, s.Now()).Text)), " · ")
	}
	return l
}

// filled leaves out what is empty.
func filled(all ...string) (some []string) {
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return some
}

// nameState words how n stands at now; until when is the second answer.
func nameState(ctx context.Context, n org.ServerName, now time.Time) (st view.StateModel, until string) {
	switch {
	case n.Ended != nil:
		return view.StateModel{Kind: view.Ended, Word: page.T(ctx, "organisation.name_ended")}, ""
	case n.Accepted == nil:
		return view.StateModel{Kind: view.Open, Word: page.T(ctx, "organisation.name_asked")}, page.T(ctx, "organisation.name_since", "day", view.Day(ctx, *n.Asked, now).Text)
	case n.Until == nil:
		return view.StateModel{Kind: view.Warn, Word: page.T(ctx, "organisation.name_unproven")}, ""
	}
	until = page.T(ctx, "office.until", "day", view.Day(ctx, *n.ProvenUntil(), now).Text)
	switch {
	case now.Before(*n.From):
		return view.StateModel{Kind: view.Paused, Word: page.T(ctx, "office.proven_later")}, page.T(ctx, "office.from", "day", view.Day(ctx, *n.From, now).Text)
	case !n.Proven(now):
		return view.StateModel{Kind: view.Bad, Word: page.T(ctx, "office.proven_no_more")}, until
	case n.ProvenUntil().Sub(now) <= page.ProofSoon:
		return view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: page.T(ctx, "office.proven_soon")}, until
	}
	return view.StateModel{Kind: view.Good, Word: page.T(ctx, "organisation.name_proven")}, until
}

// TypedName is the form as it was sent.
func TypedName(r *http.Request) organisationview.AskNameForm {
	return organisationview.AskNameForm{Name: r.PostFormValue("server_name"), Wildcard: r.PostFormValue("wildcard") == "on"}
}

func NameInput(m organisationview.AskNameForm) org.NameInput {
	return org.NameInput{Name: m.Name, Wildcard: m.Wildcard}
}

// WrongName is what is wrong with a name that was entered.
func WrongName(ctx context.Context, m *organisationview.AskNameForm, err error) {
	m.Errors, m.Whole = page.Wrong(ctx, err)
	if m.Whole != "" { // a conflict is about the name, too
		m.Errors["name"], m.Whole = m.Whole, ""
	}
}

func (s *Section) AskName(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.Load(r)
	if err != nil {
		return err
	}
	m := TypedName(r)
	if _, err = s.Org.AskName(ctx, s.Actor(r), o.ID, NameInput(m)); err == nil {
		return s.Done(w, r, paths.Organisation(o.ID), "organisation.asked", "name", strings.TrimSpace(m.Name))
	}
	if !page.Answerable(err) {
		return err
	}
	WrongName(ctx, &m, err)
	forms := storedForms(o)
	forms.ask = m
	return s.onePage(w, r, o, forms, err)
}

// LoadName is the name that the path names, with its organisation.
func (s *Section) LoadName(r *http.Request) (org.Organisation, org.ServerName, error) {
	o, err := s.Load(r)
	if err != nil {
		return o, org.ServerName{}, err
	}
	name, err := page.Number[org.ServerNameID](r, "name")
	if err != nil {
		return o, org.ServerName{}, err
	}
	n, err := s.Org.ServerName(r.Context(), s.Actor(r), name)
	if err == nil && n.Organisation != o.ID {
		err = fault.New(fault.Missing, "fault.missing")
	}
	return o, n, err
}

// WithdrawName takes back what was asked for; an officer declines it, and says
// why.
func (s *Section) WithdrawName(w http.ResponseWriter, r *http.Request) error {
	o, n, err := s.LoadName(r)
	if err != nil {
		return err
	}
	if err := org.MayAskName(s.Actor(r), o); err != nil {
		return err
	}
	if err := s.Org.EndName(r.Context(), s.Actor(r), n.ID, ""); err != nil {
		return err
	}
	return s.Done(w, r, paths.Organisation(o.ID), "organisation.withdrawn", "name", n.Name.Unicode())
}

// NameTasks are the names of by's organisations whose validation has lapsed or soon
// will: the registration office validates them, and orders wait for it.
func (s *Section) NameTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	now := s.Now()
	lapsing, err := s.Org.OwnLapsingNames(ctx, by, now.Add(page.ProofSoon))
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, n := range lapsing {
		until := n.ProvenUntil()
		if until == nil { // new, and the office has it in hand
			continue
		}
		args := []any{"name", n.Name.Unicode(), "organisation", n.OrganisationName}
		k := view.Task{Kind: view.Warn, Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Organisation(n.Organisation) + "#names"}}
		day := view.Ends(ctx, *until, now)
		k.By, k.Text = *until, page.T(ctx, "start.name_lapses", append(args, "when", day.Title, "day", day.Text)...)
		if !now.Before(*until) {
			k.Kind, k.Text = view.Bad, page.T(ctx, "start.name_lapsed", append(args, "day", day.Text)...)
		}
		tasks = append(tasks, k)
	}
	return s.few(ctx, tasks, "start.more_names"), nil
}
