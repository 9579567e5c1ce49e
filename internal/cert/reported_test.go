package cert_test

import (
	"testing"

	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestAKeyIsReportedWhileItsCertificateIsBeingRevokedForAnotherReason: the report is
// kept, the key is blocked at once, and the authority is told while that can be.
func TestAKeyIsReportedWhileItsCertificateIsBeingRevokedForAnotherReason(t *testing.T) {
	t.Parallel()
	unexpected := func(t *testing.T, r *rig) cert.ID {
		i := r.Strike(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
		i.Authority, i.Unexpected = "elsewhere", []pki.Difference{{Code: "pki.answer.names", Wanted: "a", Came: "b"}}
		return r.Keep(t, i)
	}
	server := func(t *testing.T, r *rig) cert.ID {
		s := r.serve(t, r.campus.Organisation("Garten", r.bob), 90, "www.garten.example")
		s.Authority = "elsewhere"
		return r.recordServer(t, s)
	}
	for name, c := range map[string]struct {
		record func(*testing.T, *rig) cert.ID
		first  func(*rig) person.Actor
		second func(*rig) person.Actor
		end    func(*testing.T, *rig, person.Actor, cert.ID, pki.Reason) error
	}{
		"of a mailbox": {
			func(t *testing.T, r *rig) cert.ID { return r.outside(t) }, func(r *rig) person.Actor { return r.officer }, func(r *rig) person.Actor { return r.ada },
			func(t *testing.T, r *rig, by person.Actor, id cert.ID, why pki.Reason) error {
				return r.Revoke(t.Context(), by, id, why)
			},
		},
		"of a server": {
			server, func(r *rig) person.Actor { return r.officer }, func(r *rig) person.Actor { return r.bob },
			func(t *testing.T, r *rig, by person.Actor, id cert.ID, why pki.Reason) error {
				return r.RevokeServer(t.Context(), by, r.reference(t, id), why)
			},
		},
		"of nobody": {
			unexpected, func(r *rig) person.Actor { return r.officer }, func(r *rig) person.Actor { return r.officer },
			func(t *testing.T, r *rig, by person.Actor, id cert.ID, why pki.Reason) error {
				return r.RevokeUnexpected(t.Context(), by, id, why)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := c.record(t, r)
			r.ok(t, c.end(t, r, c.first(r), id, pki.Superseded))
			r.clock.Advance(day)
			r.ok(t, c.end(t, r, c.second(r), id, pki.KeyCompromise))
			if n := r.campus.Scalar(`select count(*) from certificate where id = $1 and `+compromise.Of("certificate.key"), id); n != 1 {
				t.Error("the key is not blocked")
			}
			if w := r.withdrawals.all; len(w) != 2 || w[1].Certificate != id || w[1].Reason != pki.KeyCompromise || w[1].Authority != "elsewhere" || len(w[1].DER) == 0 {
				t.Errorf("its authority is to be told %+v", w)
			}
			for _, why := range []pki.Reason{pki.KeyCompromise, pki.Superseded} {
				if err := c.end(t, r, c.first(r), id, why); !fault.Is(err, fault.Conflict) {
					t.Errorf("reported again for %d: got %v, want a conflict", why, err)
				}
			}
			if n := r.campus.Scalar(`select count(*) from audit_line where action = 'cert.key_reported' and detail->>'reason' = '1'`); n != 1 {
				t.Errorf("got %d audit lines of the report, want one", n)
			}
			r.revoked(t, id)
			if n := r.campus.Scalar(`select count(*) from certificate where id = $1 and revoked is not null and reason = 1`, id); n != 1 {
				t.Error("it is not revoked because its key was compromised")
			}
		})
	}
}

// reference is what people call the certificate.
func (r *rig) reference(t testing.TB, id cert.ID) (reference string) {
	t.Helper()
	r.ok(t, r.db.QueryRow(t.Context(), `select reference from certificate where id = $1`, id).Scan(&reference))
	return reference
}

func TestWhoMayNotRevokeReportsNoKeyEither(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.outside(t)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	for name, by := range map[string]person.Actor{"the contact of an active row": r.contact, "somebody": r.bob} {
		if err := r.Revoke(t.Context(), by, id, pki.KeyCompromise); err == nil {
			t.Errorf("%s reported it", name)
		}
	}
	if n := r.campus.Scalar(`select count(*) from certificate where compromised`); n != 0 {
		t.Error("the key is blocked")
	}
	r.off(t, trial.Must(r.One(t.Context(), r.ada, id)).RowID)
	r.ok(t, r.Revoke(t.Context(), r.contact, id, pki.KeyCompromise))
}
