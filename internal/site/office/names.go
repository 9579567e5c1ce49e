package office

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/site/organisations"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

func officeNamePath(n org.ServerName) string {
	return paths.OfficeName(n.Organisation, n.ID)
}

func (s *Section) AddName(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.Organisations.Load(r)
	if err != nil {
		return err
	}
	m := organisations.TypedName(r)
	added, err := s.Org.AddName(ctx, s.Actor(r), o.ID, organisations.NameInput(m))
	if err == nil {
		return s.Done(w, r, officeNamePath(org.ServerName{Organisation: o.ID, ID: added}), "office.name_added")
	}
	if !page.Answerable(err) {
		return err
	}
	organisations.WrongName(ctx, &m, err)
	forms := storedOrganisation(o)
	forms.add = m
	return s.organisationPage(w, r, o, forms, err)
}

func (s *Section) Name(w http.ResponseWriter, r *http.Request) error {
	o, n, err := s.Organisations.LoadName(r)
	if err != nil {
		return err
	}
	m := officeview.NameForm{Wildcard: n.Wildcard, Method: n.Method, By: n.By}
	if n.From != nil {
		m.From, m.Until = n.From.UTC().Format(time.DateOnly), n.Until.UTC().Format(time.DateOnly)
	} else {
		m.By = s.Actor(r).Name
	}
	return s.namePage(w, r, o, n, m, nil)
}

// namePage shows n with the form m; refused is why it came back.
func (s *Section) namePage(w http.ResponseWriter, r *http.Request, o org.Organisation, n org.ServerName, m officeview.NameForm, refused error) error {
	ctx, by := r.Context(), s.Actor(r)
	f := s.OfficeFrame(r, n.Name.Unicode(), organisations.OrganisationsCrumb(ctx), view.Link{Label: o.Name, Href: paths.OfficeOrganisation(o.ID)})
	status := http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
		m.Errors, m.Whole = page.Wrong(ctx, refused)
	}
	p := officeview.NameModel{Facts: s.Organisations.NameLine(ctx, n)}
	if n.From == nil {
		p.Facts.Until = ""
	}
	if n.Name.Unicode() != string(n.Name) {
		p.ASCII = string(n.Name)
	}
	st := p.Facts.State
	st.Pill = true
	p.Head = view.HeadModel{Title: n.Name.Unicode(), State: &st}
	if err := org.MayKeepOrganisation(by, o); err != nil {
		p.Own = page.T(ctx, fault.Of(err).ID)
	} else if n.Ended == nil {
		m.Action, m.Submit, m.UntilHint = officeNamePath(n), page.T(ctx, "office.name_save"), page.T(ctx, "office.name_until_hint", "days", strconv.Itoa(org.ReuseDays(s.Now())))
		if n.Accepted == nil {
			m.Submit = page.T(ctx, "office.name_add")
		}
		p.Form = m
		p.Head.Actions = []view.ButtonModel{endNameButton(ctx, n)}
	}
	if n.AskedBy != nil {
		who, err := s.People.Names(ctx, []person.ID{*n.AskedBy})
		if err != nil {
			return err
		}
		p.Asked = page.T(ctx, "office.name_asked_by", "name", who[*n.AskedBy], "day", view.Day(ctx, *n.Asked, s.Now()).Text)
	}
	var err error
	if p.History, err = s.history(ctx, by, n.ID.Thing()); err != nil {
		return err
	}
	return s.Show(w, r, status, officeview.Name(f, p))
}

func endNameButton(ctx context.Context, n org.ServerName) view.ButtonModel {
	b := view.ButtonModel{Label: page.T(ctx, "office.name_end"), Href: officeNamePath(n) + "/end", Kind: view.Danger}
	if n.Accepted == nil {
		b.Label = page.T(ctx, "office.name_decline")
	}
	return b
}

func (s *Section) ValidateName(w http.ResponseWriter, r *http.Request) error {
	o, n, err := s.Organisations.LoadName(r)
	if err != nil {
		return err
	}
	v := r.PostFormValue
	m := officeview.NameForm{Wildcard: v("wildcard") == "on", Method: v("proof_method"), By: v("proof_by"), From: v("proof_from"), Until: v("proof_until")}
	in := org.Check{Wildcard: m.Wildcard, Proof: org.Proof{Method: m.Method, By: m.By, From: page.TypedDay(m.From), Until: page.TypedDay(m.Until)}}
	if m.Until != "" && in.Until.IsZero() { // no day, which is not the same as none given
		var bad fault.Fields
		bad.Add("proof_until", "field.date")
		err = bad.Err()
	} else {
		err = s.Org.ValidateName(r.Context(), s.Actor(r), n.ID, in)
	}
	if err == nil {
		if err := s.Order.Recheck(r.Context(), o.ID); err != nil {
			return err
		}
		return s.Done(w, r, officeNamePath(n), "office.saved")
	}
	if !page.Answerable(err) {
		return err
	}
	return s.namePage(w, r, o, n, m, err)
}

