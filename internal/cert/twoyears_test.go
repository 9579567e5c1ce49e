package cert_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// known is a certificate as the model of the two years knows it.
type known struct {
	server    bool
	id        cert.ID
	reference string
	row       mailbox.ID
	holder    person.Actor
	to        []string
	from, end time.Time // end: the first moment after it
	revoked   bool
	renewedBy *known
	looked    time.Time            // when a night last looked at it
	said      map[string]time.Time // to whom something was said, and when
}

// passedLast is the threshold of k that was passed last at now, reckoned without
// the code under test.
func (k *known) passedLast(days []int, now time.Time) (name string, at time.Time) {
	life := k.end.Sub(k.from)
	left := map[string]time.Duration{}
	for _, d := range days {
		if life >= 60*day && time.Duration(d)*day <= life/2 {
			left[fmt.Sprintf("%dd", d)] = time.Duration(d) * day
		}
	}
	if len(left) == 0 {
		left = map[string]time.Duration{"third": life / 3, "sixth": life / 6}
	}
	for n, d := range left {
		if when := k.end.Add(-d); !when.After(now) && when.After(at) {
			name, at = n, when
		}
	}
	return name, at
}

// renewed: a server's was replaced for good; a mailbox's has one that came
// later, counts, and ends no earlier.
func (k *known) renewed(all []*known) bool {
	if k.server {
		return k.renewedBy != nil
	}
	later := all[slices.Index(all, k)+1:]
	return slices.ContainsFunc(later, func(n *known) bool { return !n.server && n.row == k.row && !n.revoked && !n.end.Before(k.end) })
}

