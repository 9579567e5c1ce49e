package organisations

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// Reassigning is where by may give o another contact, "" for nowhere, or what
// waits for a second officer already.
func (s *Section) Reassigning(ctx context.Context, by person.Actor, o org.Organisation) (appoint string, waiting *view.Task, err error) {
	waits, err := s.Handover.Reassignment(ctx, by, o.ID)
	switch {
	case err != nil:
		return "", nil, err
	case waits != nil:
		return "", &view.Task{
			Kind: view.Warn, Text: page.T(ctx, "office.reassign_open", "name", waits.SuccessorName, "by", waits.AskedByName),
			Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Reassignment(o.ID)},
		}, nil
	case handover.MayAskReassign(by, o) == nil:
		appoint = paths.OfficeOrganisation(o.ID) + "/contact"
	}
	return appoint, nil, nil
}

// mayReassign is the organisation that the path names, if by may give it another
// contact.
func (s *Section) mayReassign(r *http.Request) (org.Organisation, error) {
	o, err := s.Load(r)
	if err == nil {
		err = handover.MayAskReassign(s.Actor(r), o)
	}
	return o, err
}

func (s *Section) AskReassign(w http.ResponseWriter, r *http.Request) error {
	o, err := s.mayReassign(r)
	if err != nil {
		return err
	}
	return s.reassignPage(w, r, o, officeview.ReassignModel{}, nil)
}

func (s *Section) reassignPage(w http.ResponseWriter, r *http.Request, o org.Organisation, m officeview.ReassignModel, refused error) error {
	ctx, path := r.Context(), paths.OfficeOrganisation(o.ID)
	title := page.T(ctx, "office.appoint_title", "name", o.Name)
	f, status := s.OfficeFrame(r, title, OrganisationsCrumb(ctx), view.Link{Label: o.Name, Href: path}), http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
	}
	m.Dialog = view.DialogModel{
		Title: title, Verb: page.T(ctx, "office.appoint_verb"), Action: path + "/contact", Cancel: path,
		What: []string{page.T(ctx, "office.reassign_when", "name", o.ContactName), page.T(ctx, "office.appoint_what", "name", o.ContactName), page.T(ctx, "office.appoint_kept")},
	}
	if s.Handover.SecondOfficer {
		m.Dialog.Verb = page.T(ctx, "office.reassign_ask")
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "office.reassign_second"))
	}
	if len(m.Who.Choices) > 0 {
		m.Dialog.Hidden = []view.Hidden{{Name: "who", Value: m.Who.Who}}
	}
	return s.Show(w, r, status, officeview.Reassign(f, m))
}

// Reassign looks for whom the officer means and appoints them, or asks a second
// officer to; of several people it asks which.
func (s *Section) Reassign(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.mayReassign(r)
	if err != nil {
		return err
	}
	found, who, refused, err := s.PersonMeant(r)
	if err != nil {
		return err
	}
	m := officeview.ReassignModel{Who: who, Reason: strings.TrimSpace(r.PostFormValue("reason"))}
	if refused != nil {
		if m.Reason == "" && !page.Unsent(ctx) {
			m.ReasonError = page.T(ctx, "field.required")
		}
		return s.reassignPage(w, r, o, m, refused)
	}
	_, done, err := s.Handover.AskReassign(ctx, s.Actor(r), o.ID, found.ID, m.Reason)
	if err == nil {
		message := "office.reassign_asked"
		if done {
			message = "office.appointed"
		}
		return s.Done(w, r, paths.OfficeOrganisation(o.ID), message, "name", found.Label)
	}
	if !page.Answerable(err) {
		return err
	}
	fields, whole := page.Wrong(ctx, err)
	m.ReasonError, m.Who.Error = fields["reason"], fields["account"]
	if whole != "" {
		m.Who.Error = whole
	}
	return s.reassignPage(w, r, o, m, err)
}

// Reassignment is what a second officer reads before confirming.
func (s *Section) Reassignment(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Load(r)
	if err != nil {
		return err
	}
	waits, err := s.Handover.Reassignment(r.Context(), s.Actor(r), o.ID)
	if err == nil && waits == nil {
		return s.Done(w, r, paths.OfficeOrganisation(o.ID), "")
	}
	if err != nil {
		return err
	}
	return s.reassignmentPage(w, r, *waits)
}

