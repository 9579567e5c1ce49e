package issuance_test

import (
	"slices"
	"testing"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestARevocationThatLastsIsSeenByOfficers from the day on after which it should be
// done, until it is.
func TestARevocationThatLastsIsSeenByOfficers(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	r.oracle.says(r.later(30*time.Hour, ""), lost, done)
	r.wish(t)
	r.revoke(t)
	r.clock.Advance(issuance.LongRevocation - time.Second)
	if all := trial.Must(r.LongRevocations(t.Context(), r.officer, 10)); len(all) != 0 {
		t.Errorf("a second before: got %+v", all)
	}
	r.clock.Advance(time.Second)
	r.revoke(t)
	all := trial.Must(r.LongRevocations(t.Context(), r.officer, 10))
	if len(all) != 1 || all[0].ID != r.id || all[0].Authority != "outside" || all[0].For != "Ada Adler" || all[0].Tries != 1 ||
		all[0].Said == "" || all[0].Server || all[0].Nobodys || !slices.Equal(all[0].Names, []string{"ada@uni.example"}) {
		t.Errorf("got %+v", all)
	}
	if _, err := r.LongRevocations(t.Context(), r.ada, 10); !fault.Is(err, fault.Denied) {
		t.Errorf("the holder: got %v, want denied", err)
	}
	r.advanceRevocation(t)
	r.revoke(t)
	if all := trial.Must(r.LongRevocations(t.Context(), r.officer, 10)); len(all) != 0 {
		t.Errorf("it is revoked: got %+v", all)
	}
}

// TestAnAuthorityIsToldTheNewReason while it has not done what it was asked for.
func TestAnAuthorityIsToldTheNewReason(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	r.oracle.says(r.later(time.Hour, ""), done)
	r.wish(t)
	r.revoke(t)
	r.expect(t, "asked revoking +1h0m0s")
	ok(t, r.Cert.Revoke(t.Context(), r.ada, r.id, pki.KeyCompromise))
	r.expect(t, "asked revoking +1h0m0s")
	r.advanceRevocation(t)
	r.revoke(t)
	r.expect(t, "done revoked")
	if want := []string{"revoke 4", "revoke 1"}; !slices.Equal(r.oracle.calls, want) {
		t.Errorf("got the calls %q, want %q", r.oracle.calls, want)
	}
}
