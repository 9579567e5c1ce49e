package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
	"petschaft/web/locale"
)

// Order is an order for a server certificate.
type Order struct {
	Reference    string     `json:"reference" doc:"What people call it; the certificate that comes of it has the same."`
	Organisation int64      `json:"organisation" doc:"The number of the organisation."`
	Product      string     `json:"product" doc:"The kind of certificate."`
	Names        []string   `json:"names" doc:"Of servers, as A-labels; the first one is the common name."`
	Key          string     `json:"key" doc:"The kind of the public key."`
	Comment      string     `json:"comment" doc:"For the registration office."`
	State        string     `json:"state" enum:"received,waiting,review,returned,approved,issuing,pending,issued,rejected,withdrawn,failed" doc:"received and review wait for the registration office, waiting for the validation of a name, returned for a correction in the portal, issuing and pending for the certificate authority; pending may take days."`
	Since        time.Time  `json:"since" doc:"Since when it stands there."`
	Reason       string     `json:"reason" doc:"Why it was returned, rejected or failed; the office's words, or ours in the language that Accept-Language asks for."`
	Renews       *string    `json:"renews" doc:"The reference number of the certificate that it renews."`
	SubmittedBy  string     `json:"submitted_by" doc:"The name of who ordered it."`
	Created      time.Time  `json:"created" doc:"When it was ordered."`
	Ended        *time.Time `json:"ended" doc:"When it was issued, rejected or withdrawn."`
	Warnings     []Warning  `json:"warnings,omitempty" doc:"What somebody should know; the order goes on all the same. Not in lists."`
}

// Warning is something about an order that stops nothing.
type Warning struct {
	Code      string `json:"code" doc:"serverorder.check.twin_order, serverorder.check.twin_certificate: the same key and names were ordered before."`
	Detail    string `json:"detail" doc:"For people, in the language that Accept-Language asks for."`
	Reference string `json:"reference" doc:"The reference number of the order or certificate that it speaks of."`
}

// Orders are some of them.
type Orders struct {
	Orders []Order `json:"orders" doc:"Newest first."`
}

func orderOf(ctx context.Context, o order.ServerOrder) Order {
	out := Order{
		Reference: o.Reference, Organisation: int64(o.Organisation), Product: o.Product, Names: o.Names, Key: o.KeyKind, Comment: o.Comment,
		State: string(o.State), Since: utc(o.Since), Reason: o.Reason, Renews: o.Renews, SubmittedBy: o.SubmitterName,
		Created: utc(o.Created), Ended: utcOr(o.Ended),
	}
	if o.State == order.Failed {
		out.Reason = locale.From(ctx).T(o.Reason)
	}
	return out
}

// inspected is an order with what its checks warn of, until it is over.
func inspected(ctx context.Context, o order.ServerOrder, checks order.Checks) Order {
	out := orderOf(ctx, o)
	if o.Ended != nil {
		return out
	}
	for _, c := range checks.Warnings() {
		out.Warnings = append(out.Warnings, Warning{Code: string(c.Code), Detail: locale.From(ctx).T(string(c.Code), c.Args...), Reference: c.Twin})
	}
	return out
}

var exampleOrder = Order{
	Reference: "7K2M-9QXD4", Organisation: 3, Product: "tls-multi", Names: []string{"www.uni.example", "uni.example"}, Key: "EC P-256",
	State: "approved", Since: exampleAddress.Created, SubmittedBy: "Tina Technik", Created: exampleAddress.Created,
}

func (a *API) orders(h huma.API) {
	const path = "/orders"
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listOrders", Method: http.MethodGet, Path: path, Tags: []string{"orders"}, Summary: "Orders",
			Description: "The orders of the organisations that the token reaches, newest first, page by page.",
		},
		verb: person.ReadOrders, answers: Orders{[]Order{exampleOrder}},
	}, a.listOrders)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "addOrder", Method: http.MethodPost, Path: path, Tags: []string{"orders"}, Summary: "Order a server certificate",
			Description: "Of the request only its key is taken. Depending on the organisation's rule the order is approved at once or waits for the registration office. " +
				"Here an Idempotency-Key counts for longer than a day: it never makes a second order.",
			DefaultStatus: http.StatusCreated,
		},
		verb: person.WriteOrders, types: []string{jsonType}, fails: []Kind{denied, conflict, missing},
		asks: map[string]any{
			"organisation": 3, "product": "tls-multi", "names": []string{"www.uni.example", "uni.example"},
			"csr": "-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n",
		},
		answers: exampleOrder,
	}, a.addOrder)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "getOrder", Method: http.MethodGet, Path: path + "/{reference}", Tags: []string{"orders"}, Summary: "One order",
			Description: "How an order stands. Once it is issued, its certificate is found under the same reference number.",
		},
		verb: person.ReadOrders, answers: exampleOrder,
	}, a.getOrder)
}

