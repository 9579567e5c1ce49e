package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Press presses the button called name and waits for the page it leads to.
func (p *Page) Press(name string) {
	p.t.Helper()
	x := p.one("", name, button)
	p.arrive(fmt.Sprintf("press %q", name), func(ctx context.Context) error { return hit(ctx, x) })
}

// Follow follows the link called name and waits for the page it leads to.
func (p *Page) Follow(name string) {
	p.t.Helper()
	p.FollowIn("", name)
}

// FollowIn is Follow for a link inside the element that the CSS selector names;
// in "iframe", inside the framed page.
func (p *Page) FollowIn(scope, name string) {
	p.t.Helper()
	x := p.one(scope, name, link)
	p.arrive(fmt.Sprintf("follow %q", name), func(ctx context.Context) error { return hit(ctx, x) })
}

// Toggle opens or closes the details called name.
func (p *Page) Toggle(name string) {
	p.t.Helper()
	x := p.one("", name, details)
	p.do(fmt.Sprintf("toggle %q", name), chromedp.ActionFunc(func(ctx context.Context) error { return hit(ctx, x) }))
}

// Choose presses the radio button or the tick box called name.
func (p *Page) Choose(name string) {
	p.t.Helper()
	x := p.one("", name, choice, tick)
	p.do(fmt.Sprintf("choose %q", name), chromedp.ActionFunc(func(ctx context.Context) error { return hit(ctx, x) }))
}

// Fill types text into the field called name, in place of what is there.
func (p *Page) Fill(name, text string) {
	p.t.Helper()
	x := p.one("", name, typing, seeking)
	all := input.DispatchKeyEvent(input.KeyDown).WithKey("a").WithCode("KeyA").WithModifiers(input.ModifierCtrl).WithCommands([]string{"selectAll"})
	p.do(fmt.Sprintf("fill %q", name), dom.Focus().WithBackendNodeID(x.BackendNodeID), all,
		input.DispatchKeyEvent(input.KeyDown).WithKey("Delete").WithCode("Delete").WithWindowsVirtualKeyCode(46),
		input.DispatchKeyEvent(input.KeyUp).WithKey("Delete").WithCode("Delete").WithWindowsVirtualKeyCode(46),
		input.InsertText(text))
}

// Enter presses the Enter key in the field called name and waits for the page that
// it leads to.
func (p *Page) Enter(name string) {
	p.t.Helper()
	x := p.one("", name, typing, seeking)
	p.do(fmt.Sprintf("focus %q", name), dom.Focus().WithBackendNodeID(x.BackendNodeID))
	p.arrive(fmt.Sprintf("press Enter in %q", name), func(ctx context.Context) error { return chromedp.KeyEvent(kb.Enter).Do(ctx) })
}

// Back goes one step back in the browser's history, where a page may wait that is
// not loaded again.
func (p *Page) Back() {
	p.t.Helper()
	before := p.URL()
	p.do("go back", chromedp.ActionFunc(func(ctx context.Context) error {
		at, all, err := page.GetNavigationHistory().Do(ctx)
		if err == nil && at == 0 {
			err = errors.New("nothing to go back to")
		}
		if err != nil {
			return err
		}
		return page.NavigateToHistoryEntry(all[at-1].ID).Do(ctx)
	}))
	if !p.until(patience, func() bool { return p.URL() != before }) {
		p.fatalf("go back: still there after %s", patience)
	}
}

// Day sets the field for a day called name to a day like 2027-03-14. Chromium's
// own control for days takes keys in the order of the machine's language, so the
// value is set as its calendar would.
func (p *Page) Day(name, day string) {
	p.t.Helper()
	const set = `function (day) { this.value = day; this.dispatchEvent(new Event("change", {bubbles: true})); return this.value; }`
	if got := p.call(p.one("", name, date), set, day); got != day {
		p.fatalf("set %q to %s: got %q", name, day, got)
	}
}

