package trace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/trace"
	"petschaft/internal/trial"
)

// rig is a log whose lines can be read, with a clock that can be moved.
type rig struct {
	*trace.Log
	clock *trial.Clock
	out   bytes.Buffer
	mu    sync.Mutex
	times map[trace.Kind]int
}

func newRig() *rig {
	r := &rig{clock: trial.NewClock(), times: map[trace.Kind]int{}}
	from := func(q *http.Request) netip.Addr {
		host, err := netip.ParseAddrPort(q.RemoteAddr)
		if err != nil {
			return netip.Addr{}
		}
		return host.Addr()
	}
	r.Log = trace.New(slog.New(slog.NewJSONHandler(&r.out, nil)), r.clock.Now, from, func(k trace.Kind) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.times[k]++
	})
	return r
}

// lines are those that were written and hold text.
func (r *rig) lines(text string) (all []map[string]any) {
	for _, l := range strings.Split(strings.TrimSpace(r.out.String()), "\n") {
		if l == "" || !strings.Contains(l, text) {
			continue
		}
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(l), &fields); err != nil {
			panic(fmt.Sprintf("%q is no line: %v", l, err))
		}
		all = append(all, fields)
	}
	return all
}

func asked(method, from string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/x?token=geheim", nil)
	r.Method, r.RemoteAddr = method, from
	return r
}

func TestALineSaysWhoWasRefusedWhereAndWhy(t *testing.T) {
	t.Parallel()
	r := newRig()
	e := trace.Event{Kind: trace.Scope, Fault: "token.scope", Account: 7, Token: 9}
	if !r.Refused(asked("POST", "192.0.2.7:1234"), "/api/v1/orders/{reference}", e) {
		t.Error("the first one got no line")
	}
	all := r.lines("")
	if len(all) != 1 {
		t.Fatalf("got %d lines, want 1:\n%s", len(all), r.out.String())
	}
	for name, want := range map[string]any{
		"level": "WARN", "msg": "refused", "logger": "security", "kind": "api_denied", "method": "POST", "route": "/api/v1/orders/{reference}",
		"address": "192.0.2.7", "account": 7.0, "token": 9.0, "fault": "token.scope",
	} {
		if got := all[0][name]; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if strings.Contains(r.out.String(), "geheim") {
		t.Errorf("the line holds the address that was asked for:\n%s", r.out.String())
	}
}

// What a stranger chooses never comes into a line as it is.
func TestNobodyWritesLinesIntoTheLog(t *testing.T) {
	t.Parallel()
	for what, q := range map[string]*http.Request{
		"a method":  asked("GET\n{\"level\":\"ERROR\"}", "192.0.2.7:1"),
		"a zone":    asked("GET", "[fe80::1%\"\nx]:1"),
		"no origin": asked("GET", "nowhere"),
	} {
		r := newRig()
		r.Refused(q, "/x", trace.Event{Kind: trace.Denied, Detail: "zwei\nZeilen\x1b[31m"})
		if n := strings.Count(r.out.String(), "\n"); n != 1 || strings.ContainsAny(r.out.String(), "\x1b") || strings.Contains(r.out.String(), "ERROR") {
			t.Errorf("%s: got\n%s", what, r.out.String())
		}
	}
}

func TestAFloodIsCountedAndNotWritten(t *testing.T) {
	t.Parallel()
	r := newRig()
	for range 50_000 {
		r.Refused(asked("GET", "192.0.2.7:1"), "/c/{token}", trace.Event{Kind: trace.Missing})
	}
	r.Refused(asked("GET", "198.51.100.1:1"), "/c/{token}", trace.Event{Kind: trace.Missing})
	r.Refused(asked("GET", "192.0.2.7:1"), "/x", trace.Event{Kind: trace.Denied})
	if got := len(r.lines(`"192.0.2.7"`)); got != 21 {
		t.Errorf("got %d lines of the one who floods, want 20 and one of another kind", got)
	}
	if got := len(r.lines(`"198.51.100.1"`)); got != 1 {
		t.Errorf("got %d lines of somebody else, want 1", got)
	}
	if got := r.times[trace.Missing]; got != 50_001 {
		t.Errorf("counted %d, want every one", got)
	}
	r.Sweep(t.Context(), false)
	if got := len(r.lines("refused more often")); got != 0 {
		t.Errorf("got %d sums before the minute is over", got)
	}
	r.clock.Advance(time.Minute)
	r.Sweep(t.Context(), false)
	r.Sweep(t.Context(), false)
	sums := r.lines("refused more often")
	if len(sums) != 1 || sums[0]["times"] != 49_980.0 || sums[0]["from"] != "192.0.2.7/32" || sums[0]["kind"] != "missing" {
		t.Errorf("got sums %v, want one of the rest", sums)
	}
	if !r.Refused(asked("GET", "192.0.2.7:1"), "/c/{token}", trace.Event{Kind: trace.Missing}) {
		t.Error("got no line in the next minute")
	}
}

func TestAFloodFromEverywhereIsBoundedToo(t *testing.T) {
	t.Parallel()
	r := newRig()
	for i := range 20_000 {
		r.Refused(asked("GET", fmt.Sprintf("[2001:db8:%x:%x::1]:1", i/5000, i%5000)), "/x", trace.Event{Kind: trace.Token})
	}
	r.Sweep(t.Context(), true)
	if got := len(r.lines(`"msg":"refused"`)); got != 300 {
		t.Errorf("got %d lines, want 300", got)
	}
	sums, times := r.lines("refused more often"), 0.0
	for _, s := range sums {
		times += s["times"].(float64)
	}
	if len(sums) != 101 || times != 19_700 {
		t.Errorf("got %d sums of %v, want 100 addresses and the others together, 19700 in all", len(sums), times)
	}
}

// Whoever has an IPv6 address has a whole network of them.
func TestANetworkOfIPv6IsOneSource(t *testing.T) {
	t.Parallel()
	r := newRig()
	for i := range 100 {
		r.Refused(asked("GET", fmt.Sprintf("[2001:db8::%x]:1", i+1)), "/x", trace.Event{Kind: trace.Token})
	}
	if got := len(r.lines(`"msg":"refused"`)); got != 20 {
		t.Errorf("got %d lines, want 20", got)
	}
}

func TestWhatIsNoThingIsNotMissed(t *testing.T) {
	t.Parallel()
	for route, want := range map[string]int{"/tokens/{number}": 1, "/api": 0, "": 0} {
		r := newRig()
		h := r.Watch(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			trace.Of(q.Context()).By(7, 0)
			trace.Behind(w).Refused(trace.Missing, "fault.missing", "")
		}), func(*http.Request) string { return route })
		h.ServeHTTP(httptest.NewRecorder(), asked("GET", "192.0.2.7:1"))
		if got := len(r.lines("")); got != want {
			t.Errorf("%q: got %d lines, want %d", route, got, want)
		}
	}
}