func (s *Section) reassignmentPage(w http.ResponseWriter, r *http.Request, x handover.Reassignment) error {
	ctx, path := r.Context(), paths.Reassignment(x.Organisation)
	m := officeview.ReassignmentModel{
		Head: view.HeadModel{Title: page.T(ctx, "office.reassignment", "name", x.OrganisationName), Lead: page.T(ctx, "office.reassignment_lead")},
		Old:  view.Link{Label: x.BeforeName, Href: paths.OfficePerson(x.Before)}, New: view.Link{Label: x.SuccessorName, Href: paths.OfficePerson(x.Successor)},
		NewEmail: x.SuccessorEmail, By: x.AskedByName, Asked: view.At(ctx, x.Asked, s.Now()), Reason: x.Reason,
		What: []string{page.T(ctx, "office.appoint_what", "name", x.BeforeName), page.T(ctx, "office.appoint_kept"), page.T(ctx, "office.reassign_told")},
		Not:  page.Because(ctx, handover.MayConfirmReassign(x)),
	}
	hidden := []view.Hidden{{Name: "reassignment", Value: page.ID(x.ID)}}
	if m.Not == "" {
		m.Actions = []view.ButtonModel{{Label: page.T(ctx, "office.reassign_confirm"), Action: path + "/confirm", Hidden: hidden, Kind: view.Primary}}
	}
	if handover.MayDropReassign(x) == nil {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "office.reassign_drop"), Action: path + "/drop", Hidden: hidden})
	}
	f := s.OfficeFrame(r, m.Head.Title, OrganisationsCrumb(ctx), view.Link{Label: x.OrganisationName, Href: paths.OfficeOrganisation(x.Organisation)})
	return s.Show(w, r, http.StatusOK, officeview.ReassignmentPage(f, m))
}

// answerReassign does what an officer chose about the reassignment that the form
// showed.
func (s *Section) answerReassign(w http.ResponseWriter, r *http.Request, answer func(context.Context, person.Actor, handover.ReassignID) error, message string) error {
	o, err := s.Load(r)
	if err != nil {
		return err
	}
	waits, err := s.Handover.Reassignment(r.Context(), s.Actor(r), o.ID)
	if err != nil {
		return err
	}
	if waits == nil || page.ID(waits.ID) != r.PostFormValue("reassignment") {
		return fault.New(fault.Conflict, "handover.reassign.over")
	}
	if err := answer(r.Context(), s.Actor(r), waits.ID); err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeOrganisation(o.ID), message)
}

func (s *Section) ConfirmReassign(w http.ResponseWriter, r *http.Request) error {
	return s.answerReassign(w, r, s.Handover.ConfirmReassign, "office.reassign_confirmed")
}

func (s *Section) DropReassign(w http.ResponseWriter, r *http.Request) error {
	return s.answerReassign(w, r, s.Handover.DropReassign, "office.reassign_dropped")
}

// ReassignTasks are the changes of contact that wait for a second officer.
func (s *Section) ReassignTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	all, err := s.Handover.Reassignments(ctx, by)
	var tasks []view.Task
	for _, r := range all {
		if handover.MayConfirmReassign(r) == nil {
			tasks = append(tasks, view.Task{
				Kind: view.Open, Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.Reassignment(r.Organisation)},
				Text: page.T(ctx, "office.reassign_waits", "organisation", r.OrganisationName, "name", r.SuccessorName, "by", r.AskedByName),
			})
		}
	}
	return page.Most(tasks, func(n int) view.Task {
		return view.Task{Kind: view.Open, Text: page.T(ctx, "office.more_reassignments", "n", n), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeOrganisations}}
	}), err
}

// PersonMeant is the one account that the form names; else refused says why
// there is none, and the form asks better.
func (s *Section) PersonMeant(r *http.Request) (found person.Account, form officeview.AddMemberForm, refused, err error) {
	ctx := r.Context()
	form.Who = strings.TrimSpace(r.PostFormValue("who"))
	unclear := func(id string) error {
		if !page.Unsent(ctx) {
			form.Error = page.T(ctx, id, "who", form.Who)
		}
		return fault.ErrForm
	}
	if form.Who == "" {
		return found, form, unclear("field.required"), nil
	}
	all, err := s.People.Find(ctx, s.Actor(r), form.Who)
	if err != nil {
		return found, form, nil, err
	}
	chosen, _ := strconv.ParseInt(r.PostFormValue("account"), 10, 64)
	for _, a := range all {
		if len(all) == 1 || a.ID == person.ID(chosen) {
			return a, form, nil, nil
		}
		form.Choices = append(form.Choices, view.Choice{
			Value: page.ID(a.ID), Label: a.Label + " (" + cmp.Or(a.Email, a.Username) + ")",
			Hint: page.T(ctx, "office.member_choice", "username", a.Username, "email", a.Email, "day", view.Day(ctx, a.SignedIn, s.Now()).Text),
		})
	}
	if len(all) > 0 {
		return found, form, unclear("office.member_several"), nil
	}
	_, unverified, err := s.People.ByAddress(ctx, s.DB, form.Who)
	if unverified {
		return found, form, unclear("office.member_unverified"), err
	}
	return found, form, unclear("office.member_none"), err
}
