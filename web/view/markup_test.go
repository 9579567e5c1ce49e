package view

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"petschaft/web/locale"
)

// elements walks a parsed page.
func elements(root *html.Node, see func(n *html.Node)) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			see(n)
		}
	}
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestEveryStoryIsSoundMarkup(t *testing.T) {
	t.Parallel()
	stage(t, func(name, lang, page string) {
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		labelled := map[string]bool{}
		h1s, level := 0, 0
		elements(root, func(n *html.Node) {
			if id, ok := attr(n, "id"); ok {
				if ids[id] {
					t.Errorf("%s %s: two elements have the id %q", name, lang, id)
				}
				ids[id] = true
			}
			if n.Data == "label" {
				id, _ := attr(n, "for")
				labelled[id] = true
			}
			if n.Data == "h1" {
				h1s++
			}
			if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
				now := int(n.Data[1] - '0')
				if now > level+1 && level > 0 {
					t.Errorf("%s %s: heading %q skips from h%d to h%d", name, lang, text(n), level, now)
				}
				level = now
			}
		})
		if h1s != 1 {
			t.Errorf("%s %s: got %d h1, want one", name, lang, h1s)
		}
		elements(root, func(n *html.Node) { checkElement(t, name+" "+lang, n, ids, labelled) })
	})
}

func checkElement(t *testing.T, where string, n *html.Node, ids, labelled map[string]bool) {
	t.Helper()
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			t.Errorf("%s: <%s> carries %s=%q; the policy forbids it", where, n.Data, a.Key, a.Val)
		}
		if strings.HasPrefix(a.Key, "aria-describedby") || a.Key == "aria-labelledby" {
			for _, id := range strings.Fields(a.Val) {
				if !ids[id] {
					t.Errorf("%s: <%s> points to %q, which is not on the page", where, n.Data, id)
				}
			}
		}
	}
	if current, ok := attr(n, "aria-current"); ok && current == "" {
		t.Errorf("%s: <%s> has an empty aria-current, which means no", where, n.Data)
	}
	checkWords(t, where, n, ids, labelled)
}

func checkWords(t *testing.T, where string, n *html.Node, ids, labelled map[string]bool) {
	t.Helper()
	id, _ := attr(n, "id")
	kind, _ := attr(n, "type")
	href, _ := attr(n, "href")
	src, _ := attr(n, "src")
	switch n.Data {
	case "style":
		t.Errorf("%s: a style element; the policy forbids it", where)
	case "script":
		if !strings.HasPrefix(src, "/static/") || text(n) != "" {
			t.Errorf("%s: a script that is not our own file: src=%q", where, src)
		}
	case "input", "select", "textarea":
		if kind != "hidden" && !labelled[id] {
			t.Errorf("%s: <%s id=%q> has no label", where, n.Data, id)
		}
	case "a":
		if text(n) == "" || href == "" {
			t.Errorf("%s: a link without words or address: href=%q", where, href)
		}
		if fragment, ok := strings.CutPrefix(href, "#"); ok && !ids[fragment] {
			t.Errorf("%s: a link to %q, which is not on the page", where, href)
		}
		if strings.HasPrefix(href, "about:") {
			t.Errorf("%s: the address of %q was refused by templ", where, text(n))
		}
	case "button":
		if text(n) == "" {
			t.Errorf("%s: a button without words", where)
		}
	case "th":
		if text(n) == "" {
			t.Errorf("%s: a head of a column or row without words", where)
		}
	case "fieldset":
		if first := n.FirstChild; first == nil {
			t.Errorf("%s: an empty fieldset", where)
		}
	}
}

func TestEveryIconCanBeDrawn(t *testing.T) {
	t.Parallel()
	for _, k := range []Kind{Quiet, Open, Info, Good, Warn, Bad, Paused, Ended} {
		i := k.icon()
		if strokes[i] == "" && fills[i] == "" {
			t.Errorf("kind %q has the icon %q, which has no lines", k, i)
		}
	}
}

func TestAnAddressIsCopiedAsItIs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Address(`o'neil+a@uni.example`).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(root), `o'neil+a@uni.example`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheTitleNamesPageAndProduct(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		frame Frame
		want  string
	}{
		{Frame{}, "Petschaft"},
		{Frame{Title: "Hilfe"}, "Hilfe – Petschaft"},
		{Frame{Title: "Neue Zeile", Failed: true}, "Fehler: Neue Zeile – Petschaft"},
	} {
		if got := c.frame.title("", "Fehler"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	got, want := Frame{Title: "Neuer Auftrag", Failed: true}.title("Schritt 2 von 4: Namen", "Fehler"), "Fehler: Schritt 2 von 4: Namen – Neuer Auftrag – Petschaft"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAFailureSaysOnlyWhatIsKnownOfWhatWasTyped(t *testing.T) {
	t.Parallel()
	ctx := locale.With(t.Context(), locale.For("de"))
	typed := []TypedModel{{Name: "comment", Label: "Kommentar", Text: "Getippt"}}
	for _, c := range []struct {
		m     ProblemModel
		sure  bool
		shown bool
	}{
		{ProblemModel{Status: 409, Typed: typed}, true, true},
		{ProblemModel{Status: 404, Typed: typed}, true, true},
		{ProblemModel{Status: 404}, true, false},
		{ProblemModel{Status: 500, Typed: typed}, false, true},
		{ProblemModel{Status: 503, Unsure: true, Typed: typed}, false, true},
	} {
		kept := wordsOf(ctx, c.m).kept
		if sure := strings.Contains(kept, "Es wurde nichts geändert"); sure != c.sure {
			t.Errorf("%d, unsure %v: got %q", c.m.Status, c.m.Unsure, kept)
		}
		if shown := strings.Contains(kept, "steht unten"); shown != c.shown {
			t.Errorf("%d with %d texts: got %q", c.m.Status, len(c.m.Typed), kept)
		}
	}
}
