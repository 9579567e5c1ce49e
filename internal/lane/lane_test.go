package lane_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"petschaft/internal/lane"
)

// TestTheMakefileRunsTheLanes: what one lane leaves out, another runs.
func TestTheMakefileRunsTheLanes(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`\nTWO +:= ` + regexp.QuoteMeta(lane.Two) + `\n`, `\nTHREE +:= ` + regexp.QuoteMeta(lane.Three) + `\n`, `\nFOUR +:= ` + regexp.QuoteMeta(lane.Four) + `\n`,
		`\n\t\$\(TEST\) -race -short .*\$\(T\)\n`, `\n\t\$\(call lane,\$\(TWO\)`, `\n\t\$\(call lane,\$\(THREE\)`, `\n\t\$\(call lane,\$\(FOUR\)`,
	} {
		if !regexp.MustCompile(want).Match(makefile) {
			t.Errorf("the Makefile has no line like %q", want)
		}
	}
}

// probe is a test that notes how it would end.
type probe struct {
	testing.TB
	name, end string
}

func (p *probe) Helper()               {}
func (p *probe) Name() string          { return p.name }
func (p *probe) Skip(...any)           { p.note("skipped") }
func (p *probe) Skipf(string, ...any)  { p.note("skipped") }
func (p *probe) Fatalf(string, ...any) { p.note("failed") }

// note keeps the first end; a real test would be over with it.
func (p *probe) note(end string) {
	if p.end == "" {
		p.end = end
	}
}

func TestWhoeverEntersALaneIsCalledSo(t *testing.T) {
	enters := map[string]func(testing.TB){
		"browser": lane.Browser,
		"peer":    func(t testing.TB) { lane.Peer(t, "sh") },
		"history": func(t testing.TB) { lane.History(t, "HEAD") },
		"shallow": func(t testing.TB) { lane.History(t, strings.Repeat("0", 40)) },
		"missing": func(t testing.TB) { lane.Peer(t, "sh", "no-such-program") },
	}
	elsewhere := "" // how a test ends that is in the right lane
	if testing.Short() {
		elsewhere = "skipped"
	}
	for _, c := range []struct{ lane, name, ci, want string }{
		{"browser", "TestPagesInABrowser/de", "", elsewhere},
		{"browser", "TestTheJourneyOfAKey", "", elsewhere},
		{"browser", "TestPeersOpenWhatABrowserMade", "", elsewhere},
		{"browser", "TestPages/InABrowser", "", "failed"},
		{"peer", "TestPeerTakesIt", "true", elsewhere},
		{"peer", "TestPagesInABrowser", "", "failed"},
		{"peer", "TestAFileOpens", "", "failed"},
		{"history", "TestVersionsBesideEachOther", "true", elsewhere},
		{"history", "TestPeerTakesIt", "", "failed"},
		{"shallow", "TestVersionsBesideEachOther", "", "skipped"},
		{"missing", "TestPeerTakesIt", "", "skipped"},
		{"missing", "TestPeerTakesIt", "true", map[bool]string{true: "skipped", false: "failed"}[testing.Short()]},
	} {
		t.Setenv("CI", c.ci)
		p := &probe{name: c.name}
		enters[c.lane](p)
		if p.end != c.want {
			t.Errorf("%s, called %s, with CI=%s: got %q, want %q", c.lane, c.name, c.ci, p.end, c.want)
		}
	}
}
