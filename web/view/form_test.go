package view

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheSummaryOfAForm(t *testing.T) {
	t.Parallel()
	fields := []FieldModel{
		{Name: "name", Label: "Name", Error: "too long"},
		{Name: "mail", Label: "Mail"},
		{Name: "terms", Label: "I agree.", Type: Checkbox, Error: "Please agree."},
		{Name: "who", Label: "Who?", Error: "Please say."},
	}
	want := []Fail{{Text: "Somebody was faster."}, {"name", "Name: too long"}, {"terms", "Please agree."}, {"who", "Who? Please say."}}
	if d := cmp.Diff(want, FormFails("Somebody was faster.", fields)); d != "" {
		t.Errorf("not the whole first, then each field, a tick without its label (-want +got):\n%s", d)
	}
	if got := FormFails("", fields[1:2]); got != nil {
		t.Errorf("nothing is wrong, got %v", got)
	}
}
