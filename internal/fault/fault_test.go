package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"petschaft/internal/fault"
)

func TestAnErrorNobodyThoughtOfIsInternal(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk full")
	f := fault.Of(fmt.Errorf("save: %w", cause))
	if f.Kind != fault.Internal || f.ID != "" || !errors.Is(f, cause) {
		t.Errorf("got %v with id %q, want internal, no id, the cause inside", f.Kind, f.ID)
	}
	if fault.Of(nil) != nil {
		t.Error("got a fault of no error")
	}
}

func TestAFaultIsFoundBehindWhatWrapsIt(t *testing.T) {
	t.Parallel()
	cause := errors.New("row gone")
	err := fmt.Errorf("close: %w", fault.New(fault.Missing, "fault.missing").Because(cause))
	if !fault.Is(err, fault.Missing) || fault.Of(err).ID != "fault.missing" || !errors.Is(err, cause) {
		t.Errorf("got %v, want missing with its id and cause", err)
	}
}

func TestASharedFaultIsNotChangedByItsCause(t *testing.T) {
	t.Parallel()
	shared := fault.New(fault.Conflict, "x")
	_ = shared.Because(errors.New("once"))
	if errors.Unwrap(shared) != nil {
		t.Error("the cause of one use stuck to the shared fault")
	}
}

func TestAllWrongInputsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	var bad fault.Fields
	if err := bad.Err(); err != nil {
		t.Errorf("nothing added: got %v", err)
	}
	bad.Add("name", "field.required")
	bad.Add("age", "field.too_long", "max", 3)
	if f := fault.Of(bad.Err()); f.Kind != fault.Invalid || len(f.Fields) != 2 || f.Fields[1].Name != "age" {
		t.Errorf("got %v, want invalid with both fields", f)
	}
}

func TestFaultsAreTheSameByKindAndID(t *testing.T) {
	t.Parallel()
	full := fault.New(fault.Conflict, "box.full")
	for name, c := range map[string]struct {
		err  error
		same bool
	}{
		"itself":                 {full, true},
		"another of its words":   {fault.New(fault.Conflict, "box.full"), true},
		"with blanks":            {full.With("most", 3), true},
		"with a cause":           {full.Because(errors.New("disk")), true},
		"with a time":            {full.Until(time.Now()), true},
		"wrapped":                {fmt.Errorf("fill: %w", full), true},
		"of another kind":        {fault.New(fault.Denied, "box.full"), false},
		"with another id":        {fault.New(fault.Conflict, "box.open"), false},
		"an error that reads so": {errors.New("conflict: box.full"), false},
		"the zero value":         {new(fault.Fault), false},
	} {
		if got := errors.Is(c.err, full); got != c.same {
			t.Errorf("%s: got %v, want %v", name, got, c.same)
		}
	}
	if len(full.Args) > 0 {
		t.Error("the blanks of one use stuck to the shared fault")
	}
	var bad fault.Fields
	bad.Add("name", "field.required")
	if err := bad.Err(); !errors.Is(err, fault.ErrForm) || len(fault.ErrForm.Fields) > 0 {
		t.Errorf("got %v, want a copy of ErrForm", err)
	}
}
