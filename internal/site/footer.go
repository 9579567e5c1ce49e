package site

import (
	"net/http"

	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/view/portalview"
)

// footerPage is a page of running text that the operator may replace.
func (s *Site) footerPage(name string) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		lang := locale.From(r.Context()).Lang()
		return s.Show(w, r, http.StatusOK, portalview.FooterPage(s.Frame(r, s.pages.Title(name, lang)), s.pages.HTML(name, lang)))
	}
}
