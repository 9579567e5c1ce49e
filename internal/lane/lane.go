// Package lane decides in which of four lanes a test runs: one with the race
// detector, two without it for what looks at pages in a browser or is weighed,
// three with foreign programs, four beside the version before. The name of a test says its lane, because `go test` can
// choose by nothing else; whoever enters another lane under another name
// fails in lane one, so that no test falls between the lanes. It starts nothing,
// knows no program by name, and is for tests only.
package lane

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What tests of lanes two, three and four are called, for `go test -run`. Lane one
// is everything else, and is run with -short.
const (
	Two   = `InABrowser|Journey|StaysSmall`
	Three = `TestPeer`
	Four  = `TestVersions`
)

// Browser puts t in lane two, or leaves it in three.
func Browser(t testing.TB) {
	t.Helper()
	enter(t, Two+"|"+Three)
}

// Peer puts t in lane three, which needs all the programs. Where one is missing
// the test is skipped with a line that says so; with CI=true it fails.
func Peer(t testing.TB, programs ...string) {
	t.Helper()
	enter(t, Three)
	for _, program := range programs {
		if Find(program) != "" {
			continue
		}
		const line = "NOT TESTED: there is no %s here; `make peers` installs it where it may"
		if os.Getenv("CI") == "true" {
			t.Fatalf(line, program)
		}
		t.Skipf(line, program)
	}
}

// History puts t in lane four, which needs a commit of the version before. Where the
// clone does not have it the test is skipped with a line that says so; with CI=true it
// fails.
func History(t testing.TB, commit string) {
	t.Helper()
	enter(t, Four)
	if exec.Command("git", "cat-file", "-e", commit+"^{commit}").Run() == nil {
		return
	}
	const line = "NOT TESTED: this clone has no history back to %.12s; `git fetch --unshallow` brings it"
	if os.Getenv("CI") == "true" {
		t.Fatalf(line, commit)
	}
	t.Skipf(line, commit)
}

// Find is the path of a program, also of one for administrators, which ordinary
// people do not have in their PATH; empty where there is none.
func Find(program string) string {
	for _, name := range []string{program, filepath.Join("/usr/sbin", program)} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// enter skips t in lane one.
func enter(t testing.TB, pattern string) {
	t.Helper()
	if name, _, _ := strings.Cut(t.Name(), "/"); !regexp.MustCompile(pattern).MatchString(name) {
		t.Fatalf("no lane would run %s: call it something that matches %s", name, pattern)
	}
	if testing.Short() {
		t.Skip("runs in another lane")
	}
}
