package office

import (
	"errors"
	"net/http"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/site/organisations"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
	"petschaft/web/view/organisationview"
)

func (s *Section) AllOrganisations(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	all, err := s.Org.Organisations(ctx, by)
	if err != nil {
		return err
	}
	counts, err := s.Org.NameCounts(ctx, by)
	if err != nil {
		return err
	}
	m := officeview.OrganisationsModel{}
	for _, o := range all {
		m.Lines = append(m.Lines, officeview.OrganisationLine{
			OrganisationLine: organisationview.OrganisationLine{Name: o.Name, Href: paths.OfficeOrganisation(o.ID), Contact: o.ContactName, State: organisations.NamesState(ctx, counts[o.ID])},
			ContactHref:      paths.OfficePerson(o.ContactID), Count: locale.From(ctx).Number(int64(counts[o.ID].Accepted)), Auto: o.AutoApprove,
		})
	}
	return s.Show(w, r, http.StatusOK, officeview.Organisations(s.OfficeFrame(r, page.T(ctx, "office.organisations")), m))
}

// typedOrganisation is the form as it was sent.
func typedOrganisation(r *http.Request) officeview.OrganisationForm {
	v := r.PostFormValue
	country := v("country")
	if code, ok := org.ParseCountry(country); ok {
		country = code
	}
	return officeview.OrganisationForm{Name: v("name"), Identifier: v("identifier"), Country: country, Auto: v("auto") == "on"}
}

func organisationInput(m officeview.OrganisationForm) org.OrganisationInput {
	return org.OrganisationInput{Name: m.Name, Identifier: m.Identifier, Country: m.Country, AutoApprove: m.Auto}
}

func (s *Section) NewOrganisation(w http.ResponseWriter, r *http.Request) error {
	return s.newOrganisationPage(w, r, http.StatusOK, s.newOrganisationFrame(r), officeview.OrganisationForm{Country: "DE"})
}

func (s *Section) newOrganisationFrame(r *http.Request) view.Frame {
	return s.OfficeFrame(r, page.T(r.Context(), "office.organisation_new"), organisations.OrganisationsCrumb(r.Context()))
}

func (s *Section) newOrganisationPage(w http.ResponseWriter, r *http.Request, status int, f view.Frame, m officeview.OrganisationForm) error {
	m.Countries = organisations.CountryChoices(r.Context(), m.Country)
	m.New, m.Action, m.Cancel = true, paths.OfficeOrganisations, paths.OfficeOrganisations
	return s.Show(w, r, status, officeview.NewOrganisation(f, m))
}

func (s *Section) AddOrganisation(w http.ResponseWriter, r *http.Request) error {
	ctx, m := r.Context(), typedOrganisation(r)
	contact, who, unclear, err := s.Organisations.PersonMeant(r)
	if err != nil {
		return err
	}
	in := organisationInput(m)
	in.Contact, m.Contact = contact.ID, who // nobody where it is unclear; what else is wrong is then said, too
	added, err := s.Org.AddOrganisation(ctx, s.Actor(r), in)
	if err == nil {
		return s.Done(w, r, paths.OfficeOrganisation(added), "office.organisation_added", "name", m.Name)
	}
	if !page.Answerable(err) {
		return err
	}
	m.Errors, m.Whole = page.WrongAt(ctx, err, org.ErrOrganisationName, "name")
	if unclear == nil && errors.Is(err, org.ErrSelf) {
		m.Contact.Error, m.Whole = m.Whole, ""
	}
	f, status := s.Refused(w, s.newOrganisationFrame(r), err)
	return s.newOrganisationPage(w, r, status, f, m)
}

// organisationForms are the forms of an organisation's page, as stored or as
// they came back.
type organisationForms struct {
	edit   officeview.OrganisationForm
	add    organisationview.AskNameForm
	remind organisationview.RemindersForm
}

func storedOrganisation(o org.Organisation) organisationForms {
	return organisationForms{
		edit:   officeview.OrganisationForm{Name: o.Name, Identifier: o.Identifier, Country: o.Country, Auto: o.AutoApprove},
		remind: organisations.Reminders(o),
	}
}

func (s *Section) Organisation(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Organisations.Load(r)
	if err != nil {
		return err
	}
	return s.organisationPage(w, r, o, storedOrganisation(o), nil)
}

// organisationPage shows o with its forms; refused is why one came back.
func (s *Section) organisationPage(w http.ResponseWriter, r *http.Request, o org.Organisation, forms organisationForms, refused error) error {
	ctx, by := r.Context(), s.Actor(r)
	f, status := s.OfficeFrame(r, o.Name, organisations.OrganisationsCrumb(ctx)), http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
	}
	path := paths.OfficeOrganisation(o.ID)
	forms.edit.Countries = organisations.CountryChoices(ctx, forms.edit.Country)
	forms.edit.Action, forms.remind.Action = path, path+"/reminders"
	forms.add.Action, forms.add.Submit = path+"/names", page.T(ctx, "office.name_add")
	m := officeview.OrganisationModel{
		Head: view.HeadModel{Title: o.Name}, Facts: s.Organisations.Facts(ctx, o),
		Edit: forms.edit, EditOpen: forms.edit.Whole != "" || len(forms.edit.Errors) > 0, Add: forms.add, Reminders: forms.remind,
	}
	if err := org.MayKeepOrganisation(by, o); err != nil {
		m.Own = page.T(ctx, fault.Of(err).ID)
	}
	var err error
	if m.Appoint, m.Waiting, err = s.Organisations.Reassigning(ctx, by, o); err != nil {
		return err
	}
	if m.Names, m.Ended, err = s.Organisations.NameLines(ctx, by, o, officeNamePath); err != nil {
		return err
	}
	if m.History, err = s.history(ctx, by, o.ID.Thing()); err != nil {
		return err
	}
	return s.Show(w, r, status, officeview.Organisation(f, m))
}

func (s *Section) SaveOrganisation(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.Organisations.Load(r)
	if err != nil {
		return err
	}
	forms := storedOrganisation(o)
	forms.edit = typedOrganisation(r)
	err = s.Org.EditOrganisation(ctx, s.Actor(r), o.ID, organisationInput(forms.edit))
	if err == nil {
		return s.Done(w, r, paths.OfficeOrganisation(o.ID), "office.saved")
	}
	if !page.Answerable(err) {
		return err
	}
	forms.edit.Errors, forms.edit.Whole = page.WrongAt(ctx, err, org.ErrOrganisationName, "name")
	return s.organisationPage(w, r, o, forms, err)
}

func (s *Section) Reminders(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Organisations.Load(r)
	if err != nil {
		return err
	}
	forms := storedOrganisation(o)
	forms.remind, err = s.Organisations.SavedReminders(r, o)
	if err == nil {
		return s.Done(w, r, paths.OfficeOrganisation(o.ID), "office.saved")
	}
	if !page.Answerable(err) {
		return err
	}
	return s.organisationPage(w, r, o, forms, err)
}
