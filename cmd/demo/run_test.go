package main

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"petschaft/internal/trial"
)

// clone is a folder in which somebody types make run.
type clone struct {
	t   *testing.T
	dir string
}

func newClone(t *testing.T) clone {
	t.Helper()
	dir := trial.Must(os.MkdirTemp("/var/tmp", "petschaft-clone-"))
	c := clone{t, dir}
	t.Cleanup(func() {
		if out, err := c.demo("forget").CombinedOutput(); err != nil {
			t.Errorf("forget: %v\n%s", err, out)
		}
		os.RemoveAll(dir)
	})
	return c
}

// demo is the demo with these arguments in the clone.
func (c clone) demo(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "PETSCHAFT_BE_DEMO=1")
	return cmd
}

// run starts the demo, waits until it says that it runs, does what is to be done
// and stops it; it returns what the demo said besides.
func (c clone) run(do func(), args ...string) string {
	c.t.Helper()
	cmd := c.demo(append([]string{"run"}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out := trial.Must(cmd.StdoutPipe())
	trial.Must(0, cmd.Start())
	lines := bufio.NewScanner(out)
	up := false
	for !up && lines.Scan() {
		up = strings.Contains(lines.Text(), "Ctrl-C")
	}
	if up {
		do()
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	go io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil || !up {
		c.t.Fatalf("run %v: %v\n%s", args, err, &said)
	}
	return said.String()
}

// fourFree is a port with three free ones behind it.
func fourFree(t *testing.T) int {
	t.Helper()
	var p ports
	defer func() { p.close() }()
	for range 100 {
		l := trial.Must(net.Listen("tcp", "127.0.0.1:0"))
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		var err error
		if port > 20000 && port <= highest {
			if p, err = (settings{Portal: port, Provider: port + 1, Reader: port + 2, SMTP: port + 3}).occupy(); err == nil {
				return port
			}
		}
	}
	t.Fatal("no four free ports in a row")
	return 0
}

// as is a browser in which a sample person signed in at the portal at port.
func as(t *testing.T, port int, username string) func(address string) string {
	t.Helper()
	browser := http.Client{Jar: trial.Must(cookiejar.New(nil))}
	read := func(res *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return fmt.Sprintln(res.Status) + string(trial.Must(io.ReadAll(res.Body)))
	}
	page := read(browser.Get(local("127.0.0.1", port) + "/signin?next=/"))
	action := regexp.MustCompile(`<form method="post" action="([^"]*)"`).FindStringSubmatch(page)
	if action == nil {
		t.Fatalf("no sign-in page:\n%s", page)
	}
	read(browser.PostForm(local("localhost", port+1)+html.UnescapeString(action[1]), url.Values{"person": {"demo-" + username}}))
	return func(address string) string { t.Helper(); return read(browser.Get(address)) }
}

// TestTheDemoKeepsItsPeople: at another port, and after somebody made the clone
// anew in the same place, which as root leaves the old data where it was.
func TestTheDemoKeepsItsPeople(t *testing.T) {
	t.Parallel()
	c, first, second := newClone(t), fourFree(t), fourFree(t)
	nora := func(port int) func() {
		return func() {
			t.Helper()
			if page := as(t, port, "nora")(local("127.0.0.1", port) + "/email-domains/institut.example"); !strings.HasPrefix(page, "200") || !strings.Contains(page, "Çelik, Aylin") {
				t.Errorf("at port %d nora has her domain no more: %.20q", port, page)
			}
		}
	}
	c.run(nora(first), "--port", fmt.Sprint(first))
	c.run(func() {
		nora(second)()
		mail := as(t, second, "aylin.celik")(local("localhost", second+2) + "/mail/1")
		if now, then := local("127.0.0.1", second)+"/", local("127.0.0.1", first)+"/"; !strings.Contains(mail, now) || strings.Contains(mail, then) {
			t.Errorf("the link in a mail of before leads to %s still, want %s", then, now)
		}
	}, "--port", fmt.Sprint(second))
	if text := trial.Must(os.ReadFile(filepath.Join(c.dir, kept()))); !strings.Contains(string(text), fmt.Sprintf(`"Portal": %d,`, second)) {
		t.Errorf("the port %d is not kept: %s", second, text)
	}

	trial.Must(0, os.Remove(filepath.Join(c.dir, kept())))
	said := c.run(nora(first), "--port", fmt.Sprint(first))
	aside := regexp.MustCompile(`(?m)^demo: the data of a clone that was here before is set aside in (\S+) \(make clean removes it\)$`).FindStringSubmatch(said)
	if aside == nil {
		t.Fatalf("it does not say in a line that the old data is set aside:\n%s", said)
	}
	if _, err := os.Stat(aside[1]); err != nil {
		t.Error(err)
	}
	if out, err := c.demo("forget").CombinedOutput(); err != nil {
		t.Errorf("forget: %v\n%s", err, out)
	}
	if _, err := os.Stat(aside[1]); err == nil {
		t.Errorf("%s is still there after make clean", aside[1])
	}
}

func TestARefusedPortIsNamedAndNotKept(t *testing.T) {
	t.Parallel()
	c, port := newClone(t), fourFree(t)
	busy, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port+2))
	for ; err != nil; busy, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", port+2)) {
		port = fourFree(t) // somebody else took it meanwhile
	}
	defer busy.Close()
	for typed, want := range map[string]string{
		"70000": "PORT=70000: the demo needs four ports in a row, so PORT is a number from 1 to 65532",
		"65533": "PORT=65533: the demo needs four ports in a row, so PORT is a number from 1 to 65532",
		"0":     "PORT=0: the demo needs", "-1": "PORT=-1: the demo needs", "acht": "PORT=acht: the demo needs",
		fmt.Sprint(port): fmt.Sprintf("PORT=%d: port %d is taken; the demo needs %d to %d, choose others, as in: make run PORT=9", port, port+2, port, port+3),
	} {
		out, err := c.demo("run", "--port="+typed).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("PORT=%s: got %v and %q, want %q", typed, err, out, want)
		}
		if _, err := os.Stat(filepath.Join(c.dir, kept())); err == nil {
			t.Fatalf("PORT=%s was refused and is kept", typed)
		}
	}
}

// TestAPortThatOnlyRootMayHave says so to others.
func TestAPortThatOnlyRootMayHave(t *testing.T) {
	t.Parallel()
	err := settings{Portal: 80, SMTP: 83, typed: "80"}.refused(80, fmt.Errorf("listen: %w", syscall.EACCES))
	if want := "PORT=80: you may not listen on port 80 (only root may below 1024); the demo needs 80 to 83, choose others, as in: make run PORT=9"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want %q", err, want)
	}
}
