package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/api"
	"petschaft/internal/person"
	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

func TestAProblemSpeaksTheLanguageOfItsReader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for accept, want := range map[string][2]string{
		"":                  {"de", "Nicht gefunden"},
		"de-AT,en;q=0.5":    {"de", "Nicht gefunden"},
		"en-GB":             {"en", "Not found"},
		"fr,en;q=0.4":       {"en", "Not found"},
		"fr":                {"de", "Nicht gefunden"},
		"en;q=0.1,de;q=0.9": {"de", "Nicht gefunden"},
	} {
		a := r.call("GET", uni+"/addresses/999", token, nil, "Accept-Language", accept, "Cookie", "lang=en")
		var p struct{ Title string }
		a.to(t, &p)
		if got := [2]string{a.header.Get("Content-Language"), p.Title}; got != want {
			t.Errorf("Accept-Language %q: got %v, want %v", accept, got, want)
		}
		if got := a.header.Get("Vary"); got != "Accept-Language" {
			t.Errorf("got Vary %q, want Accept-Language", got)
		}
	}
}

func TestEachKindOfProblemHasAnAddressThatStays(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range api.Kinds() {
		if seen[k.Name] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(k.Name) {
			t.Errorf("%q is no name for a kind, or there twice", k.Name)
		}
		seen[k.Name] = true
	}
	r := newRig(t)
	a := r.call("GET", uni+"/addresses/999", r.tokenOf("nora"), nil)
	var p struct{ Type string }
	a.to(t, &p)
	if want := r.base + "/api/problems/missing"; p.Type != want {
		t.Errorf("got the type %s, want %s", p.Type, want)
	}
}

func TestWhatIsNoOperationIsAProblem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/nonsense", 404},
		{"PUT", "/email-domains", 405},
		{"DELETE", uni + "/addresses", 405},
		{"OPTIONS", "/email-domains", 405},
		{"POST", "/openapi.json", 405},
	} {
		a := r.ask(c.method, "/api/v1"+c.path, token, nil)
		if a.status != c.status || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: got %d as %s, want %d as a problem: %s", c.method, c.path, a.status, a.header.Get("Content-Type"), c.status, a.body)
		}
		if a.status == 405 && a.header.Get("Allow") == "" {
			t.Errorf("%s %s does not say which methods are possible", c.method, c.path)
		}
	}
	if a := r.ask("HEAD", "/api/v1/email-domains", token, nil); a.status != 200 || len(a.body) > 0 {
		t.Errorf("HEAD: got %d %s, want 200 and no body", a.status, a.body)
	}
}

func TestNoOtherSiteReadsAnAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for _, method := range []string{"GET", "OPTIONS", "POST"} {
		a := r.ask(method, "/api/v1/email-domains", token, nil, "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "authorization")
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: got a header %s, want none", method, name)
			}
		}
	}
}

func TestNoAnswerSetsACookieOrIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.call("GET", "/email-domains", r.tokenOf("nora"), nil, "Cookie", "session=abc; lang=en")
	wants(t, a, 200)
	if got := a.header.Get("Set-Cookie"); got != "" {
		t.Errorf("got a cookie: %s", got)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
}

func TestTimesAreInUTC(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	id := r.client("ada@uni.example")
	stamp := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
	for _, path := range []string{uni + "/addresses", fmt.Sprintf("/client-certificates/%d", id), "/email-domains"} {
		found := 0
		for _, m := range regexp.MustCompile(`"(\d{4}-\d\d-\d\dT[^"]*)"`).FindAllStringSubmatch(string(r.call("GET", path, token, nil).body), -1) {
			if found++; !stamp.MatchString(m[1]) {
				t.Errorf("%s: got the time %s, want seconds in UTC", path, m[1])
			}
		}
		if found == 0 {
			t.Errorf("%s shows no time", path)
		}
	}
}

