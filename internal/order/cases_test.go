package order_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

func requestFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "pki", "testdata", "cases", name+".csr"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRequestsFromTheFieldBecomeOrders orders what each request asks for, as the
// pages offer it: the names of the order are those of the certificate, and of
// names that are taken nobody says that they are not.
func TestRequestsFromTheFieldBecomeOrders(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	for _, domain := range []string{"institut.example", "prüfstand-süd.example"} {
		h.names[domain] = trial.Must(h.Mailbox.Org.AddName(t.Context(), h.officer, h.id, org.NameInput{Name: domain}))
		h.validate(t, domain)
	}
	const www, wiki = "www.institut.example", "wiki.institut.example"
	cases := map[string]struct {
		names   []string // of the order
		added   string   // said to be added
		dropped string   // said to be left out
	}{
		"02-noattrs":              {names: []string{www}},
		"03-printable-underscore": {names: []string{www}, dropped: "pki.dropped.subject"},
		"05-upper":                {names: []string{www, "mail.institut.example"}},
		"05b-trailingdot":         {names: []string{www}},
		"06c-only-ip":             {names: []string{www}, added: www, dropped: "pki.dropped.ip"},
		"07-cn-not-in-san":        {names: []string{www, wiki}, added: www},
		"07e-san-prefix":          {names: []string{www}},
		"10-oneline":              {names: []string{www}},
		"10b-backslash-n":         {names: []string{www}},
		"11z-openssl-idn":         {names: []string{www, "xn--prfstand-sd-uhbi.example"}, added: www},
		"12b-ms-extreq":           {names: []string{www, wiki}},
	}
	for name, want := range cases {
		request, err := order.ReadCSR(requestFile(t, name))
		if err != nil {
			t.Errorf("%s: got %v, want it read", name, err)
			continue
		}
		asked := issuance.AskedNames(request)
		reference, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: order.Wish{
			Organisation: h.id, Product: "tls-multi", CSR: requestFile(t, name), Names: asked,
		}})
		if err != nil {
			t.Errorf("%s: ordered for %q: %v", name, asked, err)
			continue
		}
		if got := h.see(t, reference).Names; !slices.Equal(got, want.names) || len(asked) != len(want.names) {
			t.Errorf("%s: got %q from %q, want %q", name, got, asked, want.names)
		}
		var dropped []string
		for _, d := range request.Ignored(pki.Names{DNS: want.names}, org.FoldName) {
			dropped = append(dropped, d.ID)
		}
		if got := strings.Join(dropped, " "); got != want.dropped || issuance.AddedName(request) != want.added {
			t.Errorf("%s: said to be left out %q, added %q; want %q, %q", name, got, issuance.AddedName(request), want.dropped, want.added)
		}
	}
}

// TestWhatIsWrongWithARequestIsSaidForServers orders by requests that cannot be
// taken: the words are about servers and name what is wrong.
func TestWhatIsWrongWithARequestIsSaidForServers(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	for name, want := range map[string]string{
		"09c-ed25519": "csr serverorder.key.edwards", "09l-explicit-ec": "csr pki.key.curve_explicit",
		"11c-underscore": "names serverorder.names.wrong names org.name.underscore",
	} {
		w := h.wish("www.uni.example")
		w.CSR = requestFile(t, name)
		if request, err := order.ReadCSR(w.CSR); err == nil {
			w.Names = issuance.AskedNames(request)
		}
		_, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: w})
		var got []string
		for _, f := range fault.Of(err).Fields {
			got = append(got, f.Name, f.ID)
		}
		if said := strings.Join(got, " "); said != want {
			t.Errorf("%s: got %q, want %q", name, said, want)
		}
	}
}

// TestAKeyThatNoProductTakesIsRefusedAtOnce asks before anything else is known.
func TestAKeyThatNoProductTakesIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	products := trial.Must(h.Products(t.Context()))
	request, err := order.ReadCSR(csr(t, p521(t)))
	h.ok(t, err)
	campus.Wants(t, order.MayUse(products, request.Key), "serverorder.key.none")
	request, err = order.ReadCSR(h.key)
	h.ok(t, err)
	h.ok(t, order.MayUse(products, request.Key))
	for i := range products {
		products[i].Active = false
	}
	campus.Wants(t, order.MayUse(products, request.Key), "serverorder.key.none")
}

// TestTooManyNamesAreCountedBeforeTheyAreRead sends as many as nobody needs: one
// sentence, none about products, and no name is looked at.
func TestTooManyNamesAreCountedBeforeTheyAreRead(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	for _, p := range trial.Must(h.Products(t.Context())) {
		if p.MostNames > pki.MostDNS {
			t.Errorf("%s allows %d names, no certificate has more than %d", p.Code, p.MostNames, pki.MostDNS)
		}
	}
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("not_a_name_%d", i))
	}
	for _, product := range []string{"", "tls-single", "tls-multi"} {
		w := h.wish(names...)
		w.Product = product
		_, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: w})
		fields := fault.Of(err).Fields
		if len(fields) != 1 || fields[0].ID != "serverorder.names.too_many" || !slices.Contains(fields[0].Args, any(10_000)) {
			t.Errorf("%q: got %d complaints, the first %+v; want one about 10,000 names", product, len(fields), fields[:min(1, len(fields))])
		}
	}
	w := h.wish("www.uni.example")
	w.Names = slices.Repeat([]string{"www.uni.example", "WWW.uni.example "}, 100)
	trial.Must(h.Submit(t.Context(), h.tina, order.Submission{Wish: w}))
}
