package servers

import (
	"cmp"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// ordering is what an order is made for: something new, the renewal of a
// certificate, or the correction of an order that was returned. All three go
// through the same steps, each a page that sends on what the ones before asked.
type ordering struct {
	action, cancel string
	title, lead    string
	crumbs         []view.Link
	renews         *cert.ServerCertificate
	corrects       *order.ServerOrder
	organisations  []org.Organisation // to choose from
	products       []order.Product
}

// keeps tells whether there is a key that may stay.
func (o ordering) keeps() bool { return o.renews != nil || o.corrects != nil }

// orderTyped is what was sent by a step.
type orderTyped struct {
	page.CSRForm
	step         string // what was asked for: "names", "check", "submit", or back to "key"; the page's own where no button was pressed
	key          string // "csr" or "same"
	server       string // that a key is made for in the browser
	form         string
	names        string
	organisation org.OrganisationID
	product      string
	comment      string
	version      int
}

func readOrder(r *http.Request) (orderTyped, error) {
	in, err := page.ReadCSRForm(r)
	n, _ := strconv.ParseInt(r.PostFormValue("organisation"), 10, 64)
	version, _ := strconv.Atoi(r.PostFormValue("version"))
	key := r.PostFormValue("key")
	if strings.TrimSpace(in.CSR()) != "" { // whoever gives a request means it
		key = page.KeyCSR
	}
	return orderTyped{
		CSRForm: in, step: cmp.Or(r.PostFormValue("step"), r.PostFormValue("at")), key: key, server: r.PostFormValue("server"), form: r.PostFormValue("form"), names: r.PostFormValue("names"),
		organisation: org.OrganisationID(n), product: r.PostFormValue("product"), comment: r.PostFormValue("comment"), version: version,
	}, err
}

// list are the names typed, one a line; commas and blanks divide them, too.
func (in orderTyped) list() []string {
	return strings.FieldsFunc(in.names, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;", r) })
}

func (in orderTyped) wish() order.Wish {
	w := order.Wish{Organisation: in.organisation, Product: in.product, Names: in.list(), Comment: in.comment}
	if in.key != keySame {
		w.CSR = in.CSR()
	}
	return w
}

const keySame = "same"

// startOrdering finds what the path speaks of, and what is to be chosen from.
type startOrdering func(s *Section, r *http.Request) (ordering, orderTyped, error)

// AskOrder shows the first step.
func (s *Section) AskOrder(start startOrdering) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		o, in, err := start(s, r)
		if err != nil {
			return err
		}
		in.form = rand.Text()
		return s.orderKeyPage(w, r, o, in, nil)
	}
}

// DoOrder takes what a step sends and shows the next one, or this one again.
func (s *Section) DoOrder(start startOrdering) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		o, before, err := start(s, r)
		if err != nil {
			return err
		}
		in, err := readOrder(r)
		if err != nil {
			return err
		}
		if in.version == 0 {
			in.version = before.version
		}
		switch in.step {
		case "key":
			return s.orderKeyPage(w, r, o, in, nil)
		case "names":
			return s.orderToNames(w, r, o, in)
		case "check":
			return s.orderToSummary(w, r, o, in)
		case "submit":
			return s.orderSubmit(w, r, o, in)
		}
		return s.orderKeyPage(w, r, o, in, fault.New(fault.Invalid, "serverorder.step_unknown"))
	}
}

// read is the request that was sent, or the key that stays; a key that no product
// takes is refused.
func (o ordering) read(in orderTyped) (pki.CSR, error) {
	request, err := o.readAny(in)
	if err != nil {
		return request, err
	}
	return request, order.MayUse(o.products, request.Key)
}

func (o ordering) readAny(in orderTyped) (pki.CSR, error) {
	if in.key != keySame || !o.keeps() {
		return order.ReadCSR(in.CSR())
	}
	if o.corrects != nil {
		key, err := pki.ReadKey(o.corrects.SPKI)
		return pki.CSR{Key: key}, err
	}
	c, err := pki.ParseKept(o.renews.DER)
	return pki.CSR{Key: c.Key}, err
}

