package organisations

import (
	"context"
	"errors"
	"net/http"

	"petschaft/internal/fault"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/organisationview"
)

// handoverAsked is the handover that the path names.
func (s *Section) handoverAsked(r *http.Request) (handover.Offer, error) {
	n, err := page.Number[handover.ID](r, "handover")
	if err != nil {
		return handover.Offer{}, err
	}
	return s.Handover.One(r.Context(), s.Actor(r), n)
}

// OneHandover shows the successor what there is to do; who gives is led to the
// organisation's page.
func (s *Section) OneHandover(w http.ResponseWriter, r *http.Request) error {
	o, err := s.handoverAsked(r)
	switch {
	case fault.Is(err, fault.Missing):
		return s.foreignHandover(w, r)
	case err != nil:
		return err
	case !o.Receives:
		return s.Done(w, r, paths.Organisation(o.Organisation)+"#contact", "")
	}
	return s.handoverPage(w, r, o, nil)
}

// foreignHandover says the same to everybody whose handover it is not, whether
// there is one or not: most likely the account is the wrong one.
func (s *Section) foreignHandover(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	s.Problem(w, r, view.ProblemModel{
		Status: http.StatusNotFound, Title: page.T(ctx, "handover.foreign_title"),
		What: page.T(ctx, "handover.foreign", "account", accountWords(by.Name, by.Email)), Todo: page.T(ctx, "handover.foreign_todo"),
		Actions: []view.ButtonModel{{Label: page.T(ctx, "link.other_button"), Action: paths.SignOut, Kind: view.Primary}, {Label: page.T(ctx, "problem.home"), Href: "/"}},
	})
	return nil
}

// accountWords names an account.
func accountWords(name, email string) string {
	if email == "" {
		return name
	}
	return name + " (" + email + ")"
}

// handoverPage shows o as it stands; refused is why an answer came back.
func (s *Section) handoverPage(w http.ResponseWriter, r *http.Request, o handover.Offer, refused error) error {
	ctx := r.Context()
	m := s.handoverModel(ctx, o)
	f, status := s.Frame(r, m.Title, view.Link{Label: page.T(ctx, "nav.start"), Href: "/"}), http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
	}
	fields, whole := page.Wrong(ctx, refused)
	switch {
	case refused == nil:
	case m.Password != nil:
		m.Password.Error, m.Password.Whole, m.Notice = fields["password"], whole, nil
	case m.Notice == nil:
		m.Notice = &view.NoticeModel{Kind: view.Warn, Text: whole}
	}
	if o.Open(s.Now()) {
		counts, err := s.Handover.Moves(ctx, s.Actor(r), o.Organisation)
		if err != nil {
			return err
		}
		m.Moves = []organisationview.MovesModel{movesModel(ctx, o.OrganisationName, counts[o.Organisation])}
	}
	return s.Show(w, r, status, organisationview.HandoverPage(f, m))
}

// handoverModel is the page of who receives.
func (s *Section) handoverModel(ctx context.Context, o handover.Offer) organisationview.HandoverModel {
	path, now := paths.Handover(o.ID), s.Now()
	m := organisationview.HandoverModel{
		Title: page.T(ctx, "handover.receive_title", "organisation", o.OrganisationName), History: s.handoverEvents(ctx, o),
		Facts: organisationview.HandoverFacts{Organisation: o.OrganisationName, From: o.GiverName, FromEmail: o.GiverEmail, To: o.SuccessorName, ToEmail: o.SuccessorEmail},
	}
	decline := view.ButtonModel{Label: page.T(ctx, "handover.decline"), Action: path + "/decline"}
	over := handover.MayAccept(o, now)
	switch {
	case handover.MayFinish(o, now) == nil:
		m.Lead = page.T(ctx, "handover.password_lead", "name", o.GiverName)
		m.Steps, m.Password = handoverSteps(ctx, 1), &organisationview.HandoverPasswordForm{Action: path + "/finish"}
		if o.Wrong > 0 {
			m.Notice = &view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "handover.tries_left", "n", o.Left())}
		}
		if handover.MayDecline(o, now) == nil {
			m.Buttons = []view.ButtonModel{decline}
		}
	case over == nil:
		m.Lead = page.T(ctx, "handover.receive_lead", "name", o.GiverName)
		m.Steps = handoverSteps(ctx, 0)
		m.Means = []string{page.T(ctx, "handover.means_task"), page.T(ctx, "handover.means_next", "name", o.GiverName), page.T(ctx, "handover.means_decline", "name", o.GiverName)}
		m.Buttons = []view.ButtonModel{{Label: page.T(ctx, "handover.accept"), Action: path + "/accept", Kind: view.Primary}, decline}
	default:
		s.handoverOver(ctx, o, over, &m)
		return m
	}
	m.Facts.Until = view.At(ctx, o.Ends, now)
	return m
}

