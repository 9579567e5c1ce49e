package site

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
)

// number reads a number from the path; what is none leads nowhere.
func number[T ~int64](r *http.Request, name string) (T, error) {
	n, err := strconv.ParseInt(chi.URLParam(r, name), 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Missing, "")
	}
	return T(n), nil
}

// id writes a number for a path.
func id[T ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }
