package servers

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/serverview"
)

// orderingModel is what each step shows; at counts from 0. What the other steps
// asked is sent along unseen, and which step it is, for when no button says.
func (s *Section) orderingModel(ctx context.Context, o ordering, in orderTyped, at int, hidden ...view.Hidden) serverview.OrderingModel {
	m := serverview.OrderingModel{Head: view.HeadModel{Title: o.title, Lead: o.lead}}
	for i, label := range []string{page.T(ctx, "apply.key"), page.T(ctx, "serverorder.step_names"), page.T(ctx, "serverorder.step_summary"), page.T(ctx, "serverorder.step_done")} {
		m.Steps = append(m.Steps, view.Step{Label: label, Done: i < at, Current: i == at})
	}
	m.Form = view.FormModel{Action: o.action, Cancel: o.cancel, Upload: at == 0, Hidden: append(hidden,
		view.Hidden{Name: "at", Value: []string{"key", "names", "check"}[at]},
		view.Hidden{Name: "form", Value: in.form}, view.Hidden{Name: "version", Value: strconv.Itoa(in.version)})}
	return m
}

// keyHidden sends the key on, restHidden what the second step asked.
func (in orderTyped) keyHidden() []view.Hidden {
	hs := []view.Hidden{{Name: "key", Value: in.key}}
	if in.key != keySame {
		hs = append(hs, view.Hidden{Name: "csr", Value: in.Shown()})
	}
	return hs
}

func (in orderTyped) restHidden() []view.Hidden {
	return []view.Hidden{
		{Name: "names", Value: in.names},
		{Name: "organisation", Value: page.ID(in.organisation)},
		{Name: "product", Value: in.product},
		{Name: "comment", Value: in.comment},
	}
}

func (s *Section) orderFrame(w http.ResponseWriter, r *http.Request, o ordering, failed error) (view.Frame, int) {
	f, status := page.Standing(s.Frame(r, o.title, o.crumbs...)), http.StatusOK
	if failed != nil {
		return s.Refused(w, f, failed)
	}
	return f, status
}

func (s *Section) orderKeyPage(w http.ResponseWriter, r *http.Request, o ordering, in orderTyped, failed error) error {
	ctx := r.Context()
	bad, whole := page.Wrong(ctx, failed)
	m := serverview.OrderKeyModel{OrderingModel: s.orderingModel(ctx, o, in, 0, in.restHidden()...), Key: in.KeyModel(in.key, bad["csr"])}
	m.Whole = whole
	m.Form.Submit = view.ButtonModel{Label: page.T(ctx, "serverorder.next"), Name: "step", Value: "names"}
	m.Key.Server, m.Key.Keeps, m.Key.Command = true, o.keeps(), serverCommand(ctx, in.list())
	m.Server = cmp.Or(append([]string{in.server}, in.list()...)...)
	f, status := s.orderFrame(w, r, o, failed)
	return s.Show(w, r, status, serverview.OrderKey(f, m))
}

func (s *Section) orderNamesPage(w http.ResponseWriter, r *http.Request, o ordering, in orderTyped, failed error) error {
	ctx := r.Context()
	m := serverview.OrderNamesModel{
		OrderingModel: s.orderingModel(ctx, o, in, 1, in.keyHidden()...), Read: o.readModel(ctx, in),
		Names: in.names, Product: in.product, Products: productChoices(ctx, o.products), Comment: in.comment,
	}
	m.Errors, m.Whole = wrongs(ctx, failed)
	m.Form.Submit = view.ButtonModel{Label: page.T(ctx, "serverorder.check_button"), Name: "step", Value: "check"}
	m.Back = view.ButtonModel{Label: page.T(ctx, "serverorder.other_key"), Name: "step", Value: "key", Kind: view.Ghost}
	for _, one := range o.organisations {
		m.Organisations = append(m.Organisations, view.Choice{Value: page.ID(one.ID), Label: one.Name})
	}
	if in.organisation != 0 {
		m.Organisation = page.ID(in.organisation)
	}
	f, status := s.orderFrame(w, r, o, failed)
	return s.Show(w, r, status, serverview.OrderNames(f, m))
}

// wrongs is wrong, with all that is wrong with a field: of many names, many may
// be. Each stands on a line with what the room of names says of it.
func wrongs(ctx context.Context, err error) (map[string]string, string) {
	fields, whole := page.Wrong(ctx, err)
	if f := fault.Of(err); f != nil {
		for i, x := range f.Fields {
			if words := page.T(ctx, x.ID, x.Args...); i > 0 && !strings.Contains(fields[x.Name], words) {
				between := "\n"
				if x.More {
					between = " "
				}
				fields[x.Name] += between + words
			}
		}
	}
	return fields, whole
}

func productChoices(ctx context.Context, all []order.Product) (choices []view.Choice) {
	for _, p := range all {
		if p.Active {
			choices = append(choices, view.Choice{Value: p.Code, Label: page.ProductName(ctx, p.Code), Hint: ProductText(ctx, p)})
		}
	}
	return choices
}

