// Package localetest makes a test fail that is shown an id instead of words. It
// decides what such a page looks like from outside; what words there are is
// decided by the catalogs of web/locale alone.
package localetest

import (
	"net/http"
	"strings"
	"testing"

	"petschaft/web/locale"
)

// Watch serves as next does, but never compressed, and fails t at each answer that
// shows an id where words are missing, or a blank in them has no value.
func Watch(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &seeing{ResponseWriter: w}
		defer func() {
			if seen.found != "" {
				t.Errorf("%s %s: %s", r.Method, r.URL.Path, seen.found)
			}
		}()
		r.Header.Del("Accept-Encoding") // what is compressed cannot be looked at, and looks like anything
		next.ServeHTTP(seen, r)
	})
}

// Missing says which id stands in page instead of words, empty for none.
func Missing(page string) string {
	_, after, found := strings.Cut(page, locale.Missing)
	if !found {
		return ""
	}
	return "words are missing, or one of their blanks has no value: " + locale.Missing + after[:min(len(after), 80)]
}

// seeing is an answer that is looked at while it is written. end is where the
// last piece ended, as a mark may be cut by it.
type seeing struct {
	http.ResponseWriter
	end, found string
}

func (s *seeing) Write(p []byte) (int, error) {
	if s.found == "" {
		page := s.end + string(p)
		s.found = Missing(page)
		s.end = page[max(0, len(page)-len(locale.Missing)+1):]
	}
	return s.ResponseWriter.Write(p)
}

func (s *seeing) Flush() {
	if f, ok := s.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (s *seeing) Unwrap() http.ResponseWriter { return s.ResponseWriter }
