package page

import (
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
)

// Number reads a number from the path; what is none leads nowhere.
func Number[T ~int64](r *http.Request, name string) (T, error) {
	n, err := strconv.ParseInt(chi.URLParam(r, name), 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Missing, "")
	}
	return T(n), nil
}

// ID writes a number for a path.
func ID[T ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// TypedDay reads a day as browsers send it or as people in Germany write it;
// the zero time is none. A day begins at midnight UTC, so it is the same day in
// the portal's zone.
func TypedDay(text string) time.Time {
	text = strings.Join(strings.Fields(text), "")
	for _, layout := range []string{time.DateOnly, "2.1.2006"} {
		if d, err := time.Parse(layout, text); err == nil && d.Year() > 1900 {
			return d
		}
	}
	return time.Time{}
}

// Matches tells whether p, with or without a slash at its end, is of a pattern as
// path.Match knows them.
func Matches(pattern, p string) bool {
	ok, _ := path.Match(pattern, strings.TrimSuffix(p, "/"))
	return ok
}
