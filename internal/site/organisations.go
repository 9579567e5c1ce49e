package site

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/organisationview"
)

// organisations lists those that by may see; who has one only sees it at once.
func (s *Site) organisations(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	all, err := s.Org.Organisations(ctx, by)
	if err != nil {
		return err
	}
	switch {
	case len(all) == 0 && !by.Officer:
		return fault.New(fault.Denied, "org.organisation.section_closed")
	case len(all) == 1 && !by.Officer:
		http.Redirect(w, r, paths.Organisation(all[0].ID), http.StatusSeeOther)
		return nil
	}
	return s.organisationsPage(w, r, nil, organisationview.HandoverForm{}, nil)
}

// organisationsPage lists them with the form that hands the ticked ones over;
// refused is why it came back.
func (s *Site) organisationsPage(w http.ResponseWriter, r *http.Request, ticked []org.OrganisationID, form organisationview.HandoverForm, refused error) error {
	ctx, by := r.Context(), s.Actor(r)
	m, title := organisationview.OrganisationsModel{Mine: !by.Officer}, page.T(ctx, "nav.organisations")
	if m.Mine {
		title = page.T(ctx, "organisations.mine")
	}
	f, status := s.Frame(r, title), http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
	}
	all, err := s.Org.Organisations(ctx, by)
	if err != nil {
		return err
	}
	form.Action, form.List = paths.Handovers, true
	if len(all) == 0 {
		m.Empty = &view.EmptyModel{
			Title: page.T(ctx, "office.organisations_none"), Text: page.T(ctx, "office.organisations_none_text"),
			Action: &view.ButtonModel{Label: page.T(ctx, "office.organisation_new"), Href: paths.NewOrganisation, Kind: view.Primary},
		}
	}
	counts, err := s.Org.NameCounts(ctx, by)
	if err != nil {
		return err
	}
	open, err := s.Handover.Mine(ctx, by)
	if err != nil {
		return err
	}
	for _, o := range all {
		l := organisationview.OrganisationLine{Name: o.Name, Href: paths.Organisation(o.ID), Contact: o.ContactName, State: namesState(ctx, counts[o.ID])}
		if handover.MayOffer(o) == nil {
			m.Handover = &form
			l.Tick = &view.TickModel{ID: "row-" + page.ID(o.ID), Value: page.ID(o.ID), Label: page.T(ctx, "bulk.tick_row", "name", o.Name), On: slices.Contains(ticked, o.ID)}
		}
		if i := slices.IndexFunc(open, func(h handover.Offer) bool { return h.Gives && h.Organisation == o.ID }); i >= 0 {
			st := handoverState(ctx, open[i])
			l.Handover = &st
		}
		m.Lines = append(m.Lines, l)
	}
	return s.Show(w, r, status, organisationview.Organisations(f, m))
}

// namesState is how the names of an organisation stand as a whole.
func namesState(ctx context.Context, n org.NameCount) view.StateModel {
	switch {
	case n.Asked > 0:
		return view.StateModel{Kind: view.Open, Word: page.T(ctx, "organisation.names_asked", "n", n.Asked)}
	case n.Accepted == 0:
		return view.StateModel{Kind: view.Paused, Word: page.T(ctx, "organisation.names_none_short")}
	case n.Proven < n.Accepted:
		return view.StateModel{Kind: view.Warn, Word: page.T(ctx, "organisation.names_unproven", "n", n.Accepted-n.Proven)}
	}
	return view.StateModel{Kind: view.Good, Word: page.T(ctx, "organisation.names_proven", "n", n.Accepted)}
}

// organisationAsked is the organisation that the path names.
func (s *Site) organisationAsked(r *http.Request) (org.Organisation, error) {
	n, err := page.Number[org.OrganisationID](r, "organisation")
	if err != nil {
		return org.Organisation{}, err
	}
	return s.Org.Organisation(r.Context(), s.Actor(r), n)
}

func (s *Site) organisation(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisationAsked(r)
	if err != nil {
		return err
	}
	return s.organisationPage(w, r, o, storedForms(o), nil)
}

// contactForms are the forms of an organisation's page for its contact, as
// stored or as they came back.
type contactForms struct {
	ask      organisationview.AskNameForm
	remind   organisationview.RemindersForm
	handover *organisationview.HandoverForm // nil: not for who looks
}

func storedForms(o org.Organisation) contactForms {
	return contactForms{remind: reminders(o), handover: handoverForm(o)}
}

