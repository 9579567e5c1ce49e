package site

import (
	"net/http"
	"strings"

	"petschaft/internal/person"
	"petschaft/web/view"
)

// nav lists the places that by may use. When the look for contact groups fails,
// the section is left out: the page itself still answers.
func (s *Site) nav(r *http.Request, by person.Actor) []view.NavItem {
	ctx := r.Context()
	contact, err := s.Org.IsContactAnywhere(ctx, by)
	if err != nil {
		s.Log.WarnContext(ctx, "navigation without e-mail domains", "error", err)
	}
	items := []struct {
		id, href string
		shown    bool
	}{
		{"nav.start", "/", true},
		{"nav.email_domains", "/email-domains", contact || by.Officer},
		{"nav.client_certificates", "/client-certificates", true},
		{"nav.office", "/office", by.Officer},
	}
	var nav []view.NavItem
	for _, i := range items {
		if i.shown {
			nav = append(nav, view.NavItem{Label: t(ctx, i.id), Href: i.href, Current: within(r.URL.Path, i.href)})
		}
	}
	return nav
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
