package order_test

import (
	"testing"

	"petschaft/internal/order"
)

func TestOrdersAreFoundByNamesAsPeopleSpellThem(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	reference := h.submit(t, "xn--prfstand-sd-uhbi.uni.example")
	h.submit(t, "www.uni.example")
	found := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			all, _, err := h.Orders(t.Context(), h.tina, order.OrderView{Text: text})
			if err != nil || len(all) != 1 || all[0].Reference != reference {
				t.Errorf("%q: got %d orders, %v; want %s", text, len(all), err, reference)
			}
		}
	}
	whole := []string{"prüfstand-süd.uni.example", "Prüfstand-Süd", "xn--prfstand", reference}
	found(append(whole, "prüfstand", "süd")...)
	h.exec(t, `update server_order set search = lower(reference) || ' ' || array_to_string(names, ' ')`) // as the version before kept it
	found(whole...)
	if all, _, err := h.Orders(t.Context(), h.tina, order.OrderView{Text: "süden.uni.example"}); err != nil || len(all) != 0 {
		t.Errorf("another name: got %d orders, %v", len(all), err)
	}
}