// orderToNames reads the request and asks for the rest. Names are those asked
// for in it, until somebody typed others.
func (s *Section) orderToNames(w http.ResponseWriter, r *http.Request, o ordering, in orderTyped) error {
	request, err := o.read(in)
	if err == nil {
		err = request.Key.Check()
	}
	if f := fault.Of(err); err != nil && f.Kind == fault.Invalid {
		var bad fault.Fields
		bad.Add("csr", f.ID, f.Args...)
		return s.orderKeyPage(w, r, o, in, bad.Err())
	}
	if err != nil {
		return err
	}
	if len(in.list()) == 0 {
		in.names = strings.Join(issuance.AskedNames(request), "\n")
	}
	if len(o.organisations) == 1 {
		in.organisation = o.organisations[0].ID
	}
	if in.product == "" {
		in.product = order.Suggest(o.products, in.list())
	}
	return s.orderNamesPage(w, r, o, in, nil)
}

// orderToSummary looks at everything without ordering anything.
func (s *Section) orderToSummary(w http.ResponseWriter, r *http.Request, o ordering, in orderTyped) error {
	var p order.Preview
	var err error
	if o.corrects != nil {
		p, err = s.Order.PreviewCorrection(r.Context(), s.Actor(r), o.corrects.Reference, in.version, in.wish())
	} else {
		p, err = s.Order.Preview(r.Context(), s.Actor(r), o.submission(in))
	}
	if err != nil {
		return s.orderAgain(w, r, o, in, err)
	}
	return s.orderSummaryPage(w, r, o, in, p)
}

func (o ordering) submission(in orderTyped) order.Submission {
	sub := order.Submission{Wish: in.wish(), Form: in.form}
	if o.renews != nil {
		sub.Renews = o.renews.Reference
	}
	return sub
}

// orderAgain shows the step that holds what is wrong.
func (s *Section) orderAgain(w http.ResponseWriter, r *http.Request, o ordering, in orderTyped, err error) error {
	if !page.Answerable(err) {
		return err
	}
	for _, f := range fault.Of(err).Fields {
		if f.Name == "csr" {
			return s.orderKeyPage(w, r, o, in, err)
		}
	}
	return s.orderNamesPage(w, r, o, in, err)
}

func (s *Section) orderSubmit(w http.ResponseWriter, r *http.Request, o ordering, in orderTyped) error {
	ctx, by := r.Context(), s.Actor(r)
	if o.corrects != nil {
		reference := o.corrects.Reference
		err := s.Order.Correct(ctx, by, reference, in.version, in.wish())
		if errors.Is(err, postgres.ErrShown) {
			return s.orderToSummary(w, r, o, in)
		}
		if err != nil {
			return s.orderAgain(w, r, o, in, err)
		}
		return s.Done(w, r, paths.Order(reference), "serverorder.corrected", "reference", reference)
	}
	reference, err := s.Order.Submit(ctx, by, o.submission(in))
	if errors.Is(err, postgres.ErrShown) {
		return s.orderToSummary(w, r, o, in)
	}
	if err != nil {
		return s.orderAgain(w, r, o, in, err)
	}
	return s.Done(w, r, paths.Order(reference), "serverorder.submitted_done", "reference", reference)
}

// LoadOrder is the order that the path names, however its reference number was
// typed.
func (s *Section) LoadOrder(r *http.Request) (order.ServerOrder, error) {
	return s.Order.Server(r.Context(), s.Actor(r), Reference(r))
}

func Reference(r *http.Request) string {
	reference := chi.URLParam(r, "reference")
	if canonical, ok := text.ParseReference(reference); ok {
		reference = canonical
	}
	return reference
}
