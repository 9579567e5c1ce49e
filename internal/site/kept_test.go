package site_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/draft"
	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// speakEnglish presses the button for English on the page at path, which takes
// along the form that is sent to to.
func speakEnglish(b *sitetest.Browser, path, by, to string, form ...string) sitetest.Answer {
	b.Rig.T.Helper()
	q := url.Values{"lang": {"en"}, "next": {path}, "to": {to}, "by": {by}}
	return b.Post("/language?"+q.Encode(), form...)
}

func TestALanguageIsChangedWithWhatIsTyped(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	id, row := r.Add("erika.muster")
	nora.Get(row+"/edit").Is(http.StatusOK).Has(`formaction="/language?`, `form="form-1"`, url.QueryEscape(row+"/edit"))
	const none = "What you typed is back"
	page := speakEnglish(nora, row+"/edit", "post", row+"/edit", "name", "Halb getippt", "alias1", "kein@", "version", "1")
	page.Is(http.StatusOK).Has("Halb getippt", `value="kein@"`, "What you typed is back. None of it has been saved yet.", "Save").Lacks("has been sent", "Fehler", "is not valid", "There is", "Error:")
	if !strings.HasPrefix(page.Request.URL.Path, "/kept/") {
		t.Errorf("got the form at %s, want it at an address of its own", page.Request.URL)
	}
	nora.Get(page.Request.URL.String()).Is(http.StatusOK).Has("Halb getippt") // a reload
	if got := trial.Must(r.Mailbox.Row(t.Context(), r.Actors["nora"], "uni.example", id)).Name; got != "erika.muster" {
		t.Errorf("showing the form saved %q", got)
	}
	nora.Post(row+"/edit", "name", "Getippt", "kind", "personal", "version", "1").Is(http.StatusSeeOther).Follow().Has("Getippt").Lacks(none)

	found := speakEnglish(nora, "/email-domains/uni.example", "get", "/email-domains/uni.example", "q", "erika")
	if got := found.To(); got != "/email-domains/uni.example?q=erika" {
		t.Errorf("the search in another language: got led to %q", got)
	}
	for _, to := range []string{"//evil.example/", "https://evil.example/", "/\\evil.example"} {
		if got := speakEnglish(nora, "/tokens", "post", to, "name", "x").To(); got != "/tokens" {
			t.Errorf("a form for %q: got led to %q, want back to the page", to, got)
		}
	}
}

// TestTheFormThatCameBackGoesAlongAgain: of several on a page, also without script.
func TestTheFormThatCameBackGoesAlongAgain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	group := fmt.Sprintf("/office/groups/%d", r.Group)
	along := regexp.MustCompile(`to=([^&"]+)&amp;|to=([^&"]+)"`)
	if got := along.FindString(rita.Get(group).Content); !strings.Contains(got, "members") {
		t.Fatalf("the first form of the page is the one for %s, want another", got)
	}
	page := speakEnglish(rita, group, "post", group, "name", "halb").Is(http.StatusOK)
	page.Has(`value="halb"`, "What you typed is back in the form with", "Other forms on this page start over")
	if got := along.FindString(page.Content); !strings.HasSuffix(strings.Trim(got, `"`), url.QueryEscape(group)) {
		t.Errorf("the buttons for the language take along %s, want the form that came back", got)
	}
}

// TestWhatIsShownOnceIsNotShownInAnotherLanguage: the button would throw it away.
func TestWhatIsShownOnceIsNotShownInAnotherLanguage(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	form := []string{"form", "einmal", "name", "Programm", "ends", "2026-12-20", "domains", "1", "domain_verbs", "addresses.read"}
	nora := r.As("nora")
	nora.Get("/tokens/new").Has("data-lang")
	nora.Post("/tokens", form...).Is(http.StatusOK).Has("pts_").Lacks("data-lang")
}

func TestEachStepOfAnOrderHasAnAddress(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	csr := sitetest.NewCSR("www.uni.example")
	names := nora.Post("/orders/new", "step", "names", "csr", csr, "form", "eins").Is(http.StatusOK).Has("www.uni.example</textarea>")
	check := []string{"step", "check", "csr", csr, "names", "www.uni.example", "organisation", fmt.Sprint(r.Organisation), "product", "tls-single", "comment", "Bleibt da", "form", "eins"}
	summary := nora.Post("/orders/new", check...).Is(http.StatusOK).Has("Bleibt da")
	wrong := nora.Post("/orders/new", "step", "check", "csr", csr, "names", "www.fremd.example", "organisation", fmt.Sprint(r.Organisation), "product", "tls-single").
		Is(http.StatusUnprocessableEntity).Has("www.fremd.example", `href="#f-names"`)
	for what, page := range map[string]sitetest.Answer{"names": names, "summary": summary, "wrong": wrong} {
		if page.Request.Method != http.MethodGet || !strings.HasPrefix(page.Request.URL.Path, "/kept/") {
			t.Errorf("%s: got %s %s, want a page that can be gone back to", what, page.Request.Method, page.Request.URL)
		}
		nora.Get(page.Request.URL.String()).Is(page.StatusCode) // back, or a reload
	}
	english := nora.Post("/language?" + url.Values{"lang": {"en"}, "next": {summary.Request.URL.Path}}.Encode())
	english.Is(http.StatusOK).Has("Bleibt da", "Submit order")
	if n := r.Count(`select count(*) from server_order`); n != 0 {
		t.Fatalf("got %d orders before one was submitted", n)
	}
	check[1] = "submit"
	first := nora.Post("/orders/new", check...).Is(http.StatusSeeOther).To()
	nora.Get(summary.Request.URL.String()).Is(http.StatusOK)
	if again := nora.Post("/orders/new", check...).Is(http.StatusSeeOther).To(); again != first {
		t.Errorf("the same form twice: got %s and %s, want one order", first, again)
	}
}

