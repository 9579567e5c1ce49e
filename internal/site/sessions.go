package site

import (
	"context"
	"net/http"

	"petschaft/internal/signin"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

func (s *Site) sessions(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := s.Desk.Logins(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	m := portalview.SessionsModel{}
	if m.Notices, err = s.notices(ctx, s.Actor(r), true); err != nil {
		return err
	}
	for _, l := range all {
		m.Sessions = append(m.Sessions, s.session(ctx, l))
	}
	if len(all) > 1 {
		m.EndOthers = paths.EndOtherSessions
	}
	return s.Show(w, r, http.StatusOK, portalview.Sessions(s.Frame(r, page.T(ctx, "session.title")), m))
}

func (s *Site) session(ctx context.Context, l signin.Login) portalview.SessionModel {
	m := portalview.SessionModel{
		Device: l.Browser, Here: l.Here, End: paths.Session(l.ID) + "/end",
		Started: view.At(ctx, l.Started, s.Now()), Seen: view.Ago(ctx, l.Seen, s.Now()),
	}
	if m.Device == "" {
		m.Device = page.T(ctx, "session.unknown")
	}
	if l.Origin.IsValid() {
		m.From = l.Origin.String()
	}
	return m
}

func (s *Site) endSession(w http.ResponseWriter, r *http.Request) error {
	login, err := page.Number[int64](r, "login")
	if err != nil {
		return err
	}
	if err := s.Desk.End(r.Context(), s.Actor(r), login); err != nil {
		return err
	}
	return s.Done(w, r, paths.Sessions, "session.ended")
}

func (s *Site) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	if err := s.Desk.EndOthers(r.Context(), s.Actor(r)); err != nil {
		return err
	}
	return s.Done(w, r, paths.Sessions, "session.others_ended")
}