// organisationPage shows o with its forms; refused is why one came back.
func (s *Site) organisationPage(w http.ResponseWriter, r *http.Request, o org.Organisation, forms contactForms, refused error) error {
	ctx, by := r.Context(), s.Actor(r)
	f, status := s.Frame(r, o.Name, view.Link{Label: page.T(ctx, "nav.organisations"), Href: paths.Organisations}), http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
	}
	m := organisationview.OrganisationModel{Head: view.HeadModel{Title: o.Name, Lead: page.T(ctx, "organisation.lead")}, Facts: s.organisationFacts(ctx, o), Reminders: forms.remind}
	m.Reminders.Action = paths.Organisation(o.ID) + "/reminders"
	if by.Officer {
		m.Head.Actions = []view.ButtonModel{{Label: page.T(ctx, "organisation.to_office"), Href: paths.OfficeOrganisation(o.ID)}}
	}
	if org.MayAskName(by, o) == nil {
		forms.ask.Action, forms.ask.Submit = paths.Organisation(o.ID)+"/names", page.T(ctx, "organisation.ask_button")
		m.Ask = &forms.ask
	}
	if len(o.Unconfirmed) > 0 && org.MayConfirmReminders(by, o) == nil {
		m.Confirm = &organisationview.ConfirmReminders{Action: paths.Organisation(o.ID) + "/reminders/confirm", Addresses: o.Unconfirmed}
	}
	var err error
	if m.Handovers, err = s.handovers(ctx, by, o, forms.handover); err != nil {
		return err
	}
	m.Names, m.Ended, err = s.nameLines(ctx, by, o, nil)
	if err != nil {
		return err
	}
	return s.Show(w, r, status, organisationview.OrganisationPage(f, m))
}

func (s *Site) organisationFacts(ctx context.Context, o org.Organisation) organisationview.OrganisationFacts {
	m := organisationview.OrganisationFacts{
		Identifier: o.Identifier, Country: countryWords(ctx, o.Country), Approval: page.T(ctx, "organisation.approval_office"),
		Contact: o.ContactName, ContactEmail: o.ContactEmail, Appointed: view.Day(ctx, o.Appointed, s.Now()),
	}
	if o.AutoApprove {
		m.Approval = page.T(ctx, "organisation.approval_rule")
	}
	if o.Officer {
		m.ContactHref = paths.OfficePerson(o.ContactID)
	}
	return m
}

// nameLines are the names of o, those that lead somewhere by href, and what
// ended last.
func (s *Site) nameLines(ctx context.Context, by person.Actor, o org.Organisation, href func(org.ServerName) string) ([]organisationview.ServerNameLine, []organisationview.EndedName, error) {
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
		l := s.nameLine(ctx, n)
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

func (s *Site) nameLine(ctx context.Context, n org.ServerName) organisationview.ServerNameLine {
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

// typedName is the form as it was sent.
func typedName(r *http.Request) organisationview.AskNameForm {
	return organisationview.AskNameForm{Name: r.PostFormValue("server_name"), Wildcard: r.PostFormValue("wildcard") == "on"}
}

func nameInput(m organisationview.AskNameForm) org.NameInput {
	return org.NameInput{Name: m.Name, Wildcard: m.Wildcard}
}

// wrongName is what is wrong with a name that was entered.
func wrongName(ctx context.Context, m *organisationview.AskNameForm, err error) {
	m.Errors, m.Whole = page.Wrong(ctx, err)
	if m.Whole != "" { // a conflict is about the name, too
		m.Errors["name"], m.Whole = m.Whole, ""
	}
}

func (s *Site) askName(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.organisationAsked(r)
	if err != nil {
		return err
	}
	m := typedName(r)
	if _, err = s.Org.AskName(ctx, s.Actor(r), o.ID, nameInput(m)); err == nil {
		return s.Done(w, r, paths.Organisation(o.ID), "organisation.asked", "name", strings.TrimSpace(m.Name))
	}
	if !page.Answerable(err) {
		return err
	}
	wrongName(ctx, &m, err)
	forms := storedForms(o)
	forms.ask = m
	return s.organisationPage(w, r, o, forms, err)
}

// nameAsked is the name that the path names, with its organisation.
func (s *Site) nameAsked(r *http.Request) (org.Organisation, org.ServerName, error) {
	o, err := s.organisationAsked(r)
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

// withdrawName takes back what was asked for; an officer declines it, and says
// why.
func (s *Site) withdrawName(w http.ResponseWriter, r *http.Request) error {
	o, n, err := s.nameAsked(r)
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
