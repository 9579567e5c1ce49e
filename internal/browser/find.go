package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// role is what a thing is to somebody who cannot see it, as Chromium's
// accessibility tree names it.
type role string

const (
	button  role = "button"
	link    role = "link"
	details role = "DisclosureTriangle"
	tick    role = "checkbox"
	choice  role = "radio"
	menu    role = "combobox"
	typing  role = "textbox"
	seeking role = "searchbox"
	date    role = "Date"
)

// thing is an element that was found.
type thing struct {
	cdp.BackendNodeID
	role role
	name string
}

// one returns the visible thing that is called name, else the only one whose
// name holds it; scope is a CSS selector, "" for the whole page. It waits for a
// thing that is about to come.
func (p *Page) one(scope, name string, roles ...role) thing {
	p.t.Helper()
	var found []thing
	var err error
	if p.until(soon, func() bool {
		found, err = p.things(scope, roles...)
		found = match(found, name)
		return len(found) == 1
	}) {
		return found[0]
	}
	if err != nil {
		p.fatalf("look for %s %q: %v", roles, name, err)
	}
	all, _ := p.things(scope, roles...)
	var called []string
	for _, x := range all {
		called = append(called, fmt.Sprintf("%s %q", x.role, x.name))
	}
	p.fatalf("got %d of %s called %q, want 1; there are:\n\t%s", len(found), roles, name, strings.Join(called, "\n\t"))
	return thing{}
}

// match compares without spaces: Chromium puts one into a name wherever a <wbr>
// stands.
func match(all []thing, name string) []thing {
	name = dense(name)
	exact := slices.DeleteFunc(slices.Clone(all), func(x thing) bool { return dense(x.name) != name })
	if len(exact) > 0 {
		return exact
	}
	return slices.DeleteFunc(slices.Clone(all), func(x thing) bool { return !strings.Contains(dense(x.name), name) })
}

func dense(s string) string { return strings.Join(strings.Fields(s), "") }

// things are all of the roles in scope, in the order of the page.
func (p *Page) things(scope string, roles ...role) (all []thing, err error) {
	err = p.try(chromedp.ActionFunc(func(ctx context.Context) error {
		all = nil
		root, err := p.root(ctx, scope)
		if err != nil {
			return err
		}
		for _, r := range roles {
			nodes, err := accessibility.QueryAXTree().WithObjectID(root).WithRole(string(r)).Do(ctx)
			if err != nil {
				return err
			}
			for _, n := range nodes {
				if !n.Ignored && n.Name != nil && n.BackendDOMNodeID != 0 {
					var name string
					if err := json.Unmarshal(n.Name.Value, &name); err != nil {
						return fmt.Errorf("name of a %s: %w", r, err)
					}
					all = append(all, thing{n.BackendDOMNodeID, r, tidy(name)})
				}
			}
		}
		return nil
	}))
	return all, err
}

// framed is the scope of what stands inside the page's only frame.
const framed = "iframe"

// root is the element that scope names, or the document.
func (p *Page) root(ctx context.Context, scope string) (runtime.RemoteObjectID, error) {
	expression := "document"
	if scope != "" {
		quoted, err := json.Marshal(scope)
		if err != nil {
			return "", err
		}
		expression = "document.querySelector(" + string(quoted) + ")"
	}
	o, problem, err := runtime.Evaluate(expression).Do(ctx)
	if err != nil {
		return "", err
	}
	if problem != nil || o.ObjectID == "" {
		return "", fmt.Errorf("nothing on the page matches %q", scope)
	}
	if scope != framed {
		return o.ObjectID, nil
	}
	frame, err := dom.DescribeNode().WithObjectID(o.ObjectID).WithPierce(true).Do(ctx)
	if err != nil {
		return "", err
	}
	if frame.ContentDocument == nil {
		return "", fmt.Errorf("the frame is empty yet")
	}
	inner, err := dom.ResolveNode().WithBackendNodeID(frame.ContentDocument.BackendNodeID).Do(ctx)
	if err != nil {
		return "", err
	}
	return inner.ObjectID, nil
}

// until asks again and again whether something is so, because Chromium is
// another process; false when it never was.
func (p *Page) until(within time.Duration, so func() bool) bool {
	ctx, cancel := context.WithTimeout(p.ctx, within)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if so() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-again.C:
		case <-p.watch.changed:
		}
	}
}

func tidy(s string) string { return strings.Join(strings.Fields(s), " ") }
