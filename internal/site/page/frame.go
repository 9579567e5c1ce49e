package page

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/signin"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// nav lists the places that by may use. When the look for them fails, they are
// left out: the page itself still answers.
func (p *Page) nav(r *http.Request, by person.Actor) []view.NavItem {
	ctx := r.Context()
	may, err := p.org.Sections(ctx, by)
	if err != nil {
		p.incomplete(ctx, "navigation without sections", err)
	}
	technical, open := may.Organisations || by.Officer, ""
	if may.Organisations {
		open = p.openOrders(ctx, by)
	}
	items := []struct {
		id, href string
		shown    bool
		count    string
	}{
		{"nav.start", "/", true, ""},
		{"nav.email_domains", paths.EmailDomains, may.Domains || by.Officer, ""},
		{"nav.client_certificates", paths.ClientCertificates, true, ""},
		{"nav.certificates", paths.Certificates, technical, ""},
		{"nav.orders", paths.Orders, technical, open},
		{"nav.organisations", paths.Organisations, technical, ""},
		{"nav.office", paths.Office, by.Officer, ""},
	}
	var nav []view.NavItem
	for _, i := range items {
		if i.shown {
			nav = append(nav, view.NavItem{Label: T(ctx, i.id), Href: i.href, Count: i.count, Current: Within(r.URL.Path, i.href)})
		}
	}
	return nav
}

// personLinks are the places of whom nav is for; tokens are for those who look
// after something.
func personLinks(r *http.Request, nav []view.NavItem) (links []view.Link) {
	keeps := slices.ContainsFunc(nav, func(n view.NavItem) bool { return n.Href == paths.EmailDomains || n.Href == paths.Organisations })
	if keeps {
		links = append(links, view.Link{Label: T(r.Context(), "token.title"), Href: paths.Tokens, Current: Within(r.URL.Path, paths.Tokens)})
	}
	return append(links, view.Link{Label: T(r.Context(), "session.title"), Href: paths.Sessions, Current: r.URL.Path == paths.Sessions})
}

// openOrders is how many orders of by's organisations are open, "" for none.
func (p *Page) openOrders(ctx context.Context, by person.Actor) string {
	n, err := p.order.OpenOrders(ctx, by)
	if err != nil {
		p.incomplete(ctx, "navigation without open orders", err)
	}
	if n == 0 {
		return ""
	}
	return locale.From(ctx).Number(n)
}

// incomplete logs why a page lacks something.
func (p *Page) incomplete(ctx context.Context, what string, err error) {
	if postgres.Away(err) {
		p.DB.Outage(ctx, p.Log, err)
		return
	}
	p.Log.WarnContext(ctx, what, "error", err)
}

// Standing marks the place that the crumbs of f begin at: some pages belong to
// several.
func Standing(f view.Frame) view.Frame {
	for i := range f.Nav {
		f.Nav[i].Current = Within(f.Crumbs[0].Href, f.Nav[i].Href)
	}
	return f
}

// Within tells whether path is place or below it.
func Within(path, place string) bool {
	if place == "/" {
		return path == "/"
	}
	return path == place || strings.HasPrefix(path, place+"/")
}

// OfficeFrame is the frame of a page below the office's first.
func (p *Page) OfficeFrame(r *http.Request, title string, crumbs ...view.Link) view.Frame {
	top := view.Link{Label: T(r.Context(), "nav.office"), Href: paths.Office}
	return p.Frame(r, title, append([]view.Link{top}, crumbs...)...)
}

// Frame is what surrounds a page called title: navigation for who asks, and
// the message that a redirect left. crumbs lead to the page.
func (p *Page) Frame(r *http.Request, title string, crumbs ...view.Link) view.Frame {
	ctx := r.Context()
	f := view.Frame{Title: title, Path: r.URL.RequestURI(), Version: p.version, Unsent: Unsent(ctx)}
	if s, ok := shownHere(ctx); ok {
		f.Path, f.Kept = s.address, s.action
	} else if r.Method != http.MethodGet || Within(r.URL.Path, paths.SignIn) { // nothing to come back to
		f.Path = "/"
	}
	f.SignIn = paths.SignInTo(f.Path)
	o, _ := keeping(r)
	f.Once = o != nil && o.Wrote()
	if len(crumbs) > 0 {
		f.Crumbs = append(crumbs, view.Link{Label: title})
	}
	if f.Unsent { // the page says so itself
	} else if _, later := keeping(r); later { // it is shown elsewhere
	} else if id, args, ok := p.Desk.PopFlash(ctx); ok && !past(ctx, args) {
		f.Flash = &view.NoticeModel{Kind: view.Good, Text: T(ctx, id, args...)}
	}
	by, ok := p.Desk.Actor(ctx)
	if !ok {
		return f
	}
	if p.Desk.IsWeak(ctx) {
		f.Stronger = paths.SignInAgain(string(signin.Strong), f.Path)
	}
	f.Nav = p.nav(r, by)
	f.Person = &view.Person{
		Account: ID(by.Account), Name: by.Name, Detail: cmp.Or(by.Email, T(ctx, "frame.address_unverified")), SignOut: paths.SignOut,
		Links: personLinks(r, f.Nav),
	}
	return f
}
