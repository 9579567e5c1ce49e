package order_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/text"
	"petschaft/internal/trial"
)

func TestAnOrderGoesWhereItsChecksSay(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		auto    bool
		names   []string
		comment string
		want    order.State
	}{
		"all validated":                    {false, []string{"www.uni.example"}, "", order.Received},
		"the domain itself":                {false, []string{"uni.example", "www.uni.example"}, "", order.Received},
		"a name is not validated":          {false, []string{"www.uni.example", "www.neu.example"}, "", order.Waiting},
		"a wildcard that is allowed":       {false, []string{"*.stern.example"}, "", order.Received},
		"the rule, all validated":          {true, []string{"www.uni.example"}, "", order.Issuing},
		"the rule, a wildcard":             {true, []string{"*.stern.example", "stern.example"}, "", order.Issuing},
		"the rule, a name not validated":   {true, []string{"neu.example"}, "", order.Waiting},
		"the rule, but somebody has words": {true, []string{"www.uni.example"}, "Bitte bis Freitag", order.Received},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			h.rule(t, c.auto)
			in := order.Submission{Wish: h.wish(c.names...)}
			in.Comment = c.comment
			p := trial.Must(h.Preview(t.Context(), h.tina, in))
			reference, err := h.Submit(t.Context(), h.tina, in)
			h.ok(t, err)
			o := h.is(t, reference, c.want)
			if preview := map[order.State]order.State{order.Approved: order.Issuing}[p.State]; p.State != o.State && preview != o.State || !slices.Equal(p.Names, o.Names) {
				t.Errorf("got a preview of %s and %v, then %s and %v", p.State, p.Names, o.State, o.Names)
			}
			if back, ok := text.ParseReference(strings.ToLower(reference)); !ok || back != reference {
				t.Errorf("got the reference number %q, want one with a check character", reference)
			}
			jobs := h.campus.Scalar(`select count(*) from river_job where kind = 'issuance_look'`)
			if want := map[bool]int{true: 1}[c.want == order.Issuing]; jobs != want {
				t.Errorf("got %d jobs to issue, want %d", jobs, want)
			}
		})
	}
}

func TestWhatIsWrongWithAnOrderIsSaidBesideItsField(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	cases := map[string]struct {
		change      func(*order.Wish)
		field, want string
	}{
		"a foreign name":                {func(w *order.Wish) { w.Names = []string{"www.uni.example", "www.other.example"} }, "names", "serverorder.names.foreign"},
		"a name that only ends alike":   {func(w *order.Wish) { w.Names = []string{"evil-uni.example"} }, "names", "serverorder.names.foreign"},
		"a wildcard where none may be":  {func(w *order.Wish) { w.Names, w.Product = []string{"*.uni.example"}, "tls-wildcard" }, "names", "serverorder.names.wildcard"},
		"a wildcard of another product": {func(w *order.Wish) { w.Names = []string{"*.stern.example"} }, "names", "serverorder.names.wildcard_product"},
		"too many names":                {func(w *order.Wish) { w.Names = []string{"a.uni.example", "b.uni.example"} }, "names", "serverorder.names.many"},
		"no name":                       {func(w *order.Wish) { w.Names = []string{" ", ""} }, "names", "serverorder.names.none"},
		"no name of a server":           {func(w *order.Wish) { w.Names = []string{"192.0.2.1"} }, "names", "serverorder.names.wrong"},
		"no such product":               {func(w *order.Wish) { w.Product = "gold" }, "product", "serverorder.product.off"},
		"no request":                    {func(w *order.Wish) { w.CSR = "" }, "csr", "pki.csr.empty"},
		"a key that no product has":     {func(w *order.Wish) { w.CSR = csr(t, p521(t)) }, "csr", "serverorder.key.product"},
		"a modulus that is a prime":     {func(w *order.Wish) { w.CSR = primeModulus(t) }, "csr", "pki.key.prime"},
		"a comment without end":         {func(w *order.Wish) { w.Comment = strings.Repeat("ä", 2001) }, "comment", "field.too_long"},
		"no organisation":               {func(w *order.Wish) { w.Organisation = 0 }, "organisation", "field.required"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := h.wish("www.uni.example")
			c.change(&w)
			_, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: w})
			wantsField(t, err, c.field, c.want)
			_, err = h.Preview(t.Context(), h.tina, order.Submission{Wish: w})
			wantsField(t, err, c.field, c.want)
		})
	}
	if n := h.campus.Scalar(`select count(*) from server_order`); n != 0 {
		t.Errorf("got %d orders, want none", n)
	}
}

func TestWhoMayOrder(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	in := order.Submission{Wish: h.wish("www.uni.example")}
	_, err := h.Submit(t.Context(), h.ada, in)
	campus.Wants(t, err, "fault.missing")
	_, err = h.Submit(t.Context(), h.otto, in)
	campus.Wants(t, err, "serverorder.contact_only")
	h.ok(t, h.appoint(t, h.ada.Account))
	_, err = h.Submit(t.Context(), h.tina, in)
	campus.Wants(t, err, "fault.missing")
	trial.Must(h.Submit(t.Context(), h.ada, in))
}

// primeModulus is a request whose private key anybody can compute.
func primeModulus(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("../pki/testdata/13-rsa-prime-modulus.csr")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
