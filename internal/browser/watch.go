package browser

import (
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch is what happens in a window, heard from Chromium's own goroutine.
type watch struct {
	sync.Mutex
	changed chan struct{} // something happened since the last look
	loads   int
	url     string
	status  int
	asked   map[network.RequestID]string // address of each request under way
	wrong   []string
	sent    []string
	unheard []string // requests whose body could not be recorded
}

func (w *watch) loaded() int {
	w.Lock()
	defer w.Unlock()
	return w.loads
}

func (w *watch) address() string {
	w.Lock()
	defer w.Unlock()
	return w.url
}

func (w *watch) answered() int {
	w.Lock()
	defer w.Unlock()
	return w.status
}

// hear notes what the test would want to know of.
func (p *Page) hear(event any) {
	w := &p.watch
	w.Lock()
	defer w.Unlock()
	switch e := event.(type) {
	case *page.EventLoadEventFired:
		w.loads++
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			w.url = e.Frame.URL + e.Frame.URLFragment
		}
	case *page.EventNavigatedWithinDocument:
		if e.FrameID == p.top() {
			w.url = e.URL
		}
	case *network.EventRequestWillBeSent:
		p.hearRequest(e)
		w.hearSent(e)
	case *network.EventRequestWillBeSentExtraInfo:
		w.hearHeaders(e)
	case *network.EventResponseReceived:
		p.hearResponse(e)
	case *network.EventLoadingFailed:
		// What the next page cancels is no failure.
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" {
			w.note("%s failed: %s %s", w.asked[e.RequestID], e.ErrorText, e.BlockedReason)
		}
	case *runtime.EventExceptionThrown:
		w.note("script failed: %s", e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeAssert {
			w.note("console.%s: %s", e.Type, said(e.Args))
		}
	case *log.EventEntryAdded:
		// An answer of 404 is no error of the page; see hearResponse.
		if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
			w.note("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// note keeps what the test must fail for.
func (w *watch) note(format string, args ...any) {
	w.wrong = append(w.wrong, "on "+w.url+": "+fmt.Sprintf(format, args...))
}

func (p *Page) hearRequest(e *network.EventRequestWillBeSent) {
	w := &p.watch
	if w.asked == nil {
		w.asked = map[network.RequestID]string{}
	}
	w.asked[e.RequestID] = e.Request.URL
	u, err := url.Parse(e.Request.URL)
	if err != nil || (u.Scheme == "http" || u.Scheme == "https") && !p.hosts[u.Host] {
		w.note("a request to a foreign host: %s %s", e.Request.Method, e.Request.URL)
	}
}

func (p *Page) hearResponse(e *network.EventResponseReceived) {
	w := &p.watch
	if e.Type == network.ResourceTypeDocument {
		if e.FrameID == p.top() {
			w.status = int(e.Response.Status)
		}
		return
	}
	if e.Response.Status >= 400 {
		w.note("%s %s answered %d", strings.ToLower(string(e.Type)), e.Response.URL, e.Response.Status)
	}
}

func said(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		if a.Description != "" {
			words = append(words, a.Description)
			continue
		}
		words = append(words, string(a.Value))
	}
	return strings.Join(words, " ")
}

// closeWatch fails the test for whatever went wrong unseen.
func (p *Page) closeWatch() {
	p.watch.Lock()
	defer p.watch.Unlock()
	for _, w := range p.watch.wrong {
		p.t.Errorf("%s %s", p.who, w)
	}
}