func (s *Section) AskEndName(w http.ResponseWriter, r *http.Request) error {
	o, n, err := s.Organisations.LoadName(r)
	if err != nil {
		return err
	}
	if n.Ended != nil {
		return s.Done(w, r, officeNamePath(n), "office.name_ended", "name", n.Name.Unicode())
	}
	if err := org.MayKeepOrganisation(s.Actor(r), o); err != nil {
		return err
	}
	return s.endNamePage(w, r, o, n, nil)
}

// endNamePage asks why n ends; refused is why the form came back.
func (s *Section) endNamePage(w http.ResponseWriter, r *http.Request, o org.Organisation, n org.ServerName, refused error) error {
	ctx, path := r.Context(), officeNamePath(n)
	b := endNameButton(ctx, n)
	title, what := page.T(ctx, "office.name_end_title", "name", n.Name.Unicode()), []string{page.T(ctx, "office.name_end_what"), page.T(ctx, "office.name_end_kept")}
	if n.Accepted == nil {
		title, what = page.T(ctx, "office.name_decline_title", "name", n.Name.Unicode()), []string{page.T(ctx, "office.name_decline_what")}
	}
	f := s.OfficeFrame(r, title, organisations.OrganisationsCrumb(ctx), view.Link{Label: o.Name, Href: paths.OfficeOrganisation(o.ID)}, view.Link{Label: n.Name.Unicode(), Href: path})
	status := http.StatusOK
	m := officeview.EndNameModel{Why: r.PostFormValue("why"), Dialog: view.DialogModel{Title: title, What: what, Verb: b.Label, Danger: true, Action: path + "/end", Cancel: path}}
	if refused != nil {
		fields, whole := page.Wrong(ctx, refused)
		m.Error, m.Whole = fields["why"], whole
		f, status = s.Refused(w, f, refused)
	}
	return s.Show(w, r, status, officeview.EndName(f, m))
}

func (s *Section) EndName(w http.ResponseWriter, r *http.Request) error {
	o, n, err := s.Organisations.LoadName(r)
	if err != nil {
		return err
	}
	err = s.Org.EndName(r.Context(), s.Actor(r), n.ID, r.PostFormValue("why"))
	if fault.Is(err, fault.Invalid) || errors.Is(err, postgres.ErrShown) {
		return s.endNamePage(w, r, o, n, err)
	}
	if err != nil {
		return err
	}
	done := "office.name_ended"
	if n.Accepted == nil {
		done = "office.name_declined"
	}
	return s.Done(w, r, paths.OfficeOrganisation(o.ID), done, "name", n.Name.Unicode())
}

// nameTasks are the names that wait for an officer, and the validations that
// have lapsed or soon will. What an officer may not decide is left out.
func (s *Section) nameTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	asked, err := s.Org.AskedNames(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, n := range asked {
		if !n.Contact {
			tasks = append(tasks, view.Task{
				Kind: view.Open, Link: view.Link{Label: page.T(ctx, "office.name_look"), Href: officeNamePath(n.ServerName)},
				Text: page.T(ctx, "office.name_task", "organisation", n.OrganisationName, "name", n.Name.Unicode()),
			})
		}
	}
	lapsing, err := s.Org.LapsingNames(ctx, by, s.Now().Add(page.ProofSoon))
	if err != nil {
		return nil, err
	}
	for _, n := range lapsing {
		tasks = append(tasks, s.lapsingTask(ctx, n))
	}
	return page.Most(tasks, func(int) view.Task {
		return view.Task{Kind: view.Info, Text: page.T(ctx, "office.more_names"), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeOrganisations}}
	}), nil
}

func (s *Section) lapsingTask(ctx context.Context, n org.LapsingName) view.Task {
	k := view.Task{Kind: view.Warn, Link: view.Link{Label: page.T(ctx, "office.name_validate"), Href: officeNamePath(n.ServerName)}}
	name, until := n.Name.Unicode(), n.ProvenUntil()
	if until == nil {
		k.Text = page.T(ctx, "office.name_unproven", "name", name, "organisation", n.OrganisationName)
		return k
	}
	k.By = *until
	when := view.Day(ctx, *until, s.Now()).Text
	k.Text = page.T(ctx, "office.name_lapses", "name", name, "organisation", n.OrganisationName, "when", when)
	if !s.Now().Before(*until) {
		k.Kind, k.Text = view.Bad, page.T(ctx, "office.name_lapsed", "name", name, "organisation", n.OrganisationName, "when", when)
	}
	return k
}
