package cert_test

import (
	"testing"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestWhatNobodyWantedAndNobodyRevokedIsNobodysToUse: it counts for the world, and so
// it is told of, but no list shows it among what counts and its files are only the
// officers'.
func TestWhatNobodyWantedAndNobodyRevokedIsNobodysToUse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	i := r.Strike(t, r.ada, row, "ada@uni.example")
	i.Authority, i.Unwanted = "elsewhere", mail.EndedRow
	id := r.Keep(t, i)
	garden := r.campus.Organisation("Garten", r.bob)
	s := r.serve(t, garden, 20, "www.garten.example")
	s.Authority, s.Unwanted = "elsewhere", mail.EndedName
	server := r.recordServer(t, s)
	r.refuse(t, id, "no")
	r.refuse(t, server, "no")
	r.clock.Advance(15 * day) // the server's could be renewed by now
	r.ok(t, r.TurnPhases(t.Context()))
	for w, want := range map[cert.Which]int{cert.Valid: 0, cert.Over: 1, cert.All: 1} {
		if n := len(trial.Must(r.Mine(t.Context(), r.ada, w, 0, 10))); n != want {
			t.Errorf("the holder finds %d among %s, want %d", n, w, want)
		}
	}
	for w, want := range map[cert.Which]int{cert.Valid: 0, cert.Ending: 0, cert.Current: 0, cert.Due: 0, cert.Over: 1, cert.All: 1} {
		for _, text := range []string{"", "garten"} {
			if n := len(trial.Must(r.Servers(t.Context(), r.bob, cert.ServerView{Which: w, Text: text})).Certificates); n != want {
				t.Errorf("the technical contact finds %d among %s by %q, want %d", n, w, text, want)
			}
		}
	}
	if n := len(trial.Must(r.Ending(t.Context(), r.ada, 10000*day))); n != 0 {
		t.Errorf("the holder is told of the end of %d", n)
	}
	r.ok(t, r.Remind(t.Context()))
	if n := r.campus.Scalar(`select count(*) from reminder`); n != 0 {
		t.Errorf("got %d reminders, want none", n)
	}
	if c := trial.Must(r.Server(t.Context(), r.bob, s.Reference)); !fault.Is(cert.MayRenew(c, r.Now()), fault.Conflict) || cert.MayRevokeServer(c) != nil {
		t.Errorf("may renew: %v, may revoke: %v; want it only revoked", cert.MayRenew(c, r.Now()), cert.MayRevokeServer(c))
	}
	f, _ := pki.FormatCalled("certificate.pem")
	pool := pki.NewPool(r.local.Chain(ca.TLS)...)
	for _, by := range []struct {
		name    string
		account person.Actor
		may     bool
	}{{"the holder", r.ada, false}, {"the officer", r.officer, true}} {
		if c := trial.Must(r.One(t.Context(), by.account, id)); !c.Unwanted || c.Refused == nil || c.Offered() != by.may {
			t.Errorf("%s: got it unwanted %v, refused %v, offered %v", by.name, c.Unwanted, c.Refused, c.Offered())
		}
	}
	if _, _, err := r.ServerFile(t.Context(), r.bob, s.Reference, f, pool); !fault.Is(err, fault.Missing) {
		t.Errorf("the contact gets its file: %v", err)
	}
	if _, _, err := r.ServerFile(t.Context(), r.officer, s.Reference, f, pool); err != nil {
		t.Errorf("the officer does not: %v", err)
	}
}
