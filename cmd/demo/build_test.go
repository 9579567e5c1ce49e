package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"petschaft/internal/trial"
)

// TestWhatKeepsGoFromBuildingIsSaidInOneSentence runs cmd/demo/build.sh where it
// cannot succeed.
func TestWhatKeepsGoFromBuildingIsSaidInOneSentence(t *testing.T) {
	t.Parallel()
	old := t.TempDir()
	trial.Must(0, os.WriteFile(filepath.Join(old, "go"), []byte("#!/bin/sh\necho go version go1.19.8 linux/amd64\n"), 0o700))
	bare := t.TempDir()
	for _, name := range []string{"sh", "sed", "mkdir"} {
		trial.Must(0, os.Symlink(trial.Must(exec.LookPath(name)), filepath.Join(bare, name)))
	}
	for name, c := range map[string]struct{ env, want []string }{
		"no Go":      {[]string{"PATH=" + bare}, []string{"petschaft: there is no Go here; Petschaft needs Go 1.26, from https://go.dev/dl/"}},
		"an old Go":  {[]string{"PATH=" + old + ":" + os.Getenv("PATH")}, []string{"petschaft: Go 1.19 here is too old", "Petschaft needs Go 1.26, from https://go.dev/dl/"}},
		"no network": {[]string{"GOMODCACHE=" + filepath.Join(t.TempDir(), "none"), "GOPROXY=off", "GOFLAGS=-modcacherw"}, []string{"petschaft: Go modules that are not here yet cannot be fetched (module lookup disabled by GOPROXY=off)", "needs the network for its first build"}},
	} {
		cmd := exec.Command(trial.Must(exec.LookPath("sh")), "cmd/demo/build.sh", "./internal/org")
		cmd.Dir, cmd.Env = "../..", append(os.Environ(), c.env...)
		out, err := cmd.CombinedOutput()
		for _, want := range c.want {
			if err == nil || !strings.Contains(string(out), want) || strings.Count(string(out), "\n") > 3 { // a slow machine has a line or two of patience
				t.Errorf("%s: got %v and\n%s\nwant one sentence with %q", name, err, out, want)
			}
		}
	}
}