// Pick chooses an option, by its words, in the list called name.
func (p *Page) Pick(name, option string) {
	p.t.Helper()
	const pick = `function (words) {
		for (const o of this.options) if (o.label.trim() === words) {
			this.value = o.value;
			this.dispatchEvent(new Event("change", {bubbles: true}));
			return "";
		}
		return Array.from(this.options, (o) => o.label.trim()).join("; ");
	}`
	others := p.call(p.one("", name, menu), pick, option)
	if others != "" {
		p.fatalf("the list %q has no option %q, only: %s", name, option, others)
	}
}

// call runs a function of JavaScript on x, as its this, and returns its answer.
func (p *Page) call(x thing, function, argument string) (answer string) {
	p.t.Helper()
	p.do(fmt.Sprintf("use %s %q", x.role, x.name), chromedp.ActionFunc(func(ctx context.Context) error {
		o, err := dom.ResolveNode().WithBackendNodeID(x.BackendNodeID).Do(ctx)
		if err != nil {
			return err
		}
		return chromedp.CallFunctionOn(function, &answer, func(c *runtime.CallFunctionOnParams) *runtime.CallFunctionOnParams {
			return c.WithObjectID(o.ObjectID)
		}, argument).Do(ctx)
	}))
	return answer
}

// Offers tells whether a button or a link is called name, inside the element
// that the CSS selector names; "" is the whole page.
func (p *Page) Offers(scope, name string) bool {
	p.t.Helper()
	all, err := p.things(scope, button, link)
	if err != nil {
		p.fatalf("look for %q: %v", name, err)
	}
	return len(match(all, name)) > 0
}

// hit presses the mouse in the middle of x, as a hand would.
func hit(ctx context.Context, x thing) error {
	if err := dom.ScrollIntoViewIfNeeded().WithBackendNodeID(x.BackendNodeID).Do(ctx); err != nil {
		return err
	}
	quads, err := dom.GetContentQuads().WithBackendNodeID(x.BackendNodeID).Do(ctx)
	if err != nil {
		return err
	}
	if len(quads) == 0 {
		return errors.New("it has no place on the screen")
	}
	q := quads[0]
	left, top := (q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4
	for _, kind := range []input.MouseType{input.MouseMoved, input.MousePressed, input.MouseReleased} {
		e := input.DispatchMouseEvent(kind, left, top)
		if kind != input.MouseMoved {
			e = e.WithButton(input.Left).WithClickCount(1)
		}
		if err := e.Do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Text is what a person reads on the page, with single spaces.
func (p *Page) Text() string {
	p.t.Helper()
	var text string
	p.do("read the page", chromedp.Evaluate(`document.body?.innerText ?? ""`, &text))
	return tidy(text)
}

// Title is the title of the page.
func (p *Page) Title() string {
	p.t.Helper()
	var title string
	p.do("read the title", chromedp.Title(&title))
	return title
}

// Has fails unless a person reads every one of the words.
func (p *Page) Has(words ...string) {
	p.t.Helper()
	text := p.Text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			p.fatalf("%q is missing in:\n%s", w, text)
		}
	}
}

// Lacks fails when a person reads one of the words.
func (p *Page) Lacks(words ...string) {
	p.t.Helper()
	text := p.Text()
	for _, w := range words {
		if strings.Contains(text, w) {
			p.fatalf("%q should not be there:\n%s", w, text)
		}
	}
}

// settled tells whether the page is all there: one that loads itself anew shows
// its words earlier.
func (p *Page) settled() (yes bool) {
	p.t.Helper()
	p.do("ask whether the page is there", chromedp.Evaluate(`document.readyState === "complete"`, &yes))
	return yes
}

// Await waits until a person reads words. Without scripts the page is loaded
// again and again, as a person would.
func (p *Page) Await(words string) {
	p.t.Helper()
	if !p.until(patience, func() bool {
		if strings.Contains(p.Text(), words) {
			return p.settled()
		}
		if !p.script {
			p.Reload()
		}
		return false
	}) {
		p.fatalf("%q never came; it says:\n%s", words, p.Text())
	}
}
