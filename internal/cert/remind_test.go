package cert_test

import (
	"slices"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

func (r *rig) letters(t testing.TB) int {
	t.Helper()
	return r.campus.Scalar(`select count(*) from letter where kind = 'ending'`)
}

// until moves the clock to d before the end of the certificate.
func (r *rig) until(t testing.TB, reference string, d time.Duration) {
	t.Helper()
	end := trial.Must(r.Server(t.Context(), r.officer, reference)).NotAfter.Add(time.Second)
	r.clock.Advance(end.Add(-d).Sub(r.Now()))
}

// TestRemindersComeAtTheirTimeAndOnce: 28 and 14 days before the end, for short
// lives a third and a sixth of the life; every hour in between says nothing.
func TestRemindersComeAtTheirTimeAndOnce(t *testing.T) {
	t.Parallel()
	for life, c := range map[int]struct {
		names [2]string
		at    [2]time.Duration
	}{
		199: {[2]string{"28d", "14d"}, [2]time.Duration{28 * day, 14 * day}},
		90:  {[2]string{"28d", "14d"}, [2]time.Duration{28 * day, 14 * day}},
		60:  {[2]string{"28d", "14d"}, [2]time.Duration{28 * day, 14 * day}},
		47:  {[2]string{"third", "sixth"}, [2]time.Duration{47 * day / 3, 47 * day / 6}},
		6:   {[2]string{"third", "sixth"}, [2]time.Duration{2 * day, day}},
	} {
		r := newRig(t)
		reference := r.served(t, r.campus.Organisation("Garten", r.ada), life, "www.garten.example")
		var want []string
		for i, before := range c.at {
			r.until(t, reference, before+time.Microsecond)
			r.ok(t, r.Remind(t.Context()))
			if got := r.RemindersOf(t, reference); !slices.Equal(got, want) {
				t.Errorf("%d days, just before %s: got %v, want %v", life, c.names[i], got, want)
			}
			want = append(want, c.names[i]+" Adler@people.example")
			for range 3 {
				r.until(t, reference, before-time.Hour)
				r.ok(t, r.Remind(t.Context()))
			}
			if got := r.RemindersOf(t, reference); !slices.Equal(got, want) || r.letters(t) != i+1 {
				t.Errorf("%d days, after %s: got %v and %d letters, want %v", life, c.names[i], got, r.letters(t), want)
			}
		}
		r.until(t, reference, -40*day)
		r.ok(t, r.Remind(t.Context()))
		if r.letters(t) != 2 {
			t.Errorf("%d days, after the end: got %d letters, want no more", life, r.letters(t))
		}
	}
}

func TestAMissedNightIsCaughtUpWithOneReminder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	reference := r.served(t, o, 90, "www.garten.example")
	r.until(t, reference, 5*day) // nobody worked for weeks
	for i, n := range trial.Race(8, campus.Said, func(int) error { return r.Remind(t.Context()) }) {
		if i != "" {
			t.Errorf("%d runs at once said %q", n, i)
		}
	}
	if got := r.RemindersOf(t, reference); !slices.Equal(got, []string{"14d Adler@people.example"}) || r.letters(t) != 1 {
		t.Errorf("got %v and %d letters, want the newest reminder alone", got, r.letters(t))
	}
	late := r.served(t, o, 90, "b.garten.example")
	r.until(t, late, -day) // it ended unseen
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, late); len(got) != 0 {
		t.Errorf("a certificate that is over: got %v, want nothing", got)
	}
}

// TestASecondRunOfTheSameNightIsSilent, also where the first one's note of the
// next reminder was lost: the lines are unique.
func TestASecondRunOfTheSameNightIsSilent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reference := r.served(t, r.campus.Organisation("Garten", r.ada), 90, "www.garten.example")
	r.until(t, reference, 20*day)
	for range 2 {
		_, err := r.db.Exec(t.Context(), `update certificate set remind = $2 where reference = $1`, reference, r.Now())
		r.ok(t, err)
		r.ok(t, r.Remind(t.Context()))
	}
	if r.letters(t) != 1 {
		t.Errorf("got %d letters, want one", r.letters(t))
	}
}

func TestWhatIsReplacedOrRevokedIsNotRemindedOf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	replaced, revoked, waiting := r.served(t, o, 90, "a.garten.example"), r.served(t, o, 90, "b.garten.example"), r.served(t, o, 90, "c.garten.example")
	r.until(t, replaced, 29*day)
	r.renewed(t, replaced, 90)
	r.ok(t, r.RevokeServer(t.Context(), r.ada, revoked, pki.Superseded))
	r.noteRenewal(t, waiting, "ORDR-AAAAB") // which may never come: it goes on
	r.until(t, replaced, 10*day)
	r.ok(t, r.Remind(t.Context()))
	for reference, want := range map[string]int{replaced: 0, revoked: 0, waiting: 1} {
		if got := r.RemindersOf(t, reference); len(got) != want {
			t.Errorf("got %v, want %d reminders", got, want)
		}
	}
}

func TestRemindersGoToTheContactOfTheDayAndFurtherAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	reference := r.served(t, o, 90, "www.garten.example")
	r.ok(t, r.Mailbox.Org.SetReminders(t.Context(), r.officer, o, []string{"it@garten.example", "Adler@people.example"}))
	r.until(t, reference, 28*day)
	r.ok(t, r.Remind(t.Context()))
	want := []string{"28d Adler@people.example", "28d it@garten.example"}
	if got := r.RemindersOf(t, reference); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r.appoint(t, o, r.eve.Account) // whose address is not verified
	second := r.served(t, o, 90, "neu.garten.example")
	r.until(t, reference, 14*day)
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, reference); !slices.Equal(got, want) {
		t.Errorf("got %v, want nothing to addresses that the new contact has not confirmed, nor to one nobody verified", got)
	}
	r.ok(t, r.Mailbox.Org.ConfirmReminders(t.Context(), r.eve, o, []string{"it@garten.example"}))
	r.until(t, second, 28*day)
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, second); !slices.Equal(got, []string{"28d it@garten.example"}) {
		t.Errorf("got %v, want only the address that the new contact kept", got)
	}
}

func TestSeveralCertificatesMakeOneLetter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o, other := r.campus.Organisation("Garten", r.ada), r.campus.Organisation("Anderswo", r.ada)
	references := map[org.OrganisationID][]string{}
	for range 30 {
		references[o] = append(references[o], r.served(t, o, 90, "www.garten.example"))
	}
	references[other] = append(references[other], r.served(t, other, 90, "www.anderswo.example"))
	r.until(t, references[o][0], 28*day)
	r.ok(t, r.Remind(t.Context()))
	for _, of := range references {
		for _, reference := range of {
			if got := r.RemindersOf(t, reference); len(got) != 1 {
				t.Errorf("got %v, want one reminder of each", got)
			}
		}
	}
	if r.letters(t) != 3 {
		t.Errorf("got %d letters, want two for thirty certificates and one for the other organisation", r.letters(t))
	}
	if n := r.campus.Scalar(`select count(*) from letter where kind = 'ending' and words->>'Link' like '%/certificates?which=ending'`); n != 2 {
		t.Errorf("got %d letters that lead to the list, want 2", n)
	}
}

// TestPhasesTurnWithTime: each certificate once, also when many processes turn.
func TestPhasesTurnWithTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	reference := r.served(t, o, 90, "www.garten.example")
	phase := func() (s string) {
		r.ok(t, r.db.QueryRow(t.Context(), `select phase from certificate where reference = $1`, reference).Scan(&s))
		return s
	}
	for _, c := range []struct {
		before time.Duration
		want   string
	}{
		{30*day + time.Microsecond, "valid"}, {30 * day, "ending"}, {time.Second, "ending"}, {time.Second - time.Microsecond, "over"}, {-50 * day, "over"},
	} {
		r.until(t, reference, c.before)
		for i := range trial.Race(4, campus.Said, func(int) error { return r.TurnPhases(t.Context()) }) {
			if i != "" {
				t.Errorf("turning said %q", i)
			}
		}
		if got := phase(); got != c.want {
			t.Errorf("%v before the end: got %s, want %s", c.before, got, c.want)
		}
	}
	r.many(t, o, 3000)
	r.clock.Advance(400 * day)
	r.ok(t, r.TurnPhases(t.Context()))
	if n := r.campus.Scalar(`select count(*) from certificate where phase <> 'over' and organisation is not null`); n != 0 {
		t.Errorf("after a year: %d are not over, want all turned in batches", n)
	}
}

// TestHoldersAreToldInTheirLanguage, one letter for all that end: who has no
// verified address hears nothing, and a revoked successor is none.
func TestHoldersAreToldInTheirLanguage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.db.Exec(t.Context(), `update account set language = 'en' where id = $1`, r.ada.Account)
	r.ok(t, err)
	first, second := r.AddRow(t, "a@uni.example"), r.AddRow(t, "b@uni.example")
	one := r.Strike(t, r.ada, first, "a@uni.example")
	two := r.Strike(t, r.ada, second, "b@uni.example")
	hers := r.Strike(t, r.eve, second, "b@uni.example")
	one.Certificate.NotAfter, two.Certificate.NotAfter = r.Now().Add(90*day), r.Now().Add(90*day)
	hers.Certificate.NotAfter = two.Certificate.NotAfter.Add(-time.Hour)
	r.Keep(t, one)
	r.Keep(t, hers)
	r.Keep(t, two)
	r.clock.Advance(63 * day)
	r.ok(t, r.Remind(t.Context()))
	var lang, link string
	n := r.campus.Scalar(`select count(*) from letter where kind = 'mail_ending'`)
	r.ok(t, r.db.QueryRow(t.Context(), `select words->>'Lang', words->>'Link' from letter where kind = 'mail_ending'`).Scan(&lang, &link))
	if n != 1 || lang != "en" || link != "https://portal.example/client-certificates" {
		t.Errorf("got %d letters, the first in %q with the link %s; want one in hers for both", n, lang, link)
	}
	next := r.Issue(t, r.ada, first, "a@uni.example")
	r.ok(t, r.Revoke(t.Context(), r.ada, next, pki.Superseded))
	r.Issue(t, r.bob, second, "b@uni.example")
	r.clock.Advance(14 * day)
	r.ok(t, r.Remind(t.Context()))
	if n := r.campus.Scalar(`select count(*) from reminder where threshold = '14d'`); n != 1 {
		t.Errorf("14 days before: got %d reminders, want the one without a successor that counts", n)
	}
}

// TestAChangedSettingDoesNotRemindAgain of what was said since, and takes in
// what was over with the old one.
func TestAChangedSettingDoesNotRemindAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reference := r.served(t, r.campus.Organisation("Garten", r.ada), 90, "www.garten.example")
	r.until(t, reference, 20*day)
	r.ok(t, r.Remind(t.Context()))
	r.Reminders = []int{45, 30}
	r.ok(t, r.Remind(t.Context()))
	r.until(t, reference, 10*day) // the 14th passes under the new setting
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, reference); len(got) != 1 {
		t.Errorf("got %v, want the 28th alone", got)
	}
	r.Reminders = []int{45, 30, 7}
	r.ok(t, r.Remind(t.Context()))
	r.until(t, reference, 6*day)
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, reference); len(got) != 2 || got[1] != "7d Adler@people.example" {
		t.Errorf("got %v, want the 7th too", got)
	}
}
