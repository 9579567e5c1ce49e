package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Page is a window of somebody's own browser: no cookie is shared with another
// Page. Its methods wait for what they do, and fail the test when it cannot be
// done. They may be called from the test's goroutine only.
type Page struct {
	t      testing.TB
	ctx    context.Context
	who    string
	script bool
	before string
	lang   string
	width  int64
	watch  watch
	jar    cdp.BrowserContextID
	hosts  map[string]bool
}

// Option makes a visitor different.
type Option func(*Page)

// NoScript switches scripts off.
func NoScript(p *Page) { p.script = false }

// Speaking sets the language that the browser asks for.
func Speaking(lang string) Option { return func(p *Page) { p.lang = lang } }

// Beforehand runs a script in each page before the page's own.
func Beforehand(script string) Option { return func(p *Page) { p.before = script } }

// Wide sets the width of the window in CSS pixels.
func Wide(pixels int64) Option { return func(p *Page) { p.width = pixels } }

// Visitor opens a browser of who's own: German, light, 1,400 pixels wide, with
// scripts, unless options say otherwise. who names it in messages.
func (r *Room) Visitor(who string, options ...Option) *Page {
	r.t.Helper()
	p := &Page{t: r.t, who: who, script: true, lang: "de", width: 1400, hosts: r.hosts}
	for _, o := range options {
		o(p)
	}
	p.watch.changed = make(chan struct{}, 1)
	if err := p.open(r.ctx); err != nil {
		r.t.Fatalf("open a window for %s: %v", who, err)
	}
	chromedp.ListenTarget(p.ctx, p.hear)
	p.do("set up the window", network.Enable().WithMaxPostDataSize(mostBody), log.Enable(),
		network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": p.lang}),
		emulation.SetScriptExecutionDisabled(!p.script))
	if p.before != "" {
		p.do("prepare pages", chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(p.before).Do(ctx)
			return err
		}))
	}
	p.shape(p.width, false)
	return p
}

// open opens a window with cookies of its own. chromedp's own way opens a tab,
// for which the new headless mode wants a window to be there.
func (p *Page) open(room context.Context) error {
	chromium := cdp.WithExecutor(room, chromedp.FromContext(room).Browser)
	jar, err := target.CreateBrowserContext().Do(chromium)
	if err != nil {
		return err
	}
	window, err := target.CreateTarget("about:blank").WithBrowserContextID(jar).WithNewWindow(true).Do(chromium)
	if err != nil {
		return err
	}
	p.jar = jar
	var leave context.CancelFunc
	p.ctx, leave = chromedp.NewContext(room, chromedp.WithTargetID(window))
	p.t.Cleanup(func() {
		p.closeWatch()
		leave()
		if err := target.DisposeBrowserContext(jar).Do(chromium); err != nil {
			p.t.Logf("close the window of %s: %v", p.who, err)
		}
	})
	return chromedp.Run(p.ctx)
}

// shape sets the window's width and the scheme.
func (p *Page) shape(width int64, dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.do("shape the window", emulation.SetDeviceMetricsOverride(width, 900, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}))
}

// do runs commands of Chromium's protocol.
func (p *Page) do(what string, actions ...chromedp.Action) {
	p.t.Helper()
	if err := p.try(actions...); err != nil {
		p.fatalf("%s: %v", what, err)
	}
}

// try is do for what may fail.
func (p *Page) try(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// fatalf ends the test with a picture of the page.
func (p *Page) fatalf(format string, args ...any) {
	p.t.Helper()
	p.t.Errorf("%s at %s: "+format, append([]any{p.who, p.watch.address()}, args...)...)
	if file, err := p.shoot("failed-" + plain(p.t.Name()) + "-" + plain(p.who)); err == nil {
		p.t.Logf("what %s saw: %s", p.who, file)
	}
	p.t.FailNow()
}

// Goto opens an address and waits until the page is there, whatever its status.
func (p *Page) Goto(address string) {
	p.t.Helper()
	p.arrive("open "+address, func(ctx context.Context) error {
		_, _, problem, _, err := page.Navigate(address).Do(ctx)
		if err == nil && problem != "" {
			p.t.Errorf("%s opens %s: %s", p.who, address, problem)
		}
		return err
	})
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.arrive("reload", page.Reload().Do)
}

// arrive does something that leads to a page and waits until it is loaded.
func (p *Page) arrive(what string, f func(context.Context) error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	before := p.watch.loaded()
	if err := chromedp.Run(ctx, chromedp.ActionFunc(f)); err != nil {
		p.fatalf("%s: %v", what, err)
	}
	for p.watch.loaded() == before {
		select {
		case <-p.watch.changed:
		case <-ctx.Done():
			p.fatalf("%s: no page came within %s", what, patience)
		}
	}
}

// URL is the address of the page, as the address bar shows it.
func (p *Page) URL() string { return p.watch.address() }

// Status is what the server answered to the page.
func (p *Page) Status() int { return p.watch.answered() }

// top is the frame of the page itself.
func (p *Page) top() cdp.FrameID { return cdp.FrameID(chromedp.FromContext(p.ctx).Target.TargetID) }
