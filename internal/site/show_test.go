package site

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"petschaft/internal/pgtest"
	"petschaft/internal/signin"
	"petschaft/internal/site/page"
)

// TestAPageThatFailsInTheMiddleLeavesNothingOfItself: the error page with a
// reference goes out instead, alone and under its own status.
func TestAPageThatFailsInTheMiddleLeavesNothingOfItself(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	cfg := signin.Config{Issuer: "http://localhost:1", ClientID: "portal", BaseURL: &url.URL{Scheme: "http", Host: "localhost"}}
	desk, err := signin.New(cfg, pgtest.New(t), nil, nil, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{Page: &page.Page{Desk: desk, Base: cfg.BaseURL, Now: time.Now, Log: log}}
	const half = "half a page, "
	cause := errors.New("the cause")
	for _, c := range []struct {
		name string
		ends func() error
	}{
		{"with an error", func() error { return cause }},
		{"with a panic", func() error { panic(cause) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			broken := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
				if _, err := io.WriteString(w, strings.Repeat(half, 10_000)); err != nil {
					return err
				}
				return c.ends()
			})
			shown := s.Open(func(w http.ResponseWriter, r *http.Request) error { return s.Show(w, r, http.StatusOK, broken) })
			w := httptest.NewRecorder()
			desk.Load(s.Fail)(s.speak(s.recovered(shown))).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			if w.Code != http.StatusInternalServerError {
				t.Errorf("got status %d, want %d", w.Code, http.StatusInternalServerError)
			}
			body := w.Body.String()
			if strings.Contains(body, half) || strings.Contains(body, cause.Error()) {
				t.Errorf("the answer holds the page that failed, or why: %.300q", body)
			}
			if n := strings.Count(body, "<html"); n != 1 {
				t.Errorf("got %d pages, want the error's alone", n)
			}
			if !regexp.MustCompile(`[A-Z2-7]{10}`).MatchString(body) {
				t.Errorf("the error page names no reference: %.3000q", body)
			}
		})
	}
}
