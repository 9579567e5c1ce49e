package order_test

import (
	"slices"
	"testing"

	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// warned are the reference numbers that the checks of an order warn of.
func (h *house) warned(t testing.TB, by person.Actor, reference string) (of []string) {
	t.Helper()
	_, checks, err := h.Inspect(t.Context(), by, reference)
	h.ok(t, err)
	return twins(checks)
}

func twins(checks order.Checks) (of []string) {
	for _, c := range checks.Warnings() {
		of = append(of, string(c.Code)+" "+c.Twin)
	}
	return of
}

func TestTheSameKeyAndNamesOrderedTwiceAreTold(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	h.rule(t, true)
	first := h.submit(t, "a.uni.example", "b.uni.example")
	again := order.Submission{Wish: h.wish("b.uni.example", "a.uni.example")}
	p := trial.Must(h.Preview(t.Context(), h.tina, again))
	if got, want := twins(p.Checks), []string{"serverorder.check.twin_order " + first}; !slices.Equal(got, want) {
		t.Errorf("before it is submitted: got the warnings %q, want %q", got, want)
	}
	second := trial.Must(h.Submit(t.Context(), h.tina, again))
	if h.is(t, second, order.Issuing); p.State != order.Approved {
		t.Errorf("got a preview of %s: the warning stops nothing", p.State)
	}
	for of, want := range map[string]string{first: second, second: first} {
		for _, by := range []person.Actor{h.tina, h.otto} {
			if got := h.warned(t, by, of); !slices.Equal(got, []string{"serverorder.check.twin_order " + want}) {
				t.Errorf("%s, %s: got the warnings %q, want that of %s", by.Name, of, got, want)
			}
		}
	}
	other := h.submit(t, "a.uni.example")
	if got := h.warned(t, h.tina, other); len(got) != 0 {
		t.Errorf("fewer names: got the warnings %q, want none", got)
	}
	h.ok(t, h.Withdraw(t.Context(), h.tina, first))
	if got := h.warned(t, h.tina, second); len(got) != 0 {
		t.Errorf("the other was withdrawn: got the warnings %q, want none", got)
	}
}

func TestACertificateOfTheSameKeyAndNamesIsToldUntilItIsRenewed(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	o := h.approved(t, "www.uni.example")
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	if got := h.warned(t, h.tina, o.Reference); len(got) != 0 {
		t.Errorf("its own certificate: got the warnings %q, want none", got)
	}
	twice := h.submit(t, "www.uni.example")
	if got, want := h.warned(t, h.otto, twice), []string{"serverorder.check.twin_certificate " + o.Reference}; !slices.Equal(got, want) {
		t.Errorf("got the warnings %q, want %q", got, want)
	}
	h.ok(t, h.Withdraw(t.Context(), h.tina, twice))
	h.clock.Advance(70 * day)
	p, err := h.Preview(t.Context(), h.tina, order.Submission{Wish: order.Wish{Product: "tls-single", Names: []string{"www.uni.example"}}, Renews: o.Reference})
	h.ok(t, err)
	if got := twins(p.Checks); len(got) != 0 {
		t.Errorf("what it renews: got the warnings %q, want none", got)
	}
}
