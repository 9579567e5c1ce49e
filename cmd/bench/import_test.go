package main

import (
	"testing"

	"petschaft/internal/pgtest"
)

// What this program measures must be done at all: by the portal's own queue, in
// the name of whoever is signed in, with the rights the portal finds by itself.
func TestAnImportIsPlannedAppliedAndSealed(t *testing.T) {
	ctx := t.Context()
	r, err := newRig(ctx, commands{Database: pgtest.URL(t)}, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.Work(ctx); err != nil {
		t.Fatal(err)
	}
	defer r.Queue.Stop(ctx)
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
