package digest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// known is a certificate as the model of the two years knows it.
type known struct {
	id      cert.ID
	row     mailbox.ID
	last    time.Time
	revoked bool
}

// ending is how many of all end within so many days and have no successor.
func ending(all []*known, now time.Time, within int) (n int) {
	for i, k := range all {
		followed := slices.ContainsFunc(all[i+1:], func(o *known) bool { return o.row == k.row && !o.revoked && !o.last.Before(k.last) })
		if !followed && !k.revoked && now.Before(k.last) && !k.last.After(now.AddDate(0, 0, within)) {
			n++
		}
	}
	return n
}

// TestTwoYearsOfDigests lets certificates come, be followed and revoked for two
// years, of which many nights are missed, some in a row, and some run in several
// processes. A model beside it says when a digest comes, and of how many.
func TestTwoYearsOfDigests(t *testing.T) {
	t.Parallel()
	const seed = 8
	t.Logf("seed %d", seed)
	r, rnd := newRig(t), rand.New(rand.NewPCG(seed, seed))
	var all []*known
	var rows []mailbox.ID
	for i := range 20 {
		rows = append(rows, r.mint.AddRow(t, fmt.Sprintf("zeile-%d@uni.example", i)))
	}
	r.ok(t, r.Set(t.Context(), r.contact, true))
	within, next, missed, sent, quiet := 28, monday(trial.Today()), 0, 0, 0
	for d := range 730 {
		r.clock.Advance(day)
		switch x := rnd.IntN(60); {
		case x < 4:
			at := rnd.IntN(len(rows))
			i := r.mint.Strike(t, r.ada, rows[at], fmt.Sprintf("zeile-%d@uni.example", at))
			i.Certificate.NotAfter = r.Now().AddDate(0, 0, []int{40, 90, 180, 365}[rnd.IntN(4)]) // the authority knows one life only
			all = append(all, &known{id: r.mint.Keep(t, i), row: rows[at], last: i.Certificate.NotAfter})
		case x < 6 && len(all) > 0:
			if k := all[rnd.IntN(len(all))]; !k.revoked && r.Now().Before(k.last) {
				r.ok(t, r.mint.Revoke(t.Context(), r.campus.Officer, k.id, pki.Superseded))
				k.revoked = true
			}
		}
		if d == 400 { // the setting changes
			within, r.Cert.Reminders = 60, []int{7, 30, 60}
		}
		if missed--; missed >= 0 {
			continue
		}
		if rnd.IntN(12) == 0 {
			missed = 1 + rnd.IntN(25)
			continue
		}
		want := 0
		if !r.Now().Before(next) {
			want = ending(all, r.Now(), within)
			next = monday(r.Now())
			if want > 0 {
				sent++
			} else {
				quiet++
			}
		}
		for said := range trial.Race(1+rnd.IntN(3), campus.Said, func(int) error { return r.Send(t.Context()) }) {
			if said != "" {
				t.Fatalf("day %d: the night said %q", d, said)
			}
		}
		if got := r.campus.Scalar(`select count(*) from letter where kind = 'digest'`); got != sent {
			t.Fatalf("day %d: got %d digests, want %d", d, got, sent)
		}
		if want == 0 {
			continue
		}
		if n := r.campus.Scalar(`select jsonb_array_length(words->'Certificates') + (words->>'More')::int from letter where kind = 'digest' order by id desc limit 1`); n != want {
			t.Fatalf("day %d: it is of %d certificates, want %d", d, n, want)
		}
	}
	t.Logf("%d certificates, %d digests, %d weeks with nothing to say", len(all), sent, quiet)
	if sent < 20 || quiet < 3 {
		t.Errorf("got %d digests and %d quiet weeks in two years: the world shows too little", sent, quiet)
	}
}

// monday is the first one at five o'clock after now, looked for hour by hour.
func monday(now time.Time) time.Time {
	at := now.UTC().Truncate(time.Hour).Add(time.Hour)
	for at.Weekday() != time.Monday || at.Hour() != 5 {
		at = at.Add(time.Hour)
	}
	return at
}
