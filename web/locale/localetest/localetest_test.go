package localetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"petschaft/web/locale"
)

// heard is a test that is told of failures instead of failing.
type heard struct {
	testing.TB
	said []string
}

func (h *heard) Errorf(format string, args ...any) {
	h.said = append(h.said, fmt.Sprintf(format, args...))
}

func TestAPageThatShowsAnIDIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, id string
		args     []any
		want     string
	}{
		{"words", "date.today", nil, ""},
		{"words with a blank", "date.in-days", []any{"n", 3}, ""},
		{"no words", "frame.no-such-words", nil, "frame.no-such-words"},
		{"a blank without a value", "date.in-days", nil, "date.in-days"},
	} {
		for _, lang := range locale.Languages {
			for _, piece := range []int{1, 2, 3, 1000} {
				h := &heard{TB: t}
				page := "<p>" + locale.For(lang).T(c.id, c.args...) + "</p>"
				watched := Watch(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					for rest := page; rest != ""; {
						n := min(piece, len(rest))
						fmt.Fprint(w, rest[:n])
						rest = rest[n:]
						if err := http.NewResponseController(w).Flush(); err != nil {
							t.Error(err)
						}
					}
				}))
				w := httptest.NewRecorder()
				watched.ServeHTTP(w, httptest.NewRequest("GET", "/rows", nil))
				if body, _ := io.ReadAll(w.Body); string(body) != page {
					t.Errorf("%s, in pieces of %d: got the page %q, want %q", c.name, piece, body, page)
				}
				said := strings.Join(h.said, "\n")
				if seen := said != ""; seen != (c.want != "") || piece == 1000 && !strings.Contains(said, c.want) || seen && !strings.Contains(said, "GET /rows") {
					t.Errorf("%s in %s, in pieces of %d: heard %q, want it to name %q", c.name, lang, piece, said, c.want)
				}
			}
		}
	}
}
