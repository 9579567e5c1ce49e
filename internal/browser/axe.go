package browser

import (
	"context"
	"sync"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"petschaft/internal/npm"
)

var axeCore = npm.Package{
	Name: "axe-core", Version: "4.14.1",
	Integrity: "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
}

// axeRun asks for every rule of WCAG 2.2 AA and the good practices beyond it.
const axeRun = `axe.run(document, {resultTypes: ["violations"], preload: false,
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]})
	.then((r) => r.violations.map((v) => v.id + " (" + v.impact + "): " + v.help + v.nodes.map((n) =>
	"\n\t" + n.target.join(" ") + "\n\t\t" + n.failureSummary.replaceAll("\n", "\n\t\t")).join("")))`

// shapesOf a page are its elements with all that they stand in, as far as rules
// can tell one from another: tags, classes, which attributes there are and what
// those say that say what an element is. Its language and its headings are one
// more. Words, numbers and how often something comes are none.
const shapesOf = `(() => {
	const telling = /^(class|type|role|lang|aria-(?!label|describedby|controls|owns).*)$/;
	const one = (e) => [e.tagName, ...Array.from(e.attributes, (a) => telling.test(a.name) ? a.name + "=" + a.value : a.name).sort()].join(" ");
	const paths = new Map([[document.body, ""]]);
	const headings = [];
	for (const e of document.body.querySelectorAll("*")) {
		paths.set(e, paths.get(e.parentElement) + " > " + one(e));
		if (/^H[1-6]$/.test(e.tagName)) headings.push(e.tagName);
	}
	return Array.from(new Set([...paths.values(), document.documentElement.lang + " " + headings.join(" ")]));
})()`

// judged are the shapes of all pages that axe-core was asked about.
var judged = struct {
	sync.Mutex
	shapes map[string]bool
}{shapes: map[string]bool{}}

// fresh tells whether the page has a shape that no page had before, and takes
// all of them for judged.
func (p *Page) fresh() bool {
	p.t.Helper()
	var shapes []string
	p.do("tell the page's shapes", chromedp.Evaluate(shapesOf, &shapes))
	judged.Lock()
	defer judged.Unlock()
	before := len(judged.shapes)
	for _, s := range shapes {
		judged.shapes[s] = true
	}
	return len(judged.shapes) > before
}

// axe fails the test for everything that axe-core finds on the page.
func (p *Page) axe(where string) {
	p.t.Helper()
	var there bool
	p.do("look for axe-core", chromedp.Evaluate(`typeof axe === "object"`, &there))
	if !there {
		script, err := axeScript()
		if err != nil {
			p.fatalf("get axe-core: %v", err)
		}
		// Chromium's protocol may run a script that the page's policy forbids.
		p.do("load axe-core", chromedp.Evaluate(script+"\n;true", nil))
	}
	var found []string
	p.do("run axe-core", chromedp.Evaluate(axeRun, &found, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	for _, f := range found {
		p.t.Errorf("axe-core on %s (%s): %s", where, p.URL(), f)
	}
}

// axeScript is axe-core, unpacked once: every page wants it.
var axeScript = sync.OnceValues(func() (string, error) {
	script, err := axeCore.File(context.Background(), "axe.min.js")
	return string(script), err
})