// night is what the model says of a night's work at now: the lines of reminders.
func night(all []*known, days []int, now time.Time) (lines []string) {
	for _, k := range all {
		name, at := k.passedLast(days, now)
		due := name != "" && k.looked.Before(at)
		k.looked = now
		if !due || k.revoked || k.renewed(all) || !now.Before(k.end) {
			continue
		}
		for _, to := range k.to {
			if k.said[to].Before(at) {
				k.said[to] = now
				lines = append(lines, k.reference+" "+name+" "+to)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// world is what happens in the two years besides the nights.
type world struct {
	*rig
	rnd   *rand.Rand
	all   []*known
	rows  []mailbox.ID
	owner map[mailbox.ID]person.Actor
	orgs  []org.OrganisationID
	n     int
}

// TestTwoYearsOfReminders lets both kinds of certificates come, be renewed and
// revoked for two years, of which many nights are missed, some in a row, and some
// run twice or in several processes. A model beside it says what each night must
// say, and to whom.
func TestTwoYearsOfReminders(t *testing.T) {
	t.Parallel()
	const seed = 8
	t.Logf("seed %d", seed)
	r := newRig(t)
	w := &world{rig: r, rnd: rand.New(rand.NewPCG(seed, seed)), owner: map[mailbox.ID]person.Actor{}}
	w.people(t)
	days, missed, sent := []int{28, 14}, 0, 0
	for d := range 730 {
		w.clock.Advance(day)
		w.happen(t)
		if d == 400 { // the setting changes
			days = []int{60, 30, 7}
			r.Reminders = []int{7, 30, 60}
			for _, k := range w.all {
				k.looked = time.Time{}
			}
		}
		if missed--; missed >= 0 {
			continue
		}
		if w.rnd.IntN(12) == 0 {
			missed = 1 + w.rnd.IntN(25)
			continue
		}
		want := night(w.all, days, r.Now())
		for range 1 + w.rnd.IntN(2) {
			for said := range trial.Race(1+w.rnd.IntN(3), campus.Said, func(int) error { return r.Remind(t.Context()) }) {
				if said != "" {
					t.Fatalf("day %d: the night said %q", d, said)
				}
			}
		}
		if got := w.saidAt(t); !slices.Equal(got, want) {
			t.Fatalf("day %d, %v: got\n%s\nwant\n%s", d, r.Now(), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		sent += len(want)
	}
	t.Logf("%d certificates, %d reminders", len(w.all), sent)
	if sent < 60 {
		t.Errorf("got %d reminders in two years: the world is too quiet to show anything", sent)
	}
}

// people are two holders with many rows, and two organisations, one with a further
// address.
func (w *world) people(t *testing.T) {
	t.Helper()
	for i := range 30 {
		by := []person.Actor{w.ada, w.bob}[i%2]
		row := w.AddRow(t, fmt.Sprintf("zeile-%d@uni.example", i))
		w.rows, w.owner[row] = append(w.rows, row), by
	}
	w.orgs = []org.OrganisationID{w.campus.Organisation("Garten", w.ada), w.campus.Organisation("Museum", w.bob)}
	w.ok(t, w.Mailbox.Org.SetReminders(t.Context(), w.officer, w.orgs[1], []string{"it@museum.example"}))
}

// happen is a day: something is issued, renewed or revoked.
func (w *world) happen(t *testing.T) {
	t.Helper()
	switch x := w.rnd.IntN(40); {
	case x < 3:
		w.issueMail(t, w.rows[w.rnd.IntN(len(w.rows))])
	case x < 6:
		w.issueServer(t, w.rnd.IntN(2), nil)
	case x == 6:
		if k := w.some(func(k *known) bool { return k.server && k.renewedBy == nil && !k.revoked }); k != nil {
			k.renewedBy = w.issueServer(t, slices.Index([]string{"Adler@people.example", "Bach@people.example"}, k.to[0]), k)
		}
	case x == 7:
		k := w.some(func(k *known) bool { return !k.revoked && w.Now().Before(k.end) })
		switch {
		case k == nil:
		case k.server:
			w.ok(t, w.RevokeServer(t.Context(), w.officer, k.reference, pki.Superseded))
			k.revoked = true
		default:
			w.ok(t, w.Revoke(t.Context(), w.officer, k.id, pki.Superseded))
			k.revoked = true
		}
	}
}

func (w *world) some(f func(*known) bool) *known {
	var fit []*known
	for _, k := range w.all {
		if f(k) {
			fit = append(fit, k)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[w.rnd.IntN(len(fit))]
}

// issueMail gives the row's owner a certificate, which follows the ones before.
func (w *world) issueMail(t *testing.T, row mailbox.ID) {
	t.Helper()
	w.n++
	i := w.Strike(t, w.owner[row], row, fmt.Sprintf("zeile-%d@uni.example", slices.Index(w.rows, row)))
	i.Certificate.NotAfter = i.Certificate.NotBefore.AddDate(0, 0, []int{40, 90, 180, 365}[w.rnd.IntN(4)]).Add(-time.Second) // the authority knows one life only
	k := &known{
		id: w.Keep(t, i), reference: i.Reference, row: row, holder: w.owner[row], to: []string{i.HolderEmail},
		from: i.Certificate.NotBefore, end: i.Certificate.NotAfter.Add(time.Second), looked: w.Now(), said: map[string]time.Time{},
	}
	w.all = append(w.all, k)
}

func (w *world) issueServer(t *testing.T, of int, renews *known) *known {
	t.Helper()
	w.n++
	life := []int{6, 47, 62, 90}[w.rnd.IntN(4)]
	i := w.serve(t, w.orgs[of], life, fmt.Sprintf("s%d.example", w.n))
	if renews != nil {
		i.Replaces = &renews.id
	}
	to := [][]string{{"Adler@people.example"}, {"Bach@people.example", "it@museum.example"}}[of]
	k := &known{
		server: true, id: w.recordServer(t, i), reference: i.Reference, to: to, from: i.Certificate.NotBefore,
		end: i.Certificate.NotAfter.Add(time.Second), looked: w.Now(), said: map[string]time.Time{},
	}
	w.all = append(w.all, k)
	return k
}

// saidAt are the reminders of this very night.
func (w *world) saidAt(t *testing.T) []string {
	t.Helper()
	rows, err := w.db.Query(t.Context(), `select c.reference || ' ' || m.threshold || ' ' || m.recipient from reminder m
		join certificate c on c.id = m.certificate where m.at = $1`, w.Now())
	w.ok(t, err)
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var s string
		w.ok(t, rows.Scan(&s))
		found[s] = true
	}
	return slices.Sorted(maps.Keys(found))
}
