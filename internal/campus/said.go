package campus

import (
	"testing"

	"petschaft/internal/fault"
)

// Said is the message id of an error, of its first field if it has any, and empty
// for none.
func Said(err error) string {
	f := fault.Of(err)
	switch {
	case f == nil:
		return ""
	case len(f.Fields) > 0:
		return f.Fields[0].ID
	case f.ID == "":
		return "internal " + err.Error()
	}
	return f.ID
}

// Wants fails the test unless that is what the error said.
func Wants(t testing.TB, err error, id string) {
	t.Helper()
	if got := Said(err); got != id {
		t.Errorf("got %q (%v), want %q", got, err, id)
	}
}

// Scalar is the number that a query of one row and column gives.
func (f *Founder) Scalar(sql string, args ...any) (n int) {
	f.T.Helper()
	if err := f.DB.QueryRow(f.T.Context(), sql, args...).Scan(&n); err != nil {
		f.T.Fatalf("%s: %v", sql, err)
	}
	return n
}
