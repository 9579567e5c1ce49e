package cert_test

import (
	"testing"
	"time"

	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// Each revocation, with a clock that jumps between two readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	row, other := r.AddRow(t, "a@uni.example"), r.AddRow(t, "b@uni.example")
	id := r.Issue(t, r.ada, row, "a@uni.example")
	r.Issue(t, r.ada, other, "b@uni.example")
	r.clock.Advance(time.Minute)
	r.Issue(t, r.bob, other, "b@uni.example")
	reference := r.served(t, r.campus.Organisation("Garten", r.bob), 90, "www.uni.example")

	r.Outbox.Now = trial.Today // a letter has the time from which the outbox is patient
	r.clock.Once(t, "revoke", func() error { return r.Revoke(ctx, r.ada, id, pki.KeyCompromise) })
	r.clock.Once(t, "revoke a server's", func() error { return r.RevokeServer(ctx, r.bob, reference, pki.Superseded) })
	r.off(t, other)
	r.clock.Once(t, "revoke all of a row", func() error {
		n, err := r.RevokeAll(ctx, r.contact, "uni.example", other, pki.AffiliationChanged)
		if n != 2 {
			t.Errorf("%d certificates were revoked, want two", n)
		}
		return err
	})
	const apart = `select count(*) from certificate c where c.revoked is null or not exists (select from audit_line a where a.at = c.revoked)
		or exists (select from address_certificate k where k.certificate = c.id and k.revoked is distinct from c.revoked)
		or exists (select from ocsp_answer o where o.certificate = c.id and o.due <> c.revoked)`
	if n := r.campus.Scalar(apart); n != 0 {
		t.Errorf("%d certificates are revoked at another time than their line, their row or their response says", n)
	}
}
