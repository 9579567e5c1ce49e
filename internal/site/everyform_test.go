package site_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"petschaft/internal/draft"
	"petschaft/internal/site/page"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// form is one that somebody may type into.
type form struct {
	id, method, action string
	values             url.Values // as the page has them
	typed              []string   // fields of text
}

// formsOn are the forms of a page that the change of language may take along.
func formsOn(page string) (all []form) {
	var at *form
	for n := range trial.Must(html.Parse(strings.NewReader(page))).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		a := map[string]string{}
		for _, x := range n.Attr {
			a[x.Key] = x.Val
		}
		switch n.Data {
		case "form":
			at = nil
			if strings.HasPrefix(a["id"], "form-") {
				all = append(all, form{id: a["id"], method: a["method"], action: a["action"], values: url.Values{}})
				at = &all[len(all)-1]
			}
		case "input", "textarea", "select":
			if at != nil && within(n, at.id) && a["name"] != "" {
				at.note(n, a)
			}
		}
	}
	return all
}

func within(n *html.Node, id string) bool {
	for ; n != nil; n = n.Parent {
		for _, a := range n.Attr {
			if a.Key == "id" && a.Val == id {
				return true
			}
		}
	}
	return false
}

func (f *form) note(n *html.Node, a map[string]string) {
	_, fixed := a["readonly"]
	_, checked := a["checked"]
	switch {
	case a["type"] == "file":
	case a["type"] == "radio" || a["type"] == "checkbox":
		if checked {
			f.values.Add(a["name"], a["value"])
		}
	case n.Data == "select":
		for o := range n.Descendants() {
			if o.Data == "option" && (!f.values.Has(a["name"]) || slices.ContainsFunc(o.Attr, func(x html.Attribute) bool { return x.Key == "selected" })) {
				for _, x := range o.Attr {
					if x.Key == "value" {
						f.values.Set(a["name"], x.Val)
					}
				}
			}
		}
	case a["type"] == "hidden" || fixed:
		f.values.Add(a["name"], a["value"])
	default:
		f.values.Set(a["name"], a["value"])
		if n.FirstChild != nil { // of a textarea
			f.values.Set(a["name"], n.FirstChild.Data)
		}
		f.typed = append(f.typed, a["name"])
	}
}

// notKept are what is typed where not any text is kept; a password never is.
var notKept = map[string]string{"password": "", "proof_from": "2026-10-01", "proof_until": "2027-01-01", "ends": "2027-01-01"}

// TestEveryFormSurvivesAChangeOfLanguage: whatever stands half typed in any form of the portal is
// there again in the other language, nothing is said of it yet, and nothing of
// all that is written. What is shown where its form is gone has a label.
func TestEveryFormSurvivesAChangeOfLanguage(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"niko", "nora", "rita"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r := &matrixRig{Rig: sitetest.New(t)}
			r.login = loginID(r.As("ada"))
			b := r.As(role)
			b.Post("/language", "lang", "en")
			seen := map[string]bool{}
			for _, e := range matrix {
				if e.method != http.MethodGet || strings.HasPrefix(e.pattern, "/office") && role != "rita" || strings.HasPrefix(e.pattern, "/signin") {
					continue
				}
				path := r.filled(e.pattern)
				if role == "rita" && strings.HasPrefix(path, "/email-domains/uni.example") {
					trial.Must(0, r.Org.AddMember(t.Context(), r.Actors["rita"], r.Group, r.Actors["rita"].Account))
				}
				a := b.Get(path)
				if a.StatusCode != http.StatusOK {
					continue
				}
				for _, f := range formsOn(a.Content) {
					if f.method == "post" && len(f.typed) > 0 && !strings.HasPrefix(f.action, "/office/earlier") {
						seen[e.pattern+" → "+f.action] = true
						f.survives(b, path)
					}
				}
			}
			t.Logf("%d forms", len(seen))
			if len(seen) < 1 {
				t.Errorf("got only the forms %v", slices.Sorted(maps.Keys(seen)))
			}
		})
	}
}

