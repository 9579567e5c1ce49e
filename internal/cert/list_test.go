package cert_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

func schema(err error) error { return postgres.Fault(err) }

func TestAListNamesWhatWasRevokedWithTimeAndReason(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	want := map[string]int{}
	for _, f := range pki.Reasons(true) {
		id := r.Issue(t, r.ada, row, "ada@uni.example")
		r.ok(t, r.Revoke(t.Context(), r.officer, id, f.Reason))
		want[pki.Colons(trial.Must(r.One(t.Context(), r.officer, id)).Serial)] = int(f.Reason)
	}
	r.Issue(t, r.ada, row, "ada@uni.example") // stays
	at := r.Now()
	r.clock.Advance(30 * time.Second)
	r.ok(t, r.SignList(t.Context(), ca.Mail))
	l, _ := r.List(t, ca.Mail)
	if !l.ThisUpdate.Equal(r.Now()) || !l.NextUpdate.Equal(r.Now().Add(7*day)) {
		t.Errorf("got it from %v until %v, want from now for a week", l.ThisUpdate, l.NextUpdate)
	}
	if len(l.RevokedCertificateEntries) != len(want) {
		t.Errorf("got %d entries, want %d", len(l.RevokedCertificateEntries), len(want))
	}
	for _, e := range l.RevokedCertificateEntries {
		reason, there := want[pki.Colons(e.SerialNumber.Bytes())]
		if !there || e.ReasonCode != reason || !e.RevocationTime.Equal(at) {
			t.Errorf("got entry %v with reason %d at %v, want %d at %v", e.SerialNumber, e.ReasonCode, e.RevocationTime, reason, at)
		}
		if coded := len(e.Extensions) > 0; coded != (reason != 0) {
			t.Errorf("reason %d: got it encoded %v, want every reason but 0 (RFC 5280, 5.3.1)", reason, coded)
		}
	}
}

func TestTheNumberOfListsRisesAlsoWhenManyAreSignedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const many = 20
	got := trial.Race(many, campus.Said, func(int) error { return r.SignList(t.Context(), ca.Mail) })
	if got[""] != many {
		t.Fatalf("got %v, want all well", got)
	}
	if n := r.campus.Scalar(`select count(distinct number) from revocation_list where authority = 'mail'`); n != many {
		t.Errorf("got %d numbers of %d lists", n, many)
	}
	last := int64(many)
	for range 3 {
		r.clock.Advance(30 * day) // older ones are forgotten meanwhile
		r.ok(t, r.SignList(t.Context(), ca.Mail))
		_, l := r.List(t, ca.Mail)
		if l.Number <= last {
			t.Errorf("got number %d after %d", l.Number, last)
		}
		last = l.Number
	}
	if n := r.campus.Scalar(`select count(*) from revocation_list where authority = 'mail'`); n > 2 {
		t.Errorf("got %d lists kept, want those that are long over forgotten", n)
	}
}

func TestACertificateLeavesTheListAWeekAfterItsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.Issue(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.KeyCompromise))
	end := trial.Must(r.One(t.Context(), r.ada, id)).NotAfter
	for _, c := range []struct {
		at   time.Time
		want int
	}{{r.Now(), 1}, {end, 1}, {end.Add(7*day - time.Second), 1}, {end.Add(7*day + time.Second), 0}} {
		r.clock.Advance(c.at.Sub(r.Now()))
		r.ok(t, r.SignList(t.Context(), ca.Mail))
		if _, l := r.List(t, ca.Mail); l.Entries != c.want {
			t.Errorf("at %v, its end is %v: got %d entries, want %d", c.at, end, l.Entries, c.want)
		}
	}
}

func TestMissedDaysAreCaughtUpOnceAndASecondRunIsSilent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	lists := func() int { return r.campus.Scalar(`select count(*) from revocation_list`) }
	_, err := r.Newest(t.Context(), ca.Mail)
	campus.Wants(t, err, "fault.missing")
	names := r.local.Names()
	for i, later := range []time.Duration{0, day + time.Minute, 5 * day} {
		r.clock.Advance(later)
		for range 2 {
			r.ok(t, r.SignOldLists(t.Context()))
			if got, want := lists(), (i+1)*len(names); got != want {
				t.Errorf("run %d: got %d lists, want %d: one of each authority for each time it was due", i, got, want)
			}
		}
	}
	for _, name := range names {
		if _, l := r.List(t, name); !l.ThisUpdate.Equal(r.Now()) {
			t.Errorf("%s: got its list from %v, want from now", name, l.ThisUpdate)
		}
	}
	r.clock.Advance(day - time.Second)
	r.ok(t, r.SignOldLists(t.Context()))
	if got, want := lists(), 3*len(names); got != want {
		t.Errorf("a second before the day is over: got %d lists, want %d", got, want)
	}
	r.Authority = nil
	r.ok(t, r.SignOldLists(t.Context()))
}

// TestTheListOfARootWhoseKeyIsElsewhereIsTakenOver, also by many at once.
func TestTheListOfARootWhoseKeyIsElsewhereIsTakenOver(t *testing.T) {
	t.Parallel()
	key := trial.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	r := newRig(t, func(o *ca.Options) { o.RootKey = key })
	taken := func(want int64) {
		t.Helper()
		if got := trial.Race(12, campus.Said, func(int) error { return r.SignOldLists(t.Context()) }); got[""] != 12 {
			t.Errorf("got %v, want all well", got)
		}
		if _, l := r.List(t, ca.Root); l.Number != want {
			t.Errorf("got list %d, want %d", l.Number, want)
		}
		if n := r.campus.Scalar(`select count(*) from revocation_list where authority = 'root'`); n != int(want) {
			t.Errorf("got %d lists of the root, want %d", n, want)
		}
	}
	taken(1)
	r.ok(t, ca.RenewRootCRL(t.Context(), r.db, key, r.Now()))
	taken(2)
	if err := r.SignList(t.Context(), ca.Root); err == nil {
		t.Error("a list of the root was signed without its key")
	}
}
