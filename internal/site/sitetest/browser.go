package sitetest

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"petschaft/internal/trial"
	"petschaft/web/paths"
)

var formField = regexp.MustCompile(`name="form" value="(\w+)"`)

// FormOn is the name of the form on a page.
func (b *Browser) FormOn(page string) string {
	b.Rig.T.Helper()
	m := formField.FindStringSubmatch(b.Get(page).Is(http.StatusOK).Content)
	if m == nil {
		b.Rig.T.Fatalf("the form on %s has no name", page)
	}
	return m[1]
}

// Browser keeps cookies and follows no redirect by itself but the one that leads
// from a form that did nothing to where it is shown.
type Browser struct {
	Rig    *Rig
	Client *http.Client
	Lang   string
	Stays  bool // follows not even that
}

// SignIn picks an account at the provider, whose address is given, and returns
// where the portal leads then.
func (b *Browser) SignIn(provider, sub string) string {
	b.Rig.T.Helper()
	login := strings.Replace(provider, "/authorize?", "/login?", 1)
	back := b.Send(trial.Must(http.NewRequest(http.MethodPost, login, strings.NewReader(url.Values{"person": {sub}}.Encode()))))
	return b.Get(back.To()).Is(http.StatusSeeOther).To()
}

// Answer is a response, read to its end.
type Answer struct {
	*http.Response
	Browser *Browser
	Content string
}

func (b *Browser) Get(path string) Answer { b.Rig.T.Helper(); return b.Ask(http.MethodGet, path) }

// Ask sends a request without a body.
func (b *Browser) Ask(method, path string) Answer {
	b.Rig.T.Helper()
	return b.Send(trial.Must(http.NewRequest(method, b.Rig.At(path), nil)))
}

// Post sends a form, name and value in turn, as a page of the portal would.
func (b *Browser) Post(path string, form ...string) Answer {
	b.Rig.T.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		v.Add(form[i], form[i+1])
	}
	req := trial.Must(http.NewRequest(http.MethodPost, b.Rig.At(path), strings.NewReader(v.Encode())))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Send(req)
}

func (b *Browser) Send(req *http.Request) Answer {
	b.Rig.T.Helper()
	req.Header.Set("Accept-Language", b.Lang)
	if req.Method == http.MethodPost && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.Client.Do(req)
	if err != nil {
		b.Rig.T.Fatal(err)
	}
	defer res.Body.Close()
	if to := res.Header.Get("Location"); req.Method == http.MethodPost && strings.HasPrefix(to, paths.Kept) && !b.Stays {
		return b.Get(to)
	}
	return Answer{res, b, string(trial.Must(io.ReadAll(res.Body)))}
}

// Text is the body as a person reads it, near enough: without breaks and
// entities.
func (a Answer) Text() string {
	return html.UnescapeString(strings.ReplaceAll(a.Content, "<wbr>", ""))
}

// Is fails unless the answer has it.
func (a Answer) Is(want int) Answer {
	a.Browser.Rig.T.Helper()
	if a.StatusCode != want {
		a.Browser.Rig.T.Fatalf("%s %s: got status %d, want %d:\n%s", a.Request.Method, a.Request.URL, a.StatusCode, want, a.Excerpt())
	}
	return a
}

// Has fails unless the page holds every one of the words.
func (a Answer) Has(words ...string) Answer {
	a.Browser.Rig.T.Helper()
	for _, w := range words {
		if !strings.Contains(a.Text(), w) {
			a.Browser.Rig.T.Errorf("%s %s (%d): %q is missing in:\n%s", a.Request.Method, a.Request.URL, a.StatusCode, w, a.Excerpt())
		}
	}
	return a
}

// Lacks fails when the page holds one of the words.
func (a Answer) Lacks(words ...string) Answer {
	a.Browser.Rig.T.Helper()
	for _, w := range words {
		if strings.Contains(a.Text(), w) {
			a.Browser.Rig.T.Errorf("%s %s (%d): %q should not be there", a.Request.Method, a.Request.URL, a.StatusCode, w)
		}
	}
	return a
}

// Code is what the page offers to take along under that id.
func (a Answer) Code(id string) string {
	a.Browser.Rig.T.Helper()
	m := regexp.MustCompile(`(?s)<code id="` + regexp.QuoteMeta(id) + `">(.*?)</code>`).FindStringSubmatch(a.Content)
	if m == nil {
		a.Browser.Rig.T.Fatalf("the page has nothing to take along called %q:\n%s", id, a.Excerpt())
	}
	return html.UnescapeString(m[1])
}

// Excerpt is the page's main part, for messages.
func (a Answer) Excerpt() string {
	s := a.Text()
	if _, main, ok := strings.Cut(s, "<main"); ok {
		s, _, _ = strings.Cut(main, "<footer")
	}
	return s
}

// To is the address of a redirect.
func (a Answer) To() string {
	a.Browser.Rig.T.Helper()
	u, err := a.Location()
	if err != nil {
		a.Browser.Rig.T.Fatalf("%s %s: got status %d, want a redirect:\n%s", a.Request.Method, a.Request.URL, a.StatusCode, a.Excerpt())
	}
	return strings.TrimPrefix(u.String(), a.Browser.Rig.Base)
}

// Follow goes where a redirect leads.
func (a Answer) Follow() Answer {
	a.Browser.Rig.T.Helper()
	return a.Browser.Get(a.To())
}
