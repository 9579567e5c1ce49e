package office

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// authorityChoices are the authorities to choose from among names, the portal's own
// by no name; none where there is nothing to choose. One that was chosen and is no
// longer set up is shown as that.
func authorityChoices(ctx context.Context, names []string, chosen string) (all []view.Choice) {
	for _, name := range names {
		c := view.Choice{Value: name, Label: page.AuthorityName(ctx, name)}
		if page.OwnAuthority(name) {
			c.Value = ""
		}
		all = append(all, c)
	}
	if chosen != "" && !slices.Contains(names, chosen) {
		all = append(all, view.Choice{Value: chosen, Label: page.T(ctx, "authority.gone", "name", chosen)})
	}
	if len(all) < 2 {
		return nil
	}
	return all
}

// productAsked is the product that the path names.
func (s *Section) productAsked(r *http.Request) (order.Product, error) {
	all, err := s.Order.Products(r.Context())
	if err != nil {
		return order.Product{}, err
	}
	i := slices.IndexFunc(all, func(p order.Product) bool { return p.Code == chi.URLParam(r, "product") })
	if i < 0 {
		return order.Product{}, fault.New(fault.Missing, "fault.missing")
	}
	return all[i], nil
}

// ProductAuthority asks from which authority the certificates of a product come.
func (s *Section) ProductAuthority(w http.ResponseWriter, r *http.Request) error {
	p, err := s.productAsked(r)
	if err != nil {
		return err
	}
	return s.productAuthorityPage(w, r, p, p.Authority, nil)
}

// SaveProductAuthority chooses it.
func (s *Section) SaveProductAuthority(w http.ResponseWriter, r *http.Request) error {
	p, err := s.productAsked(r)
	if err != nil {
		return err
	}
	chosen := r.PostFormValue("authority")
	err = s.Order.SetProductAuthority(r.Context(), s.Actor(r), p.Code, chosen)
	switch {
	case err == nil:
		return s.Done(w, r, paths.OfficeProducts, "product.switched")
	case page.Answerable(err):
		return s.productAuthorityPage(w, r, p, chosen, err)
	}
	return err
}

func (s *Section) productAuthorityPage(w http.ResponseWriter, r *http.Request, p order.Product, chosen string, failed error) error {
	ctx := r.Context()
	bad, whole := page.Wrong(ctx, failed)
	m := officeview.ProductAuthorityModel{
		Authority: chosen, Authorities: authorityChoices(ctx, s.Order.Issuance.Registry.ForServers(), p.Authority), Error: bad["authority"], Whole: whole,
		Form: view.FormModel{Action: paths.OfficeProduct(p.Code) + "/authority", Submit: view.ButtonModel{Label: page.T(ctx, "office.save")}, Cancel: paths.OfficeProducts},
	}
	title := page.T(ctx, "product.authority_title", "name", page.ProductName(ctx, p.Code))
	f, status := s.OfficeFrame(r, title, view.Link{Label: page.T(ctx, "office.products"), Href: paths.OfficeProducts}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, officeview.ProductAuthority(f, m))
}
