package site

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/organisationview"
)

// handoverRoutes are the pages of one handover; the mail to the successor leads
// here. The present contact acts from the organisation's page.
func (s *Site) handoverRoutes(r chi.Router) {
	r.Get("/", s.in(s.handover))
	r.Post("/accept", s.in(s.acceptHandover))
	r.Post("/decline", s.in(s.declineHandover))
	r.Post("/finish", s.in(s.finishHandover))
	r.Get("/cancel", s.in(s.askCancelHandover))
	r.Post("/cancel", s.in(s.cancelHandover))
}

// handoverAsked is the handover that the path names.
func (s *Site) handoverAsked(r *http.Request) (handover.Offer, error) {
	n, err := number[handover.ID](r, "handover")
	if err != nil {
		return handover.Offer{}, err
	}
	return s.Handover.One(r.Context(), s.actor(r), n)
}

// handover shows the successor what there is to do; who gives is led to the
// organisation's page.
func (s *Site) handover(w http.ResponseWriter, r *http.Request) error {
	o, err := s.handoverAsked(r)
	switch {
	case fault.Is(err, fault.Missing):
		return s.foreignHandover(w, r)
	case err != nil:
		return err
	case !o.Receives:
		return s.done(w, r, paths.Organisation(o.Organisation)+"#contact", "")
	}
	return s.handoverPage(w, r, o, nil)
}

