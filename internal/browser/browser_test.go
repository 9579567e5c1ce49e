package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"petschaft/internal/browser"
	"petschaft/internal/lane"
)

// head begins a page that axe-core has nothing to say about.
const head = `<!DOCTYPE html><html lang="de"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
	<title>Probe</title><link rel="icon" href="data:,"></head><body><main><h1>Probe</h1>`

// serve is a site of pages, each with a strict content policy.
func serve(t *testing.T, pages map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; img-src http: data:; frame-src 'self'; form-action 'self'")
		body, ok := pages[r.URL.Path]
		switch {
		case r.Method == http.MethodPost:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, "%s<p>%s, %s, %s, %s</p>", head, r.FormValue("name"), r.FormValue("kind"), r.FormValue("group"), r.FormValue("sure"))
		case !ok:
			http.NotFound(w, r)
		case strings.HasSuffix(r.URL.Path, ".js"):
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, body)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, strings.ReplaceAll(body, "LANG", r.Header.Get("Accept-Language")))
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

var form = head + `<p>LANG</p><p id="by">without script</p>
	<form method="post"><label for="n">Name</label><input id="n" name="name" value="old">
	<fieldset><legend>Art</legend><label><input type="radio" name="kind" value="p">Person</label><label><input type="radio" name="kind" value="f">Funktion</label></fieldset>
	<label>Gruppe <select name="group"><option value="1">Eins</option><option value="2">Zwei</option></select></label>
	<label><input type="checkbox" name="sure" value="yes">Sicher</label>
	<button>Speichern</button></form>
	<details><summary>Mehr</summary><p>Kleingedrucktes</p></details>
	<script src="/by.js"></script></main></body></html>`

func TestAPersonFillsAFormInABrowserWithScriptAndWithout(t *testing.T) {
	t.Parallel()
	site := serve(t, map[string]string{"/": form, "/by.js": `document.getElementById("by").textContent = "with script"`})
	room := browser.Open(t, site)
	for how, page := range map[string]*browser.Page{
		"with script":    room.Visitor("ada"),
		"without script": room.Visitor("bob", browser.NoScript, browser.Speaking("en")),
	} {
		page.Goto(site)
		page.Await(how)
		page.Lacks("Kleingedrucktes")
		page.Toggle("Mehr")
		page.Await("Kleingedrucktes")
		page.Fill("Name", "Müller, Jürgen")
		page.Choose("Funktion")
		page.Choose("Sicher")
		page.Pick("Gruppe", "Zwei")
		page.Press("Speichern")
		page.Has("Müller, Jürgen, f, 2, yes")
	}
}

func TestAPersonInABrowserChoosesAFileAndSavesOne(t *testing.T) {
	t.Parallel()
	site := serve(t, map[string]string{
		"/": head + `<label>Name <input value="old"></label> <label>Antrag <input type="file"></label> <a href="/file.js">Datei</a>
			<p id="file"></p><script src="/by.js"></script>`,
		"/by.js": `const f = document.querySelector("[type=file]");
			f.addEventListener("change", async () => { document.getElementById("file").textContent = f.files[0].name + ": " + await f.files[0].text(); });`,
		"/file.js": "Inhalt",
	})
	page := browser.Open(t, site).Visitor("ada")
	page.Goto(site)
	page.Attach("Antrag", "antrag.csr", []byte("Bitte"))
	page.Await("antrag.csr: Bitte")
	if got, want := page.Value("Name"), "old"; got != want {
		t.Errorf("got %q in the field, want %q", got, want)
	}
	if got, want := string(page.Save("Datei")), "Inhalt"; got != want {
		t.Errorf("got the file %q, want %q", got, want)
	}
	if got, want := page.HTML(), `<p id="file">antrag.csr: Bitte</p>`; !strings.Contains(got, want) {
		t.Errorf("got the source %q, want %q in it", got, want)
	}
}

func TestAPageInABrowserKnowsItsLanguageAddressAndStatus(t *testing.T) {
	t.Parallel()
	site := serve(t, map[string]string{"/": head + `<p>LANG</p><a href="/gone">Weiter</a>`})
	page := browser.Open(t, site).Visitor("ada", browser.Speaking("en"))
	page.Goto(site)
	page.Has("en")
	if got, want := page.Title(), "Probe"; got != want {
		t.Errorf("got title %q, want %q", got, want)
	}
	page.Follow("Weiter")
	if got, want := page.URL(), site+"/gone"; got != want {
		t.Errorf("got address %q, want %q", got, want)
	}
	if got, want := page.Status(), http.StatusNotFound; got != want {
		t.Errorf("got status %d, want %d", got, want)
	}
}

func TestALinkInABrowserCanBeFollowedFromAFrameThatMayRunNothing(t *testing.T) {
	t.Parallel()
	site := serve(t, map[string]string{
		"/":      head + `<iframe title="Mail" src="/frame" sandbox="allow-top-navigation-by-user-activation"></iframe>`,
		"/frame": `<!DOCTYPE html><base target="_top"><p><a href="/there">Hier klicken</a>`,
		"/there": head + "Angekommen",
	})
	room := browser.Open(t, site)
	for _, options := range [][]browser.Option{nil, {browser.NoScript}} {
		page := room.Visitor("ada", options...)
		page.Goto(site)
		page.FollowIn("iframe", "Hier klicken")
		page.Has("Angekommen")
	}
}

