package browser

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// hearSent keeps what a request carries, as it goes out.
func (w *watch) hearSent(e *network.EventRequestWillBeSent) {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s%s\n", e.Request.Method, e.Request.URL, e.Request.URLFragment)
	writeHeaders(&s, e.Request.Headers)
	for _, part := range e.Request.PostDataEntries {
		body, err := base64.StdEncoding.DecodeString(part.Bytes)
		if err != nil || len(body) == 0 { // a blob, say
			w.unheard = append(w.unheard, e.Request.Method+" "+e.Request.URL)
		}
		s.Write(body)
	}
	if e.Request.HasPostData && len(e.Request.PostDataEntries) == 0 {
		w.unheard = append(w.unheard, e.Request.Method+" "+e.Request.URL)
	}
	w.sent = append(w.sent, s.String())
}

// hearHeaders keeps the headers as they are on the wire, with cookies.
func (w *watch) hearHeaders(e *network.EventRequestWillBeSentExtraInfo) {
	var s strings.Builder
	writeHeaders(&s, e.Headers)
	w.sent = append(w.sent, s.String())
}

func writeHeaders(s *strings.Builder, h network.Headers) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(s, "%s: %v\n", name, h[name])
	}
	s.WriteString("\n")
}

// Sent is every request of this window since it was opened: method, address,
// headers and body, one after another. It fails when a body could not be
// recorded, as that of a blob.
func (p *Page) Sent() []string {
	p.t.Helper()
	p.watch.Lock()
	defer p.watch.Unlock()
	if len(p.watch.unheard) > 0 {
		p.t.Errorf("these bodies of %s could not be recorded: %s", p.who, strings.Join(p.watch.unheard, ", "))
	}
	return slices.Clone(p.watch.sent)
}

// Download presses the button called name and waits for the file that the page
// then saves; it returns its name and content.
func (p *Page) Download(name string) (file string, content []byte) {
	p.t.Helper()
	folder := p.t.TempDir()
	chromium := cdp.WithExecutor(p.ctx, chromedp.FromContext(p.ctx).Browser)
	if err := browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithBrowserContextID(p.jar).WithDownloadPath(folder).Do(chromium); err != nil {
		p.fatalf("prepare for a download: %v", err)
	}
	p.Click(name)
	if !p.until(patience, func() bool {
		all, err := os.ReadDir(folder)
		if err != nil || len(all) != 1 || strings.HasSuffix(all[0].Name(), ".crdownload") {
			return false
		}
		file = all[0].Name()
		content, err = os.ReadFile(filepath.Join(folder, file))
		return err == nil && len(content) > 0
	}) {
		p.fatalf("%q saved no file", name)
	}
	return file, content
}

// Click presses the button called name, which leads nowhere.
func (p *Page) Click(name string) {
	p.t.Helper()
	x := p.one("", name, button)
	p.do(fmt.Sprintf("click %q", name), chromedp.ActionFunc(func(ctx context.Context) error { return hit(ctx, x) }))
}

// Run is the answer of a script, an expression or a promise of a string, as the
// page's own scripts could run it.
func (p *Page) Run(script string) (answer string) {
	p.t.Helper()
	p.do("run a script", chromedp.Evaluate(script, &answer, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true)
	}))
	return answer
}
