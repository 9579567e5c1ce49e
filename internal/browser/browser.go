// Package browser is a real Chromium for tests: it opens pages as one person or
// another, presses what a person would press, and looks at what they would see.
// It decides what no page may do: ask a host that the test did not name, write
// an error to the console, break its own content policy, spill over the edge of
// a narrow screen, or break a rule of axe-core. It knows no page of the portal,
// and it is for tests only.
package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"petschaft/internal/lane"
)

const (
	// atOnce is how many tests of a process use Chromium at the same time: one
	// more than a small machine has cores, since journeys wait for jobs and mails.
	atOnce = 3
	// patience is how long a page may take to do what it is expected to do.
	patience = 20 * time.Second
	// mostBody is how much of a request's body is recorded.
	mostBody = 1 << 20
	// soon is how long a thing may take to come to a page that is loaded.
	soon = 4 * time.Second
)

// names are what Chromium is called, in the order of preference.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// chromium is the one of this process: started for the first test that wants
// it, ended when nobody uses it any more.
var chromium process

type process struct {
	sync.Mutex
	users int
	ctx   context.Context
	end   context.CancelFunc
}

var slots = make(chan struct{}, atOnce)

// Room is Chromium for one test.
type Room struct {
	t     testing.TB
	ctx   context.Context
	hosts map[string]bool
}

// Open gives t a place in this process's Chromium, waiting while atOnce
// others use it. Pages may ask only the hosts of the addresses. t is in lane two,
// or three.
func Open(t testing.TB, addresses ...string) *Room {
	t.Helper()
	lane.Browser(t)
	r := &Room{t: t, hosts: map[string]bool{}}
	for _, a := range addresses {
		u, err := url.Parse(a)
		if err != nil || u.Host == "" {
			t.Fatalf("%q is no address with a host", a)
		}
		r.hosts[u.Host] = true
	}
	slots <- struct{}{}
	t.Cleanup(func() { <-slots })
	ctx, err := chromium.use()
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(chromium.leave)
	r.ctx = ctx
	return r
}

func (p *process) use() (context.Context, error) {
	p.Lock()
	defer p.Unlock()
	if p.users == 0 {
		if err := p.start(); err != nil {
			return nil, err
		}
	}
	p.users++
	return p.ctx, nil
}

func (p *process) leave() {
	p.Lock()
	defer p.Unlock()
	if p.users--; p.users == 0 {
		p.end()
	}
}

func (p *process) start() error {
	program, err := find()
	if err != nil {
		return err
	}
	// Chromium makes itself an empty profile, and leaves with this process.
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.DisableGPU,
		chromedp.Flag("headless", "new"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-default-apps", true), chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-breakpad", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("metrics-recording-only", true),
		chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true), chromedp.Flag("password-store", "basic"),
		// A framed mail stays in the process of its page, where it can be clicked.
		chromedp.Flag("disable-features", "IsolateSandboxedIframes,Translate,OptimizationHints,MediaRouter"),
		chromedp.WSURLReadTimeout(60 * time.Second),
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses its sandbox to root
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	if err := chromedp.Run(ctx); err != nil {
		cancel()
		stop()
		return fmt.Errorf("start %s: %w", program, err)
	}
	p.ctx = ctx
	p.end = func() {
		// Cancel waits until Chromium has gone and its profile is removed.
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, "end Chromium:", err)
		}
		stop()
	}
	return nil
}

func find() (string, error) {
	for _, name := range names {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("no Chromium here (looked for %s): `make test` installs it", strings.Join(names, ", "))
}
