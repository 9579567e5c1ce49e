package draft

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"petschaft/internal/fault"
)

func TestWhyAFormWasRefusedIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	full := fault.New(fault.TooMany, "box.full", "n", 3, "name", "Müller", "until", at).Until(at.Add(time.Hour))
	form := &fault.Fault{Kind: fault.Invalid, ID: "fault.form", Fields: []fault.Field{{Name: "names", ID: "a.b", Args: []any{"n", 50}}, {Name: "names", ID: "a.c", More: true}}}
	for _, f := range []*fault.Fault{full, form, full.Because(errors.New("for the log")), nil} {
		text, err := written(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		if f == nil {
			if got != nil {
				t.Errorf("got %v from nothing", got)
			}
			continue
		}
		if !errors.Is(got, f) || !reflect.DeepEqual(got.Args, f.Args) || !reflect.DeepEqual(got.Fields, f.Fields) || !got.RetryAt.Equal(f.RetryAt) {
			t.Errorf("got %+v, want %+v", got, f)
		}
	}
	type word string
	if got, _ := read(must(written(fault.New(fault.Conflict, "x", "w", word("w"), "n", int64(7))))); !reflect.DeepEqual(got.Args, []any{"w", "w", "n", 7}) {
		t.Errorf("got %v", got.Args)
	}
	if _, err := written(fault.New(fault.Conflict, "x", "n", 1.5)); !errors.Is(err, errUnwritable) {
		t.Errorf("a blank that cannot be kept: got %v", err)
	}
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}
