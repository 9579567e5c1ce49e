package clients

import (
	"context"
	"net/http"
	"strings"

	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// AskTakeBack asks before an application is taken back.
func (s *Section) AskTakeBack(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, err := s.loadApplication(r)
	if err != nil {
		return err
	}
	if err := order.MayTakeBack(s.Actor(r), a); err != nil {
		return s.Meanwhile(w, r, err, a.ID.Thing(), ownApplication(ctx, a))
	}
	path := paths.Application(a.ID)
	m := view.DialogModel{
		Title: page.T(ctx, "order.take_back"), What: []string{page.T(ctx, "order.take_back_what", "addresses", strings.Join(AddressesOf(a, nil), ", "))},
		Final: page.T(ctx, "order.take_back_final"), Action: path + "/withdraw", Verb: page.T(ctx, "order.take_back"), Danger: true, Cancel: path,
	}
	if AskedFor(a.Progress) {
		m.What = append(m.What, page.T(ctx, "order.take_back_asked"))
	}
	crumbs := []view.Link{{Label: page.T(ctx, "nav.client_certificates"), Href: paths.ClientCertificates}, {Label: a.Reference, Href: path}}
	return s.Show(w, r, http.StatusOK, view.AskPage(page.Standing(s.Frame(r, m.Title, crumbs...)), m))
}

// TakeBack ends an application because its applicant says so.
func (s *Section) TakeBack(w http.ResponseWriter, r *http.Request) error {
	a, err := s.loadApplication(r)
	if err != nil {
		return err
	}
	if err := s.Order.TakeBack(r.Context(), s.Actor(r), a.ID); err != nil {
		return s.Meanwhile(w, r, err, a.ID.Thing(), ownApplication(r.Context(), a))
	}
	return s.Done(w, r, paths.Application(a.ID), "order.taken_back_done", "reference", a.Reference)
}

// AskedFor tells whether an authority may still answer with a certificate.
func AskedFor(p order.Progress) bool { return p.Stage.Open() && p.Stage != issuance.Written }

// ownApplication leads to the application, for whoever applied.
func ownApplication(ctx context.Context, a order.Application) view.Link {
	return view.Link{Label: page.T(ctx, "order.title", "reference", a.Reference), Href: paths.Application(a.ID)}
}
