package site

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// nav lists the places that by may use. When the look for them fails, they are
// left out: the page itself still answers.
func (s *Site) nav(r *http.Request, by person.Actor) []view.NavItem {
	ctx := r.Context()
	may, err := s.Org.Sections(ctx, by)
	if err != nil {
		s.incomplete(ctx, "navigation without sections", err)
	}
	technical, open := may.Organisations || by.Officer, ""
	if may.Organisations {
		open = s.openOrders(ctx, by)
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
			nav = append(nav, view.NavItem{Label: t(ctx, i.id), Href: i.href, Count: i.count, Current: within(r.URL.Path, i.href)})
		}
	}
	return nav
}

// personLinks are the places of whom nav is for; tokens are for those who look
// after something.
func personLinks(r *http.Request, nav []view.NavItem) (links []view.Link) {
	keeps := slices.ContainsFunc(nav, func(n view.NavItem) bool { return n.Href == paths.EmailDomains || n.Href == paths.Organisations })
	if keeps {
		links = append(links, view.Link{Label: t(r.Context(), "token.title"), Href: paths.Tokens, Current: within(r.URL.Path, paths.Tokens)})
	}
	return append(links, view.Link{Label: t(r.Context(), "session.title"), Href: paths.Sessions, Current: r.URL.Path == paths.Sessions})
}

// openOrders is how many orders of by's organisations are open, "" for none.
func (s *Site) openOrders(ctx context.Context, by person.Actor) string {
	n, err := s.Order.OpenOrders(ctx, by)
	if err != nil {
		s.incomplete(ctx, "navigation without open orders", err)
	}
	if n == 0 {
		return ""
	}
	return locale.From(ctx).Number(n)
}

// incomplete logs why a page lacks something.
func (s *Site) incomplete(ctx context.Context, what string, err error) {
	if postgres.Away(err) {
		s.DB.Outage(ctx, s.Log, err)
		return
	}
	s.Log.WarnContext(ctx, what, "error", err)
}

// standing marks the place that the crumbs of f begin at: some pages belong to
// several.
func standing(f view.Frame) view.Frame {
	for i := range f.Nav {
		f.Nav[i].Current = within(f.Crumbs[0].Href, f.Nav[i].Href)
	}
	return f
}

func within(path, place string) bool {
	if place == "/" {
		return path == "/"
	}
	return path == place || strings.HasPrefix(path, place+"/")
}
