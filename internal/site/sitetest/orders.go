package sitetest

import (
	"petschaft/internal/order"
	"petschaft/internal/text"
	"petschaft/internal/trial"
)

// Ordered is an order of nora's organisation, as she submitted it.
func (r *Rig) Ordered(names ...string) string {
	r.T.Helper()
	product := "tls-single"
	if len(names) > 1 {
		product = "tls-multi"
	}
	reference, err := r.Order.Submit(r.T.Context(), r.Actors["nora"], order.Submission{Wish: order.Wish{
		Organisation: r.Organisation, Product: product, CSR: NewCSR(names[0]), Names: names,
	}})
	if err != nil {
		r.T.Fatalf("order %v: %v", names, err)
	}
	return reference
}

// Returned is one that rita gave back.
func (r *Rig) Returned(names ...string) string {
	r.T.Helper()
	reference := r.Ordered(names...)
	trial.Must(0, r.Order.Return(r.T.Context(), r.Actors["rita"], reference, order.Decision{Version: 1, Reason: "Bitte ergänzen Sie den Namen ohne „www“, damit beide Adressen funktionieren."}))
	return reference
}

// Fulfilled is one that was approved and issued.
func (r *Rig) Fulfilled(names ...string) string {
	r.T.Helper()
	reference := r.Ordered(names...)
	trial.Must(0, r.Order.Approve(r.T.Context(), r.Actors["rita"], reference, 1))
	o := trial.Must(r.Order.Server(r.T.Context(), r.Actors["rita"], reference))
	trial.Must(0, r.Order.Fulfil(r.T.Context(), o.ID))
	return reference
}

// Aged is a certificate that ends soon: one of today's, told to be old.
func (r *Rig) Aged(names ...string) string {
	r.T.Helper()
	fresh, reference := r.Served(r.Organisation, ECKey().Public(), 90, names...), text.NewReference()
	trial.Must(r.Pool.Exec(r.T.Context(), `
		insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, subject, emails, search, not_before, not_after, issued,
			organisation, common_name, names, product, server_order, renewable, phase, turns)
		select $2, authority, issuer, serial || '\x01', der, fingerprint, key, subject, emails, search, not_before - interval '80 days',
			not_after - interval '80 days', issued, organisation, common_name, names, product, server_order, renewable - interval '80 days', 'ending', not_after
		from certificate where reference = $1`, fresh, reference))
	return reference
}
