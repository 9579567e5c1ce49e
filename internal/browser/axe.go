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

// axe fails the test for everything that axe-core finds on the page.
func (p *Page) axe(where string) {
	p.t.Helper()
	if !p.script {
		return // axe-core is a script; the same page is looked at with scripts
	}
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
