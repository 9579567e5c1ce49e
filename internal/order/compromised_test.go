package order_test

import (
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/pki"
)

func TestNoCertificateIsGivenForAKeyThatWasReportedCompromised(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	mine, other := r.linked(t, r.ada, "ada@uni.example"), r.linked(t, r.bob, "bob@uni.example")
	in := order.Input{CSR: csr(t, ecKey(t)), Terms: r.Terms}
	made, err := r.Apply(t.Context(), r.ada, mine, in)
	r.ok(t, err)
	id := made.ID
	r.ok(t, r.Issue(t.Context(), id))
	made, err = r.Apply(t.Context(), r.bob, other, in)
	r.ok(t, err)
	waiting := made.ID
	r.ok(t, r.Cert.Revoke(t.Context(), r.ada, r.one(t, id).ID, pki.KeyCompromise))

	r.ok(t, r.Issue(t.Context(), waiting))
	r.ended(t, waiting, order.Refused, "order.key.compromised")
	_, err = r.Apply(t.Context(), r.bob, other, in)
	campus.Wants(t, err, "order.key.compromised")
}
