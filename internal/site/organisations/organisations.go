package organisations

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/organisationview"
)

// List lists those that by may see; who has one only sees it at once.
func (s *Section) List(w http.ResponseWriter, r *http.Request) error {
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
	return s.listPage(w, r, nil, organisationview.HandoverForm{}, nil)
}

// listPage lists them with the form that hands the ticked ones over;
// refused is why it came back.
func (s *Section) listPage(w http.ResponseWriter, r *http.Request, ticked []org.OrganisationID, form organisationview.HandoverForm, refused error) error {
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
		l := organisationview.OrganisationLine{Name: o.Name, Href: paths.Organisation(o.ID), Contact: o.ContactName, State: NamesState(ctx, counts[o.ID])}
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

// NamesState is how the names of an organisation stand as a whole.
func NamesState(ctx context.Context, n org.NameCount) view.StateModel {
	m := view.StateModel{Kind: view.Good}
	var words []string
	add := func(kind view.Kind, id string, n int) {
		if n > 0 {
			m.Kind, words = kind, append(words, page.T(ctx, id, "n", n))
		}
	}
	add(view.Good, "organisation.names_proven", n.Proven)
	add(view.Warn, "organisation.names_unproven", n.Accepted-n.Proven)
	add(view.Open, "organisation.names_asked", n.Asked)
	if len(words) == 0 {
		return view.StateModel{Kind: view.Paused, Word: page.T(ctx, "organisation.names_none_short")}
	}
	m.Word = strings.Join(words, ", ")
	return m
}

// Load is the organisation that the path names.
func (s *Section) Load(r *http.Request) (org.Organisation, error) {
	n, err := page.Number[org.OrganisationID](r, "organisation")
	if err != nil {
		return org.Organisation{}, err
	}
	return s.Org.Organisation(r.Context(), s.Actor(r), n)
}

func (s *Section) Organisation(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Load(r)
	if err != nil {
		return err
	}
	return s.onePage(w, r, o, storedForms(o), nil)
}

// contactForms are the forms of an organisation's page for its contact, as
// stored or as they came back.
type contactForms struct {
	ask      organisationview.AskNameForm
	remind   organisationview.RemindersForm
	handover *organisationview.HandoverForm // nil: not for who looks
}

func storedForms(o org.Organisation) contactForms {
	return contactForms{remind: Reminders(o), handover: handoverForm(o)}
}

// onePage shows o with its forms; refused is why one came back.
func (s *Section) onePage(w http.ResponseWriter, r *http.Request, o org.Organisation, forms contactForms, refused error) error {
	ctx, by := r.Context(), s.Actor(r)
	f, status := s.Frame(r, o.Name, view.Link{Label: page.T(ctx, "nav.organisations"), Href: paths.Organisations}), http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
	}
	m := organisationview.OrganisationModel{Head: view.HeadModel{Title: o.Name, Lead: page.T(ctx, "organisation.lead")}, Facts: s.Facts(ctx, o), Reminders: forms.remind}
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
	m.Names, m.Ended, err = s.NameLines(ctx, by, o, nil)
	if err != nil {
		return err
	}
	return s.Show(w, r, status, organisationview.OrganisationPage(f, m))
}

func (s *Section) Facts(ctx context.Context, o org.Organisation) organisationview.OrganisationFacts {
	m := organisationview.OrganisationFacts{
		Identifier: o.Identifier, Country: page.CountryWords(ctx, o.Country), Approval: page.T(ctx, "organisation.approval_office"),
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

// OrganisationsCrumb leads back to all organisations.
func OrganisationsCrumb(ctx context.Context) view.Link {
	return view.Link{Label: page.T(ctx, "office.organisations"), Href: paths.OfficeOrganisations}
}
