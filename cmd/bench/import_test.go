package main

import (
	"context"
	"testing"

	"petschaft/internal/pgtest"
)

// trialRig is a rig that ends with the test. There is one at a time.
func trialRig(t *testing.T) *rig {
	r, err := newRig(t.Context(), commands{Database: pgtest.URL(t)}, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.close() })
	return r
}

func work(t *testing.T, r *rig) {
	if err := r.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Queue.Stop(context.WithoutCancel(t.Context())) })
}

// What this program measures must be done at all: by the portal's own queue, in
// the name of whoever is signed in, with the rights the portal finds by itself.
func TestAnImportIsPlannedAppliedAndSealed(t *testing.T) {
	ctx, r := t.Context(), trialRig(t)
	work(t, r)
	const n = 30
	d, err := r.domain(ctx, "import.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.makeFloor(ctx); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"a", "b"} {
		if _, _, err := r.importInto(ctx, "import.example", version, n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.copyFloor(ctx, d, n); err != nil {
		t.Error(err)
	}
}
