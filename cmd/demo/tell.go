package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// patience is how long a teller lets nothing be heard.
const patience = 10 * time.Second

// teller says what is done, and says so again whenever nothing was heard for a
// while, so that nobody takes work for a standstill.
type teller struct {
	to    io.Writer
	doing func() string // more about it, may be empty
	over  chan struct{}

	mu          sync.Mutex
	what        string // empty: nothing
	began, last time.Time
}

// newTeller tells until stop.
func newTeller(to io.Writer, every time.Duration) *teller {
	t := &teller{to: to, over: make(chan struct{}), doing: func() string { return "" }}
	go func() {
		for {
			select {
			case <-t.over:
				return
			case <-time.After(every / 10):
				t.again(every)
			}
		}
	}()
	return t
}

// say begins something and tells it.
func (t *teller) say(what string) {
	t.begin(what)
	fmt.Fprintln(t, "demo:", what)
}

// begin begins something that is told only if it takes long.
func (t *teller) begin(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.what, t.began = what, time.Now()
	t.last = t.began
}

func (t *teller) again(every time.Duration) {
	t.mu.Lock()
	what, took, silent := t.what, time.Since(t.began).Round(time.Second), time.Since(t.last)
	t.mu.Unlock()
	if what != "" && silent >= every {
		fmt.Fprintf(t, "demo: still %s, %s so far%s\n", what, took, t.doing())
	}
}

// Write passes on what somebody else says.
func (t *teller) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	return t.to.Write(b)
}

// heard is w for somebody else's words, which count as being told.
func (t *teller) heard(w io.Writer) io.Writer { return &heard{t, w} }

type heard struct {
	*teller
	w io.Writer
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = time.Now()
	return h.w.Write(b)
}

func (t *teller) stop() { close(t.over) }

// working names what the processes of a group do, as far as their command lines
// tell it: which packages are compiled, linked or tested.
func working(group int) string {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var all []string
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		_, after, ok := strings.Cut(string(stat), ") ") // state, parent, group
		if fields := strings.Fields(after); err != nil || !ok || len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline")) // gone by now: empty
		if job := jobOf(strings.Split(string(line), "\x00")); job != "" && !slices.Contains(all, job) {
			all = append(all, job)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all[:min(len(all), 4)], ", ")
}

// jobOf is what a command line of the Go tools works on, or nothing.
func jobOf(args []string) string {
	behind := func(flag string) string {
		if i := slices.Index(args, flag); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	switch name := filepath.Base(args[0]); {
	case name == "compile" && behind("-p") != "":
		return "compiling " + behind("-p")
	case name == "link":
		return "linking " + filepath.Base(behind("-o"))
	case strings.HasSuffix(name, ".test"):
		return "running " + name
	}
	return ""
}
