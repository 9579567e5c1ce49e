package cert_test

import (
	"slices"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

func TestAllCertificatesOfAnInactiveRowEndAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row, other := r.AddRow(t, "ada@uni.example"), r.AddRow(t, "andere@uni.example")
	revoked := r.Issue(t, r.ada, row, "ada@uni.example")
	r.ok(t, r.Revoke(t.Context(), r.ada, revoked, pki.KeyCompromise))
	a, b := r.Issue(t, r.ada, row, "ada@uni.example"), r.Issue(t, r.bob, row, "ada@uni.example")
	kept := r.Issue(t, r.ada, other, "andere@uni.example")

	_, err := r.RevokeAll(t.Context(), r.contact, "uni.example", row, pki.AffiliationChanged)
	campus.Wants(t, err, "cert.revoke.active")
	r.off(t, row)
	_, err = r.RevokeAll(t.Context(), r.stranger, "uni.example", row, pki.AffiliationChanged)
	campus.Wants(t, err, "fault.missing")
	_, err = r.RevokeAll(t.Context(), r.ada, "uni.example", row, pki.AffiliationChanged)
	campus.Wants(t, err, "fault.missing")
	_, err = r.RevokeAll(t.Context(), r.contact, "uni.example", row, pki.PrivilegeWithdrawn) // for officers only
	campus.Wants(t, err, "field.required")

	if n := trial.Must(r.ValidAt(t.Context(), r.db, r.Now(), row, time.Time{})); n != 2 {
		t.Errorf("got %d valid certificates, want 2", n)
	}
	if n := trial.Must(r.RevokeAll(t.Context(), r.contact, "uni.example", row, pki.AffiliationChanged)); n != 2 {
		t.Errorf("revoked %d certificates, want the 2 valid ones", n)
	}
	if n := trial.Must(r.RevokeAll(t.Context(), r.contact, "uni.example", row, pki.AffiliationChanged)); n != 0 {
		t.Errorf("revoked %d certificates the second time, want none", n)
	}
	for _, c := range trial.Must(r.OfRow(t.Context(), r.officer, row, 10)) {
		want := pki.AffiliationChanged
		if c.ID == revoked {
			want = pki.KeyCompromise
		}
		if c.Revoked == nil || pki.Reason(*c.Reason) != want {
			t.Errorf("certificate %d: got revoked at %v for %v, want reason %d", c.ID, c.Revoked, c.Reason, want)
		}
	}
	if c := trial.Must(r.One(t.Context(), r.officer, kept)); c.Revoked != nil {
		t.Error("a certificate of another row was revoked")
	}
	for _, id := range []int64{int64(a), int64(b)} {
		n := r.campus.Scalar(`select count(*) from audit_about x join audit_line l on l.id = x.line
			where x.kind = 'certificate' and x.id = $1 and l.action = 'cert.revoked'`, id)
		if n != 1 {
			t.Errorf("certificate %d has %d audit lines of its revocation, want 1", id, n)
		}
	}
	if n := r.campus.Scalar(`select count(*) from address_row where id = $1 and certificate_end = 'infinity'`, row); n != 1 {
		t.Error("the table still shows the end of a certificate")
	}
}

func TestManyRevokeAllAtOnceAndEachCertificateEndsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	for range 3 {
		r.Issue(t, r.ada, row, "ada@uni.example")
	}
	r.off(t, row)
	ended := make([]int, 20)
	got := trial.Race(len(ended), campus.Said, func(i int) (err error) {
		ended[i], err = r.RevokeAll(t.Context(), r.contact, "uni.example", row, pki.AffiliationChanged)
		return err
	})
	if got[""] != len(ended) {
		t.Errorf("got %v, want no refusal", got)
	}
	if slices.Sort(ended); ended[len(ended)-1] != 3 || ended[len(ended)-2] != 0 {
		t.Errorf("got %v certificates ended, want all three by one", ended)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'cert.revoked'`); n != 3 {
		t.Errorf("got %d audit lines, want 3", n)
	}
}