func ProductText(ctx context.Context, p order.Product) string {
	words := page.T(ctx, "product.most", "n", p.MostNames, "days", p.Days)
	if p.Wildcard {
		words += " " + page.T(ctx, "product.wildcard")
	}
	return words
}

// readModel says what was read and what of it is left out.
func (o ordering) readModel(ctx context.Context, in orderTyped) serverview.ReadModel {
	request, err := o.read(in)
	if err != nil {
		return serverview.ReadModel{}
	}
	names := in.list()
	m := serverview.ReadModel{Key: request.Key.Algorithm, Name: request.CommonName, Dropped: page.Ignored(ctx, request.Ignored(pki.Names{DNS: names}, org.FoldName))}
	if added := issuance.AddedName(request); added != "" && slices.ContainsFunc(names, func(n string) bool { return org.FoldName(n) == org.FoldName(added) }) {
		m.Added = page.T(ctx, "serverorder.cn_added", "name", added)
	}
	return m
}

func (s *Section) orderSummaryPage(w http.ResponseWriter, r *http.Request, o ordering, in orderTyped, p order.Preview) error {
	ctx := r.Context()
	m := serverview.OrderSummaryModel{
		OrderingModel: s.orderingModel(ctx, o, in, 2, append(in.keyHidden(), in.restHidden()...)...), Names: page.Spelled(p.Names),
		Organisation: p.Organisation.Name, Product: page.ProductName(ctx, p.Product.Code), Comment: in.comment, Checks: s.CheckModels(ctx, p.Checks, contactPlaces(p.Organisation.ID)),
		Back: []view.ButtonModel{{Label: page.T(ctx, "serverorder.other_names"), Name: "step", Value: "names", Kind: view.Ghost}},
	}
	in.names = strings.Join(p.Names, "\n")
	m.Read = o.readModel(ctx, in)
	m.Form.Submit = view.ButtonModel{Label: page.T(ctx, "serverorder.submit"), Name: "step", Value: "submit"}
	m.What = map[order.State]view.NoticeModel{
		order.Approved: {Kind: view.Good, Text: page.T(ctx, "serverorder.will_approve")},
		order.Received: {Kind: view.Info, Text: page.T(ctx, "serverorder.will_receive")},
		order.Waiting:  {Kind: view.Warn, Text: page.T(ctx, "serverorder.will_wait")},
	}[p.State]
	f, status := s.orderFrame(w, r, o, nil)
	return s.Show(w, r, status, serverview.OrderSummary(f, m))
}

// CheckPlaces are the addresses of what checks speak of, as their reader comes to it.
type CheckPlaces struct {
	Order func(reference string) string
	Name  func(org.ServerNameID) string
}

// contactPlaces are those of the technical contact.
func contactPlaces(o org.OrganisationID) CheckPlaces {
	return CheckPlaces{Order: paths.Order, Name: func(org.ServerNameID) string { return paths.Organisation(o) + "#names" }}
}

// CheckModels words what was looked at, what weighs most first.
func (s *Section) CheckModels(ctx context.Context, checks order.Checks, to CheckPlaces) (ms []view.CheckModel) {
	states := map[order.Weight]view.StateModel{
		order.Fine: {Kind: view.Good, Word: page.T(ctx, "serverorder.fine")},
		order.Note: {Kind: view.Warn, Word: page.T(ctx, "serverorder.note")},
		order.Hint: {Kind: view.Info, Word: page.T(ctx, "serverorder.hint")},
		order.Wait: {Kind: view.Warn, Word: page.T(ctx, "serverorder.wait")},
		order.Stop: {Kind: view.Bad, Word: page.T(ctx, "serverorder.stop")},
	}
	heavy := slices.Clone(checks)
	slices.SortStableFunc(heavy, func(a, b order.Check) int { return cmp.Compare(b.Weight, a.Weight) })
	for _, c := range heavy {
		m := view.CheckModel{State: states[c.Weight], Text: page.T(ctx, string(c.Code), page.Dated(ctx, s.Now(), c.Args)...)}
		switch {
		case c.Code == order.TwinOrder:
			m.Link = &view.Link{Label: page.T(ctx, "serverorder.to_twin_order", "reference", c.Twin), Href: to.Order(c.Twin)}
		case c.Code == order.TwinCertificate:
			m.Link = &view.Link{Label: page.T(ctx, "serverorder.to_twin_certificate", "reference", c.Twin), Href: paths.Certificate(c.Twin)}
		case c.Name != 0:
			m.Link = &view.Link{Label: page.T(ctx, "serverorder.to_name"), Href: to.Name(c.Name)}
		}
		ms = append(ms, m)
	}
	return ms
}

// serverCommand makes a key and a request with OpenSSL for the first name; -nodes
// is understood by LibreSSL, too.
func serverCommand(ctx context.Context, names []string) string {
	name := "www.uni.example"
	if len(names) > 0 && strings.Trim(names[0], "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" {
		name = names[0]
	}
	return fmt.Sprintf("openssl req -new -newkey rsa:3072 -nodes -subj /CN=%s -addext subjectAltName=DNS:%s -keyout %s -out %s",
		name, name, page.T(ctx, "key.file_key"), page.T(ctx, "key.file_request"))
}
