package main

import (
	"bufio"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"petschaft/internal/trial"
)

// TestMain lets the test binary be the demo itself. trial.Main is not for this: its
// parts are functions with a deadline, and here main runs with its own arguments,
// signals and exit code.
func TestMain(m *testing.M) {
	if os.Getenv("PETSCHAFT_BE_DEMO") == "" {
		os.Exit(m.Run())
	}
	main()
}

func TestPostgresLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		script string
		do     func(demo *os.Process)
		code   int
		litter bool // SIGKILL leaves files, which the next run sweeps
	}{
		{name: "after a command that succeeds", script: "true", code: 0},
		{name: "after a command that fails", script: "exit 7", code: 7},
		{name: "after a command that is killed", script: "kill -9 $$", code: 137},
		{name: "after SIGTERM", script: "sleep 600 & wait", code: 143, do: send(syscall.SIGTERM)},
		{name: "after SIGINT", script: "exec sleep 600", code: 130, do: send(syscall.SIGINT)},
		{name: "after SIGKILL", script: "exec sleep 600", code: -1, do: send(syscall.SIGKILL), litter: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			demo := exec.Command(os.Args[0], "postgres", "--", "sh", "-c", "echo $PETSCHAFT_TEST_DATABASE; read go; "+c.script)
			demo.Env = append(os.Environ(), "PETSCHAFT_BE_DEMO=1")
			in, dir, pid := begin(t, demo)
			if c.litter {
				t.Cleanup(func() { os.RemoveAll(dir) })
			}
			if c.do != nil {
				c.do(demo.Process)
			} else {
				in()
			}
			if got := exit(demo.Wait()); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
			gone(t, pid)
			if _, err := os.Stat(dir); err == nil && !c.litter {
				t.Errorf("%s is still there", dir)
			}
		})
	}
}

func send(s syscall.Signal) func(*os.Process) {
	return func(p *os.Process) { _ = p.Signal(s) }
}

// begin starts the demo and waits until its command runs. The first result
// lets the command's script go on; dir and pid are the server's.
func begin(t *testing.T, demo *exec.Cmd) (goOn func(), dir string, pid int) {
	t.Helper()
	in, err1 := demo.StdinPipe()
	out, err2 := demo.StdoutPipe()
	demo.Stderr = os.Stderr
	if err := errors.Join(err1, err2, demo.Start()); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Dir(address.Query().Get("host"))
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	if pid, err = strconv.Atoi(first); err != nil {
		t.Fatal(err)
	}
	return func() { _, _ = in.Write([]byte("go\n")) }, dir, pid
}

func exit(err error) int {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return 0
}

// gone polls: the server is nobody's child that we could wait for.
func gone(t *testing.T, pid int) {
	t.Helper()
	trial.Until(t, "the server is gone", func() bool { return syscall.Kill(pid, 0) != nil })
}
