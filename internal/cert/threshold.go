package cert

import (
	"fmt"
	"slices"
	"time"

	"petschaft/internal/pki"
)

// defaultReminders is how many days before its end a certificate is reminded of.
func defaultReminders() []int { return []int{28, 14} }

// The days of reminders are bounded, and how many there are.
const (
	MostReminders   = 10
	MostReminderDay = 365
)

// days are those of the setting, the earliest reminder first, each once.
func (b *Book) days() []int {
	all := slices.Clone(b.Reminders)
	if len(all) == 0 {
		all = defaultReminders()
	}
	slices.SortFunc(all, func(x, y int) int { return y - x })
	return slices.Compact(all)
}

// FirstReminder is how many days before a certificate's end the earliest reminder
// of the setting is.
func (b *Book) FirstReminder() int { return b.days()[0] }

// threshold is how long before its end a certificate is reminded of.
type threshold struct {
	name   string
	before time.Duration
}

// shortLife is the life below which reminders follow it: days of a setting that
// is made for a year would come too early then.
const shortLife = 60 * 24 * time.Hour

// thresholds of a certificate, the earlier reminder first: the days that lie in
// the second half of its life, or a third and a sixth of the life where it is
// short or no day does.
func thresholds(days []int, notBefore, notAfter time.Time) (all []threshold) {
	life := notAfter.Add(time.Second).Sub(notBefore)
	for _, d := range days {
		if before := time.Duration(d) * 24 * time.Hour; life >= shortLife && before <= life/2 {
			all = append(all, threshold{fmt.Sprintf("%dd", d), before})
		}
	}
	if len(all) == 0 {
		return []threshold{{"third", life / 3}, {"sixth", life / 6}}
	}
	return all
}

// passed is the threshold that was passed last, and when; without a name none was.
type passed struct {
	name string
	at   time.Time
}

// due is what was passed last at now, and when the next reminder is due, nil for
// none.
func due(days []int, notBefore, notAfter, now time.Time) (last passed, next *time.Time) {
	for _, t := range thresholds(days, notBefore, notAfter) {
		at := notAfter.Add(time.Second).Add(-t.before)
		if at.After(now) {
			return last, &at
		}
		last = passed{t.name, at}
	}
	return last, nil
}

// firstReminder is when the first reminder of a certificate that was just issued
// is due.
func (b *Book) firstReminder(c pki.Certificate) *time.Time {
	_, next := due(b.days(), c.NotBefore, c.NotAfter, c.NotBefore)
	return next
}