// handoverOver says how it ended.
func (s *Section) handoverOver(ctx context.Context, o handover.Offer, over error, m *organisationview.HandoverModel) {
	f := fault.Of(over)
	m.Notice = &view.NoticeModel{Kind: view.Info, Text: page.T(ctx, f.ID, f.Args...)}
	switch o.State {
	case handover.Done:
		m.Notice.Kind, m.Steps, m.Facts.Href = view.Good, handoverSteps(ctx, 3), paths.Organisation(o.Organisation)
	case handover.Locked:
		m.Notice.Kind = view.Bad
	}
}

// handoverSteps are those of the successor; at counts from 0.
func handoverSteps(ctx context.Context, at int) (steps []view.Step) {
	for i, label := range []string{page.T(ctx, "handover.do_accept"), page.T(ctx, "handover.do_password"), page.T(ctx, "handover.do_done")} {
		steps = append(steps, view.Step{Label: label, Done: i < at, Current: i == at})
	}
	return steps
}

// answerHandover does what the successor chose; where it cannot be any more, the
// page says why.
func (s *Section) answerHandover(w http.ResponseWriter, r *http.Request, answer func(o handover.Offer) error, message string) error {
	o, err := s.handoverAsked(r)
	if err != nil {
		return err
	}
	if err = answer(o); err == nil {
		return s.Done(w, r, paths.Handover(o.ID), message, "organisation", o.OrganisationName, "name", o.GiverName)
	}
	return s.handoverRefused(w, r, err)
}

// handoverRefused shows the handover as it is by now.
func (s *Section) handoverRefused(w http.ResponseWriter, r *http.Request, refused error) error {
	if !page.Answerable(refused) && !errors.Is(refused, handover.ErrBusy) {
		return refused
	}
	o, err := s.handoverAsked(r)
	if err != nil {
		return err
	}
	if !o.Receives {
		return refused
	}
	return s.handoverPage(w, r, o, refused)
}

func (s *Section) AcceptHandover(w http.ResponseWriter, r *http.Request) error {
	return s.answerHandover(w, r, func(o handover.Offer) error {
		return s.Handover.Accept(r.Context(), s.Actor(r), o.ID)
	}, "handover.accepted_done")
}

func (s *Section) DeclineHandover(w http.ResponseWriter, r *http.Request) error {
	return s.answerHandover(w, r, func(o handover.Offer) error {
		return s.Handover.Decline(r.Context(), s.Actor(r), o.ID)
	}, "handover.declined_done")
}

// FinishHandover is the session password: with it the organisation has its new
// contact.
func (s *Section) FinishHandover(w http.ResponseWriter, r *http.Request) error {
	o, err := s.handoverAsked(r)
	if err != nil {
		return err
	}
	if err := s.Handover.Finish(r.Context(), s.Actor(r), o.ID, r.PostFormValue("password")); err != nil {
		return s.handoverRefused(w, r, err)
	}
	return s.Done(w, r, paths.Organisation(o.Organisation), "handover.finished", "organisation", o.OrganisationName)
}

func (s *Section) AskCancelHandover(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.handoverAsked(r)
	if err == nil {
		err = handover.MayCancel(o, s.Now())
	}
	if err != nil {
		return err
	}
	path := paths.Organisation(o.Organisation)
	d := view.DialogModel{
		Title: page.T(ctx, "handover.cancel"), Verb: page.T(ctx, "handover.cancel"), Danger: true, Cancel: path + "#contact", Action: paths.Handover(o.ID) + "/cancel",
		What: []string{page.T(ctx, "handover.cancel_what", "organisation", o.OrganisationName, "name", o.SuccessorName), page.T(ctx, "handover.cancel_told", "name", o.SuccessorName)},
	}
	f := s.handingFrame(r, d.Title, []org.Organisation{{ID: o.Organisation, Name: o.OrganisationName}})
	return s.Show(w, r, http.StatusOK, view.AskPage(page.Standing(f), d))
}

func (s *Section) CancelHandover(w http.ResponseWriter, r *http.Request) error {
	o, err := s.handoverAsked(r)
	if err != nil {
		return err
	}
	if err := s.Handover.Cancel(r.Context(), s.Actor(r), o.ID); err != nil {
		return err
	}
	return s.Done(w, r, paths.Organisation(o.Organisation)+"#contact", "handover.cancelled_done", "organisation", o.OrganisationName, "name", o.SuccessorName)
}
