package site_test

import (
	"strings"

	"petschaft/internal/order"
)

// ordered is an order of nora's organisation, as she submitted it.
func (r *rig) ordered(names ...string) string {
	r.t.Helper()
	product := "tls-single"
	if len(names) > 1 {
		product = "tls-multi"
	}
	reference, err := r.Order.Submit(r.t.Context(), r.actors["nora"], order.Submission{Wish: order.Wish{
		Organisation: r.organisation, Product: product, CSR: newCSR(names[0]), Names: names,
	}})
	if err != nil {
		r.t.Fatalf("order %v: %v", names, err)
	}
	return reference
}

// returned is one that rita gave back.
func (r *rig) returned(names ...string) string {
	r.t.Helper()
	reference := r.ordered(names...)
	must(0, r.Order.Return(r.t.Context(), r.actors["rita"], reference, order.Decision{Version: 1, Reason: "Bitte ergänzen Sie den Namen ohne „www“, damit beide Adressen funktionieren."}))
	return reference
}

// fulfilled is one that was approved and issued.
func (r *rig) fulfilled(names ...string) string {
	r.t.Helper()
	reference := r.ordered(names...)
	must(0, r.Order.Approve(r.t.Context(), r.actors["rita"], reference, 1))
	o := must(r.Order.Server(r.t.Context(), r.actors["rita"], reference))
	must(0, r.Order.Fulfil(r.t.Context(), o.ID))
	return reference
}

// fillOrder makes the order that a path speaks of, in the state that it needs.
func (r *matrixRig) fillOrder(pattern string, fill map[string]any) {
	r.t.Helper()
	fill["{product}"], fill["{switch}"] = "tls-single", "on"
	switch {
	case strings.HasPrefix(pattern, "/certificates/{reference}/renew"):
		fill["{reference}"] = r.aged("www.uni.example")
	case strings.Contains(pattern, "/correct"):
		fill["{reference}"] = r.returned("www.uni.example")
	case strings.Contains(pattern, "orders/{reference}"):
		fill["{reference}"] = r.ordered("www.uni.example")
	}
}

// aged is a certificate that ends soon: one of today's, told to be old.
func (r *rig) aged(names ...string) string {
	r.t.Helper()
	fresh, reference := r.served(r.organisation, ecKey().Public(), 90, names...), order.NewReference()
	must(r.db.Exec(r.t.Context(), `
		insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, subject, emails, search, not_before, not_after, issued,
			organisation, common_name, names, product, server_order, renewable, phase, turns)
		select $2, authority, issuer, serial || '\x01', der, fingerprint, key, subject, emails, search, not_before - interval '80 days',
			not_after - interval '80 days', issued, organisation, common_name, names, product, server_order, renewable - interval '80 days', 'ending', not_after
		from certificate where reference = $1`, fresh, reference))
	return reference
}