// foreignHandover says the same to everybody whose handover it is not, whether
// there is one or not: most likely the account is the wrong one.
func (s *Site) foreignHandover(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.actor(r)
	s.problem(w, r, view.ProblemModel{
		Status: http.StatusNotFound, Title: t(ctx, "handover.foreign_title"),
		What: t(ctx, "handover.foreign", "account", accountWords(by.Name, by.Email)), Todo: t(ctx, "handover.foreign_todo"),
		Actions: []view.ButtonModel{{Label: t(ctx, "link.other_button"), Action: paths.SignOut, Kind: view.Primary}, {Label: t(ctx, "problem.home"), Href: "/"}},
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
func (s *Site) handoverPage(w http.ResponseWriter, r *http.Request, o handover.Offer, refused error) error {
	ctx := r.Context()
	m := s.handoverModel(ctx, o)
	f, status := s.frame(r, m.Title, view.Link{Label: t(ctx, "nav.start"), Href: "/"}), http.StatusOK
	if refused != nil {
		f, status = s.refused(w, f, refused)
	}
	fields, whole := wrong(ctx, refused)
	switch {
	case refused == nil:
	case m.Password != nil:
		m.Password.Error, m.Password.Whole, m.Notice = fields["password"], whole, nil
	case m.Notice == nil:
		m.Notice = &view.NoticeModel{Kind: view.Warn, Text: whole}
	}
	if o.Open(s.Now()) {
		counts, err := s.Handover.Moves(ctx, s.actor(r), o.Organisation)
		if err != nil {
			return err
		}
		m.Moves = []organisationview.MovesModel{movesModel(ctx, o.OrganisationName, counts[o.Organisation])}
	}
	return s.show(w, r, status, organisationview.HandoverPage(f, m))
}

// handoverModel is the page of who receives.
func (s *Site) handoverModel(ctx context.Context, o handover.Offer) organisationview.HandoverModel {
	path, now := paths.Handover(o.ID), s.Now()
	m := organisationview.HandoverModel{
		Title: t(ctx, "handover.receive_title", "organisation", o.OrganisationName), History: s.handoverEvents(ctx, o),
		Facts: organisationview.HandoverFacts{Organisation: o.OrganisationName, From: o.GiverName, FromEmail: o.GiverEmail, To: o.SuccessorName, ToEmail: o.SuccessorEmail},
	}
	decline := view.ButtonModel{Label: t(ctx, "handover.decline"), Action: path + "/decline"}
	over := handover.MayAccept(o, now)
	switch {
	case handover.MayFinish(o, now) == nil:
		m.Lead = t(ctx, "handover.password_lead", "name", o.GiverName)
		m.Steps, m.Password = handoverSteps(ctx, 1), &organisationview.HandoverPasswordForm{Action: path + "/finish"}
		if o.Wrong > 0 {
			m.Notice = &view.NoticeModel{Kind: view.Warn, Text: t(ctx, "handover.tries_left", "n", o.Left())}
		}
		if handover.MayDecline(o, now) == nil {
			m.Buttons = []view.ButtonModel{decline}
		}
	case over == nil:
		m.Lead = t(ctx, "handover.receive_lead", "name", o.GiverName)
		m.Steps = handoverSteps(ctx, 0)
		m.Means = []string{t(ctx, "handover.means_task"), t(ctx, "handover.means_next", "name", o.GiverName), t(ctx, "handover.means_decline", "name", o.GiverName)}
		m.Buttons = []view.ButtonModel{{Label: t(ctx, "handover.accept"), Action: path + "/accept", Kind: view.Primary}, decline}
	default:
		s.handoverOver(ctx, o, over, &m)
		return m
	}
	m.Facts.Until = view.At(ctx, o.Ends, now)
	return m
}

// handoverOver says how it ended.
func (s *Site) handoverOver(ctx context.Context, o handover.Offer, over error, m *organisationview.HandoverModel) {
	f := fault.Of(over)
	m.Notice = &view.NoticeModel{Kind: view.Info, Text: t(ctx, f.ID, f.Args...)}
	switch o.State {
	case handover.Done:
		m.Notice.Kind, m.Steps, m.Facts.Href = view.Good, handoverSteps(ctx, 3), paths.Organisation(o.Organisation)
	case handover.Locked:
		m.Notice.Kind = view.Bad
	}
}

// handoverSteps are those of the successor; at counts from 0.
func handoverSteps(ctx context.Context, at int) (steps []view.Step) {
	for i, label := range []string{t(ctx, "handover.do_accept"), t(ctx, "handover.do_password"), t(ctx, "handover.do_done")} {
		steps = append(steps, view.Step{Label: label, Done: i < at, Current: i == at})
	}
	return steps
}

// answerHandover does what the successor chose; where it cannot be any more, the
// page says why.
func (s *Site) answerHandover(w http.ResponseWriter, r *http.Request, answer func(o handover.Offer) error, message string) error {
	o, err := s.handoverAsked(r)
	if err != nil {
		return err
	}
	if err = answer(o); err == nil {
		return s.done(w, r, paths.Handover(o.ID), message, "organisation", o.OrganisationName, "name", o.GiverName)
	}
	return s.handoverRefused(w, r, err)
}

// handoverRefused shows the handover as it is by now.
func (s *Site) handoverRefused(w http.ResponseWriter, r *http.Request, refused error) error {
	if !answerable(refused) {
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

func (s *Site) acceptHandover(w http.ResponseWriter, r *http.Request) error {
	return s.answerHandover(w, r, func(o handover.Offer) error {
		return s.Handover.Accept(r.Context(), s.actor(r), o.ID)
	}, "handover.accepted_done")
}

func (s *Site) declineHandover(w http.ResponseWriter, r *http.Request) error {
	return s.answerHandover(w, r, func(o handover.Offer) error {
		return s.Handover.Decline(r.Context(), s.actor(r), o.ID)
	}, "handover.declined_done")
}

// finishHandover is the session password: with it the organisation has its new
// contact.
func (s *Site) finishHandover(w http.ResponseWriter, r *http.Request) error {
	o, err := s.handoverAsked(r)
	if err != nil {
		return err
	}
	if err := s.Handover.Finish(r.Context(), s.actor(r), o.ID, r.PostFormValue("password")); err != nil {
		return s.handoverRefused(w, r, err)
	}
	return s.done(w, r, paths.Organisation(o.Organisation), "handover.finished", "organisation", o.OrganisationName)
}

func (s *Site) askCancelHandover(w http.ResponseWriter, r *http.Request) error {
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
		Title: t(ctx, "handover.cancel"), Verb: t(ctx, "handover.cancel"), Danger: true, Cancel: path + "#contact", Action: paths.Handover(o.ID) + "/cancel",
		What: []string{t(ctx, "handover.cancel_what", "organisation", o.OrganisationName, "name", o.SuccessorName), t(ctx, "handover.cancel_told", "name", o.SuccessorName)},
	}
	f := s.handingFrame(r, d.Title, []org.Organisation{{ID: o.Organisation, Name: o.OrganisationName}})
	return s.show(w, r, http.StatusOK, view.AskPage(standing(f), d))
}

func (s *Site) cancelHandover(w http.ResponseWriter, r *http.Request) error {
	o, err := s.handoverAsked(r)
	if err != nil {
		return err
	}
	if err := s.Handover.Cancel(r.Context(), s.actor(r), o.ID); err != nil {
		return err
	}
	return s.done(w, r, paths.Organisation(o.Organisation)+"#contact", "handover.cancelled_done", "organisation", o.OrganisationName, "name", o.SuccessorName)
}
