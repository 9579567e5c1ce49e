package servers

import (
	"context"
	"net/http"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// NewOrder is something new, for technical contacts.
func NewOrder(s *Section, r *http.Request) (ordering, orderTyped, error) {
	ctx := r.Context()
	o := ordering{
		action: paths.NewOrder, cancel: paths.Orders, title: page.T(ctx, "serverorder.new"), lead: page.T(ctx, "serverorder.new_lead"),
		crumbs: []view.Link{{Label: page.T(ctx, "nav.orders"), Href: paths.Orders}},
	}
	all, err := s.Org.Organisations(ctx, s.Actor(r))
	if err != nil {
		return o, orderTyped{}, err
	}
	for _, one := range all {
		if order.MayOrder(one, false) == nil {
			o.organisations = append(o.organisations, one)
		}
	}
	if len(o.organisations) == 0 {
		return o, orderTyped{}, fault.New(fault.Denied, "serverorder.section_closed")
	}
	if o.products, err = s.Order.Products(ctx); err != nil {
		return o, orderTyped{}, err
	}
	return s.like(r, o, orderTyped{key: page.KeyCSR})
}

// like begins with what the certificate has that the address names, if it does.
func (s *Section) like(r *http.Request, o ordering, in orderTyped) (ordering, orderTyped, error) {
	ctx, reference := r.Context(), r.URL.Query().Get("like")
	if reference == "" {
		return o, in, nil
	}
	c, err := s.Cert.Server(ctx, s.Actor(r), reference)
	if err != nil {
		return o, in, err
	}
	o.lead, o.cancel = page.T(ctx, "serverorder.like_lead", "reference", c.Reference), paths.Certificate(c.Reference)
	in.names, in.organisation = strings.Join(page.Spelled(c.Names), "\n"), c.Organisation
	in.product = order.Suggest(o.products, c.Names)
	return o, in, nil
}

// Renewal is for a certificate that may be renewed.
func Renewal(s *Section, r *http.Request) (ordering, orderTyped, error) {
	ctx := r.Context()
	c, err := s.load(r)
	if err == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) { // a form that comes twice is answered with its order
		err = cert.MayRenew(c, s.Now())
	}
	if err != nil {
		return ordering{}, orderTyped{}, err
	}
	o := ordering{
		action: paths.Certificate(c.Reference) + "/renew", cancel: paths.Certificate(c.Reference), title: page.T(ctx, "serverorder.renew"),
		lead:   page.T(ctx, "serverorder.renew_lead", "name", cert.Spelled(c.CommonName), "reference", c.Reference),
		crumbs: append(crumbs(ctx, c), view.Link{Label: c.Reference, Href: paths.Certificate(c.Reference)}), renews: &c,
	}
	in := orderTyped{key: keySame, names: strings.Join(page.Spelled(c.Names), "\n"), organisation: c.Organisation, product: c.Product}
	return s.fixed(ctx, s.Actor(r), o, in)
}

// Correction is for an order that was returned.
func Correction(s *Section, r *http.Request) (ordering, orderTyped, error) {
	ctx := r.Context()
	was, err := s.LoadOrder(r)
	if err == nil {
		err = order.MayCorrect(was)
	}
	if err != nil {
		return ordering{}, orderTyped{}, err
	}
	o := ordering{
		action: paths.Order(was.Reference) + "/correct", cancel: paths.Order(was.Reference), title: page.T(ctx, "serverorder.correct_verb"),
		lead: page.T(ctx, "serverorder.correct_lead", "reason", was.Reason), corrects: &was,
		crumbs: []view.Link{{Label: page.T(ctx, "nav.orders"), Href: paths.Orders}, {Label: was.Reference, Href: paths.Order(was.Reference)}},
	}
	in := orderTyped{
		key: keySame, names: strings.Join(page.Spelled(was.Names), "\n"), organisation: was.Organisation, product: was.Product,
		comment: was.Comment, version: was.Version,
	}
	return s.fixed(ctx, s.Actor(r), o, in)
}

// fixed is for what belongs to an organisation already.
func (s *Section) fixed(ctx context.Context, by person.Actor, o ordering, in orderTyped) (ordering, orderTyped, error) {
	one, err := s.Org.Organisation(ctx, by, in.organisation)
	if err != nil {
		return o, in, err
	}
	o.organisations = []org.Organisation{one}
	o.products, err = s.Order.Products(ctx)
	return o, in, err
}
