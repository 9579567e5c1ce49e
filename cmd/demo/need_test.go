package main

import (
	"slices"
	"strings"
	"testing"

	"petschaft/internal/trial"
)

// TestOnlyWhatTheChosenTestsNeedIsLookedFor goes by the tests of this tree.
func TestOnlyWhatTheChosenTestsNeedIsLookedFor(t *testing.T) {
	t.Parallel()
	asked := func(of []program, packages ...string) (all []string) {
		tests := trial.Must(testsOf(t.Context(), packages))
		for _, p := range of {
			if p.asked == nil || p.asked.Match(tests) {
				all = append(all, p.packages[0])
			}
		}
		return all
	}
	names := func(of []program) (all []string) {
		for _, p := range of {
			all = append(all, p.packages[0])
		}
		return all
	}
	for tests, want := range map[string]string{
		"petschaft/internal/org":                          "gcc",
		"petschaft/internal/pki":                          "openssl gcc",
		"petschaft/internal/browser":                      "chromium chromium-sandbox gcc",
		"petschaft/internal/site":                         "chromium chromium-sandbox openssl curl jq gcc",
		"petschaft/internal/org petschaft/internal/order": "openssl gcc",
	} {
		if got := strings.Join(asked(needs, strings.Fields(tests)...), " "); got != want {
			t.Errorf("%s: got %q, want %q", tests, got, want)
		}
	}
	all := []string{"petschaft/..."}
	if got := asked(needs, all...); !slices.Equal(got, names(needs)) {
		t.Errorf("all tests: got %q, want all of %q", got, names(needs))
	}
	if got := asked(peers, all...); !slices.Equal(got, names(peers)) {
		t.Errorf("all tests with foreign programs: got %q, want all of %q", got, names(peers))
	}
	if got := strings.Join(asked(peers, "petschaft/internal/mail"), " "); got != peers[1].packages[0] {
		t.Errorf("foreign programs of the mail: got %q, want its mail server", got)
	}
	if _, err := testsOf(t.Context(), []string{"petschaft/internal/nowhere"}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a package that is not there: got %v", err)
	}
}

func TestWhatIsMissingIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	none := []program{
		{names: []string{"no-such-one"}, packages: []string{"one", "one-dev"}},
		{names: []string{"sh"}, packages: []string{"there"}},
		{names: []string{"no-such-two"}, packages: []string{"two"}, asked: named("no-such-two")},
		{names: []string{"no-such-three"}, packages: []string{"three"}, asked: named("no-such-three")},
	}
	got := missing(none, []byte(`exec.Command("no-such-two", "no-such") // and no "no-such-three"`))
	if want := []string{"one", "one-dev", "two"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
