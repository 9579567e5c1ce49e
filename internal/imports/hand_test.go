package imports_test

import (
	"fmt"
	"log/slog"
	"testing"
)

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// expect fails unless exactly these outcomes happened.
func expect(t *testing.T, got, want map[string]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got outcomes %v, want %v (\"\" is success)", got, want)
	}
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }
