package cert_test

import (
	"slices"
	"testing"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/mail"
	"petschaft/internal/trial"
)

// TestWhatComesLateTakesNobodysPlace: what comes in another order than it was signed
// in is neither the newest of its row nor the successor of any.
func TestWhatComesLateTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	end := r.Now().Add(90 * day)
	strike := func() cert.Issuance {
		i := r.Strike(t, r.ada, row, "ada@uni.example")
		i.Certificate.NotAfter = end
		return i
	}
	late := strike()
	r.clock.Advance(3 * day)
	newest := strike()
	r.clock.Advance(day)
	unwanted := strike()
	unwanted.Authority, unwanted.Unwanted = "elsewhere", mail.EndedRow
	want := []cert.ID{r.Keep(t, unwanted), r.Keep(t, newest), r.Keep(t, late)}
	found := trial.Must(r.OfRow(t.Context(), r.ada, row, 10))
	if got := ids(found); !slices.Equal(got, want) {
		t.Errorf("got the row's %v, want %v by the begin of their validity", got, want)
	}
	if got := cert.Newest(found); got == nil || got.ID != want[1] {
		t.Errorf("got %v for the newest, want %d, which began last of those that were wanted", got, want[1])
	}
	if got := cert.Newest(found[:1]); got != nil {
		t.Errorf("got %v for the newest of what nobody wanted", got)
	}
	if got := ids(trial.Must(r.Ending(t.Context(), r.ada, 100*day))); !slices.Equal(got, want[1:2]) {
		t.Errorf("got the end of %v told, want that of the newest", got)
	}
	r.clock.Advance(end.Sub(r.Now()) - 27*day)
	r.ok(t, r.Remind(t.Context()))
	for i, n := range map[*cert.Issuance]int{&late: 0, &newest: 1, &unwanted: 0} {
		if got := r.RemindersOf(t, i.Reference); len(got) != n {
			t.Errorf("got the reminders %v, want %d", got, n)
		}
	}
}

// TestTheNewestThatEndsFirstIsRemindedOf, and so is the one before it, which is good
// for longer: nothing that ends earlier stands for it.
func TestTheNewestThatEndsFirstIsRemindedOf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	strike := func(left time.Duration) cert.Issuance {
		i := r.Strike(t, r.ada, row, "ada@uni.example")
		i.Certificate.NotAfter = r.Now().Add(left)
		r.Keep(t, i)
		r.clock.Advance(day)
		return i
	}
	long, short := strike(200*day), strike(90*day)
	reminded := func(when string, ofShort, ofLong int) {
		t.Helper()
		r.ok(t, r.Remind(t.Context()))
		if s, l := len(r.RemindersOf(t, short.Reference)), len(r.RemindersOf(t, long.Reference)); s != ofShort || l != ofLong {
			t.Errorf("%s: got %d reminders of the newest and %d of the other, want %d and %d", when, s, l, ofShort, ofLong)
		}
	}
	r.clock.Advance(short.Certificate.NotAfter.Sub(r.Now()) - 27*day)
	reminded("before the newest ends", 1, 0)
	r.clock.Advance(long.Certificate.NotAfter.Sub(r.Now()) - 27*day)
	reminded("before the other ends", 1, 1)
}