type orderListInput struct {
	Paged
	State        []string `query:"state" enum:"received,waiting,review,returned,approved,issuing,pending,issued,rejected,withdrawn,failed" doc:"Only orders that stand there; several are divided by commas."`
	Q            string   `query:"q" maxLength:"200" doc:"Only orders that have all these words in the reference number or in a name."`
	Organisation int64    `query:"organisation" minimum:"0" doc:"Only orders of that organisation."`
}

func (in orderListInput) query() url.Values {
	q := url.Values{}
	if len(in.State) > 0 {
		q.Set("state", strings.Join(in.State, ","))
	}
	if in.Q != "" {
		q.Set("q", in.Q)
	}
	if in.Organisation != 0 {
		q.Set("organisation", number(in.Organisation))
	}
	return q
}

type ordersAnswer struct {
	Link string `header:"Link" doc:"The pages beside this one: first, next (RFC 8288)."`
	Body Orders
}

func (a *API) listOrders(ctx context.Context, by person.Actor, in *orderListInput) (*ordersAnswer, error) {
	before, err := afterID(in.Cursor)
	if err != nil {
		return nil, err
	}
	v := order.OrderView{Text: in.Q, Before: order.ServerID(before), Size: in.Limit, Of: org.OrganisationID(in.Organisation)}
	for _, s := range in.State {
		v.States = append(v.States, order.State(s))
	}
	found, next, err := a.Order.Orders(ctx, by, v)
	if err != nil {
		return nil, err
	}
	out, cursor := &ordersAnswer{Body: Orders{make([]Order, 0, len(found))}}, ""
	for _, o := range found {
		out.Body.Orders = append(out.Body.Orders, orderOf(ctx, o))
	}
	if next != 0 {
		cursor = postgres.Cursor{ID: int64(next)}.String()
	}
	out.Link = a.links("/orders", in.Paged, in.query(), "", cursor)
	return out, nil
}

// NewOrder is a server certificate as somebody wants it.
type NewOrder struct {
	Organisation int64    `json:"organisation" minimum:"1" doc:"The number of the organisation."`
	Product      string   `json:"product" example:"tls-single" doc:"tls-single: one name; tls-multi: many; tls-wildcard: also names that begin with *."`
	CSR          string   `json:"csr" doc:"A certification request (RFC 2986) as PEM."`
	Names        []string `json:"names" minItems:"1" maxItems:"50" doc:"Of servers, as many as the product allows; the first one is the common name. Each must belong to the organisation."`
	Comment      string   `json:"comment,omitempty" doc:"For the registration office, at most 2000 characters; somebody reads it, whatever the rule says."`
}

type newOrderInput struct {
	Body NewOrder
}

type orderAddedAnswer struct {
	Location string `header:"Location" doc:"The address of the order."`
	Body     Order
}

func (a *API) addOrder(ctx context.Context, by person.Actor, in *newOrderInput) (*orderAddedAnswer, error) {
	return a.submit(ctx, by, order.Submission{Wish: order.Wish{
		Organisation: org.OrganisationID(in.Body.Organisation), Product: in.Body.Product, CSR: in.Body.CSR,
		Names: slices.Clone(in.Body.Names), Comment: in.Body.Comment,
	}})
}

// submit orders what in says. A key that made an order before it was forgotten
// here still belongs to that order.
func (a *API) submit(ctx context.Context, by person.Actor, in order.Submission) (*orderAddedAnswer, error) {
	if by.Deed != nil {
		in.Form = by.Deed.Key
	}
	reference, err := a.Order.Submit(ctx, by, in)
	if err != nil {
		return nil, err
	}
	o, checks, err := a.Order.Inspect(ctx, by, reference)
	if err != nil {
		return nil, err
	}
	if a.Now().Sub(o.Created) > keyLife {
		return nil, person.ErrKeyReused
	}
	return &orderAddedAnswer{a.at("/orders/%s", reference), inspected(ctx, o, checks)}, nil
}

// OfReference is an order or a certificate in a path.
type OfReference struct {
	Reference string `path:"reference" example:"7K2M-9QXD4" doc:"The reference number; upper and lower case, blanks and dashes do not matter."`
}

func (o OfReference) read() string {
	if canonical, ok := text.ParseReference(o.Reference); ok {
		return canonical
	}
	return o.Reference
}

type orderAnswer struct {
	Body Order
}

func (a *API) getOrder(ctx context.Context, by person.Actor, in *OfReference) (*orderAnswer, error) {
	o, checks, err := a.Order.Inspect(ctx, by, in.read())
	if err != nil {
		return nil, err
	}
	return &orderAnswer{inspected(ctx, o, checks)}, nil
}