func (f form) survives(b *sitetest.Browser, path string) {
	t := b.Rig.T
	t.Helper()
	want := map[string]string{}
	for i, name := range f.typed {
		text, special := notKept[name]
		if !special {
			text = fmt.Sprintf("halb-%d", i)
		}
		if name == "password" {
			return
		}
		if !page.Labelled(name) {
			t.Errorf("%s: the field %q has no label for where its form is gone: see page.labels", path, name)
		}
		f.values.Set(name, text)
		want[name] = text
	}
	var sent []string
	for name, values := range f.values {
		for _, v := range values {
			sent = append(sent, name, v)
		}
	}
	before := b.Rig.Everything()
	shown := speakEnglish(b, path, "post", f.action, sent...)
	if shown.StatusCode != http.StatusOK {
		t.Errorf("%s, form for %s: got status %d:\n%.800s", path, f.action, shown.StatusCode, shown.Excerpt())
		return
	}
	shown.Has("What you typed is back").Lacks(`role="alert"`, `class="error"`)
	for _, g := range formsOn(shown.Content) {
		if g.action != f.action {
			continue
		}
		for name, text := range want {
			if got := g.values.Get(name); got != text {
				t.Errorf("%s, form for %s: %s is %q, want %q still", path, f.action, name, got, text)
			}
		}
		if after := b.Rig.Everything(); after != before {
			t.Errorf("%s: showing the form for %s wrote something", path, f.action)
		}
		return
	}
	t.Errorf("%s: no form for %s in\n%.2000s", path, f.action, shown.Excerpt())
}

// TestNothingIsWrittenByShowingAForm: each action of the portal, with a form that
// is good, is kept and shown in both ways instead of done. It is never an error,
// and what was typed is there again.
func TestNothingIsWrittenByShowingAForm(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"niko", "nora", "rita"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r := &matrixRig{Rig: sitetest.New(t)}
			r.login = loginID(r.As("ada"))
			b := r.As(role)
			b.Post("/language", "lang", "en")
			for _, e := range matrix {
				if e.method != http.MethodPost || slices.Contains([]string{"/language", "/signin", "/signout"}, e.pattern) {
					continue
				}
				path := r.filled(e.pattern)
				form := pairs(e.filled(b))
				f := draft.Form{Path: path, Page: "/sessions", Kind: "application/x-www-form-urlencoded", Body: []byte(form.Encode())}
				before := r.Everything()
				for _, f.Sent = range []bool{false, true} {
					a := b.Get("/kept/" + trial.Must(r.Drafts.Keep(t.Context(), r.Actors[role].Account, f)))
					if a.StatusCode >= 500 || a.StatusCode == http.StatusSeeOther && a.To() != "/sessions" {
						t.Errorf("%s, sent %v: got status %d, led to %q:\n%.600s", path, f.Sent, a.StatusCode, a.Header.Get("Location"), a.Excerpt())
					}
					if e.want[slices.Index(roles[:], role)] < http.StatusBadRequest && !f.Sent {
						saysAgain(a, e, form)
					}
				}
				if after := r.Everything(); after != before {
					t.Errorf("showing the form for %s wrote something", path)
				}
			}
		})
	}
}

func pairs(form []string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		v.Add(form[i], form[i+1])
	}
	return v
}

// saysAgain fails unless what was typed into the form is on the page a.
func saysAgain(a sitetest.Answer, e entry, form url.Values) {
	a.Browser.Rig.T.Helper()
	for name := range form {
		if text := strings.TrimSpace(form.Get(name)); page.Labelled(name) && len(text) > 2 && !strings.Contains(a.Text(), text) {
			a.Browser.Rig.T.Errorf("%s: what was typed into %s, %q, is lost (%d):\n%.600s", e.pattern, name, text, a.StatusCode, a.Excerpt())
		}
	}
}
