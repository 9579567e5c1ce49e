package site

import (
	"errors"
	"io"
	"net/http"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/internal/signin"
	"petschaft/internal/trace"
)

// loggedOutThere hears from the provider whose sessions have ended (OpenID Connect
// Back-Channel Logout 1.0, 2.5 and 2.8). It answers a program.
func (s *Site) loggedOutThere(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	err := s.Desk.EndByProvider(r.Context(), audit.Who{From: s.Desk.From(r)}, r.PostFormValue("logout_token"))
	if err == nil {
		return nil // 200
	}
	f, status := postgres.Told(err), http.StatusBadRequest
	switch {
	case errors.Is(f, signin.ErrLogout):
		trace.Behind(w).Refused(trace.Logout, f.ID, signin.WhyNoLogout(err))
	case f.Kind == fault.Internal || postgres.Away(f):
		s.Reference(r, err)
		fallthrough
	default:
		status = s.Status(w, f)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"error":"invalid_request"}`) // the provider does not read more
	return nil
}
