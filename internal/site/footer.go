package site

import (
	"net/http"

	"petschaft/web/locale"
	"petschaft/web/view/portalview"
)

// footerPage is a page of running text that the operator may replace.
func (s *Site) footerPage(name string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		lang := locale.From(r.Context()).Lang()
		return s.show(w, r, http.StatusOK, portalview.FooterPage(s.frame(r, s.Pages.Title(name, lang)), s.Pages.HTML(name, lang)))
	}
}
