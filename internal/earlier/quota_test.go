package earlier_test

import (
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/earlier"
	"petschaft/internal/trial"
)

// An officer uploads again and again and takes nothing over: five imports stay,
// and those of which something was taken over.
func TestAnotherUploadTakesThePlaceOfTheOldest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := newElsewhere(t)
	r.Issue(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	r.uploaded(t, "", e.mail(400*day, "a@uni.example"))
	trial.Must(r.db.Exec(t.Context(), `update certificate_import_line set certificate = (select max(id) from certificate)`))
	other := e.mail(400*day, "b@uni.example")
	for range 20 {
		r.uploaded(t, "", other)
	}
	got := trial.Race(50, campus.Said, func(int) error {
		_, err := r.Earlier.Upload(t.Context(), r.officer, []earlier.File{{Name: "alt.pem", Content: pemOf(other)}}, nil)
		return err
	})
	trial.Expect(t, got, map[string]int{"": 50})
	if n := r.campus.Scalar(`select count(*) from certificate_import`); n != earlier.MostOpen+1 {
		t.Errorf("got %d imports, want %d and the one of which something was taken over", n, earlier.MostOpen)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'cert.import_discarded'`); n != 65 {
		t.Errorf("got %d lines about those that went, want 65", n)
	}
}