func TestLooksInABrowserLeavePicturesAndFindNothingOnAGoodPage(t *testing.T) {
	lane.Browser(t)
	folder := t.TempDir()
	t.Setenv("PETSCHAFT_SCREENS", folder)
	site := serve(t, map[string]string{"/": head + "<p>Gut.</p></main>"})
	page := browser.Open(t, site).Visitor("ada")
	page.Goto(site)
	page.Look("Gute Seite")
	for _, name := range []string{"gute-seite-360-light", "gute-seite-360-dark", "gute-seite-1400-light", "gute-seite-1400-dark"} {
		if _, err := os.Stat(folder + "/" + name + ".png"); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatAPageInABrowserMayNotDoFailsTheTest(t *testing.T) {
	lane.Browser(t)
	other := serve(t, map[string]string{"/": ""})
	t.Setenv("PETSCHAFT_SCREENS", t.TempDir())
	for does, c := range map[string]struct{ page, script, want string }{
		"asks another host":           {`<img alt="" src="` + other + `/pixel.png">`, "", "foreign host"},
		"writes an error":             {"", `console.error("weh", 7)`, `"weh" 7`},
		"throws":                      {"", `throw new Error("oje")`, "oje"},
		"runs a script in the page":   {"<script>1</script>", "", "Content Security Policy"},
		"misses a script of its own":  {`<script src="/none.js"></script>`, "", "answered 404"},
		"has a field without a label": {"<input>", "", "label (critical)"},
		"has text too pale in the dark": {"", `const s = new CSSStyleSheet();
			s.replaceSync("@media (prefers-color-scheme: dark) { p { color: #ddd; background: #fff } }");
			document.adoptedStyleSheets = [s]; document.querySelector("main").append(Object.assign(document.createElement("p"), {textContent: "blass", className: "pale"}))`, "dark"},
		"is wider than the window": {`<pre>` + strings.Repeat("breit", 60) + `</pre>`, "", "sticks out"},
	} {
		t.Run(does, func(t *testing.T) {
			site := serve(t, map[string]string{"/": head + c.page + `</main><script src="/s.js"></script></body></html>`, "/s.js": c.script})
			said := overhear(t, func(t testing.TB) {
				page := browser.Open(t, site).Visitor("ada")
				page.Goto(site)
				page.Look("Probe")
			})
			if !strings.Contains(said, c.want) {
				t.Errorf("got complaints %q, want one with %q", said, c.want)
			}
		})
	}
}

// TestALookInABrowserIsForWhatNobodyLookedAt: the same again is not judged, and
// whatever is new on a page has all of it judged; it always has to fit.
func TestALookInABrowserIsForWhatNobodyLookedAt(t *testing.T) {
	lane.Browser(t)
	t.Setenv("PETSCHAFT_SCREENS", t.TempDir())
	const field, label = `<aside class="only-here"><input></aside>`, "label (critical)"
	for _, c := range []struct {
		name, page string
		want       []string
		lacks      string
	}{
		{"first", "<p>Eins.</p>" + field, []string{label}, ""},
		{"other words, and more of them", "<p>Zwei.</p><p>Drei.</p>" + field, nil, label},
		{"too wide", "<p>" + strings.Repeat("breit", 300) + "</p>" + field, []string{"sticks out"}, label},
		{"a new class", `<p class="new">Vier.</p>` + field, []string{label}, ""},
		{"a new attribute", "<p title=x>Fünf.</p>" + field, []string{label}, ""},
		{"another heading", "<h2>Sechs</h2>" + field, []string{label}, ""},
		{"in another place", "<div>" + field + "</div>", []string{label}, ""},
	} {
		site := serve(t, map[string]string{"/": head + c.page + "</main>"})
		said := overhear(t, func(t testing.TB) {
			page := browser.Open(t, site).Visitor("ada")
			page.Goto(site)
			page.Look("Probe")
		})
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: got complaints %q, want one with %q", c.name, said, want)
			}
		}
		if c.lacks != "" && strings.Contains(said, c.lacks) {
			t.Errorf("%s: got complaints %q, want none with %q", c.name, said, c.lacks)
		}
	}
}

func TestWhoLooksInABrowserForWhatIsNotThereHearsWhatIs(t *testing.T) {
	lane.Browser(t)
	t.Setenv("PETSCHAFT_SCREENS", t.TempDir())
	site := serve(t, map[string]string{"/": head + `<button>Ja</button><button>Ja</button>`})
	said := overhear(t, func(t testing.TB) {
		page := browser.Open(t, site).Visitor("ada")
		page.Goto(site)
		page.Press("Ja")
	})
	if want := "got 2 of"; !strings.Contains(said, want) {
		t.Errorf("got %q, want it to say %q", said, want)
	}
}

// ear is a test that only listens.
type ear struct {
	testing.TB
	sync.Mutex
	said     strings.Builder
	cleanups []func()
}

func (e *ear) Errorf(format string, args ...any) {
	e.Lock()
	defer e.Unlock()
	fmt.Fprintf(&e.said, format+"\n", args...)
}

func (e *ear) Fatalf(format string, args ...any) {
	e.Errorf(format, args...)
	e.FailNow()
}
func (e *ear) Logf(string, ...any) {}
func (e *ear) FailNow()            { panic(e) }
func (e *ear) Cleanup(f func())    { e.cleanups = append(e.cleanups, f) }

// overhear returns what f's test would complain about.
func overhear(t *testing.T, f func(testing.TB)) string {
	t.Helper()
	e := &ear{TB: t}
	func() {
		defer func() {
			if broke := recover(); broke != nil && broke != any(e) {
				panic(broke)
			}
		}()
		f(e)
	}()
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
	return e.said.String()
}
