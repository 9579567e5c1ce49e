package organisations

import (
	"net/http"
	"strings"

	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view/organisationview"
)

func Reminders(o org.Organisation) organisationview.RemindersForm {
	m := organisationview.RemindersForm{Addresses: strings.Join(o.Extra, "\n")}
	if !o.Contact {
		m.Waiting = strings.Join(o.Unconfirmed, ", ")
	}
	return m
}

// SavedReminders sets the further addresses; the form says what is wrong with
// them, if anything.
func (s *Section) SavedReminders(r *http.Request, o org.Organisation) (organisationview.RemindersForm, error) {
	m := Reminders(o)
	m.Addresses = r.PostFormValue("reminders")
	err := s.Org.SetReminders(r.Context(), s.Actor(r), o.ID, strings.FieldsFunc(m.Addresses, func(c rune) bool { return strings.ContainsRune("\r\n,; ", c) }))
	if err != nil && page.Answerable(err) {
		fields, whole := page.Wrong(r.Context(), err)
		m.Error, m.Whole = fields["reminders"], whole
	}
	return m, err
}

func (s *Section) SaveReminders(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Load(r)
	if err != nil {
		return err
	}
	forms := storedForms(o)
	forms.remind, err = s.SavedReminders(r, o)
	if err == nil {
		return s.Done(w, r, paths.Organisation(o.ID), "office.saved")
	}
	if !page.Answerable(err) {
		return err
	}
	return s.onePage(w, r, o, forms, err)
}

// ConfirmReminders keeps what of the addresses of the contact before is ticked.
func (s *Section) ConfirmReminders(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Load(r)
	if err != nil {
		return err
	}
	keep := r.PostForm["keep"]
	if err := s.Org.ConfirmReminders(r.Context(), s.Actor(r), o.ID, keep); err != nil {
		return err
	}
	return s.Done(w, r, paths.Organisation(o.ID), "organisation.confirmed", "n", len(keep))
}
