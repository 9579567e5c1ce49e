package main

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"petschaft/internal/trial"
)

// paper is written by several at once.
type paper struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestWorkIsToldAgainOnlyInSilence(t *testing.T) {
	t.Parallel()
	var quiet, busy paper
	silent, loud := newTeller(&quiet, 20*time.Millisecond), newTeller(&busy, time.Hour)
	defer silent.stop()
	defer loud.stop()
	silent.begin("baking")
	loud.say("baking")
	trial.Until(t, "the silence is broken twice", func() bool {
		return strings.Count(quiet.String(), "demo: still baking, ") > 1
	})
	if got, want := busy.String(), "demo: baking\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	silent.begin("")
	said := quiet.String()
	for range 3 {
		silent.again(0)
	}
	if got := quiet.String(); strings.Count(got, "still") > strings.Count(said, "still")+1 { // one may have been on its way
		t.Errorf("it tells of what is over:\n%s", got)
	}
}

func TestWorkNamesWhatIsWorkedOn(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"/usr/lib/go/compile -o x -p net/http -complete": "compiling net/http",
		"/usr/lib/go/link -o /tmp/b001/site.test -s":     "linking site.test",
		"/tmp/b001/org.test -test.v":                     "running org.test",
		"/usr/bin/chromium --headless":                   "",
		"":                                               "",
	} {
		if got := jobOf(strings.Split(line, " ")); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
	cmd := exec.Command(os.Args[0], "postgres", "--", "sh", "-c", "read go") // whose name ends in .test
	cmd.Env = append(os.Environ(), "PETSCHAFT_BE_DEMO=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in := trial.Must(cmd.StdinPipe())
	trial.Must(0, cmd.Start())
	trial.Until(t, "the process is named", func() bool { return working(cmd.Process.Pid) == ": running demo.test" })
	in.Close()
	_ = cmd.Wait() // read fails at the end of its input
}
