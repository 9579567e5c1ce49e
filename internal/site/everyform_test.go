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

// secret are fields that are never kept; a day is not kept as what is no day.
var notKept = map[string]string{"password": "", "proof_from": "2026-10-01", "proof_until": "2027-01-01", "ends": "2027-01-01"}

// TestEveryFormSurvives: whatever stands half typed in any form of the portal is
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
			if len(seen) < 2 {
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
	var pairs []string
	for name, values := range f.values {
		for _, v := range values {
			pairs = append(pairs, name, v)
		}
	}
	before := b.Rig.Everything()
	shown := speakEnglish(b, path, "post", f.action, pairs...)
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