func TestATokenIsCountedAndBraked(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *portal.Config) { c.APIPerMinute = 3 })
	one, other := r.tokenOf("nora"), r.tokenOf("sven")
	for range 3 {
		wants(t, r.call("GET", "/email-domains", one, nil), 200)
	}
	a := r.call("GET", "/email-domains", one, nil)
	if a.status != 429 || a.header.Get("Retry-After") != "61" || a.code() != "api.too_many" {
		t.Errorf("got %d %s with Retry-After %s, want 429 until the minute is over", a.status, a.body, a.header.Get("Retry-After"))
	}
	wants(t, r.call("GET", "/email-domains", other, nil), 200)
	r.clock.Advance(time.Minute)
	wants(t, r.call("GET", "/email-domains", one, nil), 200)
}

// line is what an audit line says of who did what.
type line struct {
	Action, Origin, Detail string
	Token                  bool
}

func TestEveryCallIsOnRecordWithTokenAndAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	before := r.scalar(`select coalesce(max(id), 0) from audit_line`)
	wants(t, r.call("GET", "/email-domains", token, nil), 200)
	wants(t, r.call("GET", uni+"/addresses?q=secret", token, nil), 200)
	wants(t, r.call("GET", uni+"/addresses/999", token, nil), 404)
	wants(t, r.call("POST", uni+"/addresses", token, newRow("ada")), 201)
	wants(t, r.call("PATCH", uni+"/addresses/1", token, map[string]any{}), 200)
	wants(t, r.call("PATCH", uni+"/addresses/1", token, map[string]any{"comment": "neu"}), 200)
	var got []line
	rows := trial.Must(r.db.Query(t.Context(), `select action, host(origin), detail::text, token is not null from audit_line where id > $1 order by id`, before))
	for rows.Next() {
		var l line
		trial.Must(0, rows.Scan(&l.Action, &l.Origin, &l.Detail, &l.Token))
		if l.Action != "api.called" {
			l.Detail = ""
		}
		got = append(got, l)
	}
	called := func(what string, status int, of ...string) line {
		d := map[string]any{"call": what, "status": status}
		if of != nil {
			d["of"] = of
		}
		detail := string(trial.Must(json.Marshal(d)))
		return line{"api.called", "127.0.0.1", detail, true}
	}
	const list, one = "/api/v1/email-domains/{domain}/addresses", "/api/v1/email-domains/{domain}/addresses/{id}"
	want := []line{
		called("GET /api/v1/email-domains", 200), called("GET "+list, 200, "uni.example"), called("GET "+one, 404, "uni.example", "999"),
		{"mailbox.added", "127.0.0.1", "", true},
		called("POST "+list, 201, "uni.example"), called("PATCH "+one, 200, "uni.example", "1"),
		{"mailbox.edited", "127.0.0.1", "", true},
		called("PATCH "+one, 200, "uni.example", "1"),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the record is not what happened (-want +got):\n%s", d)
	}
}

// TestTheRecordOfACallIsShort, whatever its caller wrote into the address.
func TestTheRecordOfACallIsShort(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for _, odd := range []string{strings.Repeat("x", 50_000), strings.Repeat("ü", 1000), "a%0Ab%E2%80%AEc", strings.Repeat("%41", 300), strings.Repeat("%22%5C", 300)} {
		r.call("GET", "/email-domains/"+odd+"/addresses/"+odd+"?q="+odd, token, nil)
	}
	long := r.scalar(`select coalesce(max(octet_length(detail->>'call') + octet_length(detail->>'of')), 0) from audit_line where action = 'api.called'`)
	if long < 100 || long > 200 {
		t.Errorf("got %d bytes of what was called, want at most 200", long)
	}
	if n := r.scalar(`select count(*) from audit_line where action = 'api.called' and detail::text ~ '[\u0001-\u001f\u202a-\u202e]|\\\\u'`); n != 0 {
		t.Errorf("got %d lines with what nobody sees", n)
	}
}

func TestWhoIsLockedOrWithdrawnIsOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora", person.ReadAddresses)
	wants(t, r.call("GET", "/email-domains", token, nil), 200)
	trial.Must(0, r.People.Lock(t.Context(), r.actors["rita"], r.actors["nora"].Account, "left"))
	wants(t, r.call("GET", "/email-domains", token, nil), 401)
}