func TestWhatAFormWasRefusedForIsSaidAtItsAddress(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	r.Add("erika.muster")
	page := nora.Post("/email-domains/uni.example/rows", "kind", "personal", "name", "Zweite", "primary", "erika.muster@uni.example").
		Is(http.StatusUnprocessableEntity).Has("Zweite", "erika.muster@uni.example")
	again := nora.Get(page.Request.URL.String()).Is(page.StatusCode)
	nameless := regexp.MustCompile(`value="\w{26}"`)
	if a, b := nameless.ReplaceAllString(page.Excerpt(), ""), nameless.ReplaceAllString(again.Excerpt(), ""); a != b {
		t.Errorf("a reload says something else:\n%s\n%s", a, b)
	}
}

func TestNobodyElseSeesAKeptForm(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	page := r.As("nora").Post("/orders/new", "step", "names", "csr", sitetest.NewCSR("www.uni.example")).Is(http.StatusOK)
	path := page.Request.URL.Path
	r.As("rita").Get(path).Is(http.StatusNotFound).Has("nicht mehr da").Lacks("www.uni.example")
	if got := r.Anonymous().Get(path).To(); got != "/signin?next="+url.QueryEscape(path) {
		t.Errorf("who is not signed in: got led to %q", got)
	}
	token := strings.TrimPrefix(path, "/kept/")
	if n := r.Count(`select count(*) from draft d where d::text like '%' || $1 || '%'`, token); n != 0 {
		t.Error("the token lies in the database")
	}
	r.Clock.Advance(25 * time.Hour)
	r.As("nora").Get(path).Is(http.StatusNotFound).Has("nicht mehr da")
	trial.Must(0, r.Drafts.Tidy(t.Context()))
	if n := r.Count(`select count(*) from draft`); n != 0 {
		t.Errorf("got %d forms a day later, want none", n)
	}
}

func TestOnlyTheLastFiftyFormsAreKept(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	by := r.Actors["nora"].Account
	first := trial.Must(r.Drafts.Keep(t.Context(), by, draft.Form{Path: "/orders/new"}))
	for range 50 {
		r.Clock.Advance(time.Second)
		trial.Must(r.Drafts.Keep(t.Context(), by, draft.Form{Path: "/orders/new"}))
	}
	if n := r.Count(`select count(*) from draft`); n != 50 {
		t.Errorf("got %d forms, want 50", n)
	}
	if _, err := r.Drafts.Open(t.Context(), by, first, nil); err == nil {
		t.Error("the oldest is still there")
	}
}

func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora, ada := r.As("nora"), r.As("ada")
	const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n"
	nora.Post("/orders/new", "step", "names", "csr", key).Is(http.StatusUnprocessableEntity).Lacks("MIIEvQ")
	nora.Post("/orders/new", "step", "names", "csr", sitetest.NewCSR("www.uni.example"), "comment", key).Lacks("/kept/")
	nora.Upload("/orders/new", key, "step", "names").Is(http.StatusUnprocessableEntity).Lacks("MIIEvQ")
	nora.Upload("/orders/new", "0\x82\x00\x10\x02\x01\x03\x30binary\x00\xff", "step", "names").Is(http.StatusUnprocessableEntity)
	speakEnglish(nora, "/orders/new", "post", "/orders/new", "csr", key).Is(http.StatusSeeOther)
	h := r.Accepted("ada")
	ada.Post(fmt.Sprintf("/handovers/%d/finish", h.ID), "password", "falsch").Is(http.StatusUnprocessableEntity)
	speakEnglish(ada, "/", "post", fmt.Sprintf("/handovers/%d/finish", h.ID), "password", "falsch")
	if n := r.Count(`select count(*) from draft`); n != 0 {
		t.Errorf("got %d forms kept with a secret, want none", n)
	}
}

// TestWhoTypedMeanwhileHearsOfAChange: a form that came back saves over nothing that
// its author has not seen.
func TestWhoTypedMeanwhileHearsOfAChange(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id, row := r.Add("erika.muster")
	nora := r.As("nora")
	typed := formsOn(nora.Get(row + "/edit").Content)[0].values
	trial.Must(0, r.Mailbox.Edit(t.Context(), r.Actors["nora"], "uni.example", id, 1, mailbox.Input{Kind: mailbox.Personal, Name: "In einem anderen Tab"}))
	back := formsOn(speakEnglish(nora, row+"/edit", "post", row+"/edit", "name", "Getippt", "kind", "personal", "version", typed.Get("version")).Content)[0].values
	nora.Post(row+"/edit", "name", "Getippt", "kind", "personal", "version", back.Get("version")).Is(http.StatusConflict).Has("In einem anderen Tab", "Getippt")
}

// TestAStepOfAnOrderCostsTwoPages: what the answer to the POST asked the database
// for before, one statement that keeps the form, and a page.
func TestAStepOfAnOrderCostsTwoPages(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	form := []string{"step", "check", "csr", sitetest.NewCSR("www.uni.example"), "names", "www.uni.example", "organisation", fmt.Sprint(r.Organisation), "product", "tls-single"}
	nora.Stays = true
	nora.Post("/orders/new", form...)
	asked := pgtest.Queries(t, r.Pool)
	to := nora.Post("/orders/new", form...).Is(http.StatusSeeOther).To()
	post := asked()
	nora.Get(to).Is(http.StatusOK)
	get := asked() - post
	t.Logf("a step: %d statements before, %d and %d now", post-1, post, get)
	if get > post {
		t.Errorf("showing the form asks %d times, want at most the %d of the step itself", get, post)
	}
}
