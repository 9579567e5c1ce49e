package bulk

import "time"

// perMinute is how many mails all bulks together cause in a minute where the
// book says nothing else.
const perMinute = 60

// slack is how much of the pace a worker that was late may make up at once.
const slack = 5 * time.Second

// interval is the time between two mails of a bulk while n of them share the
// pace.
func (b *Book) interval(n int) time.Duration {
	per := b.PerMinute
	if per <= 0 {
		per = perMinute
	}
	return time.Minute / time.Duration(per) * time.Duration(max(1, n))
}

// paced is the moment before which no further mail leaves, after mails left at
// now and none was to leave before next. So since the start never more mails
// left than the time since then allows and one row needs; a worker that was late
// by more than slack does not make up for it.
func paced(next, now time.Time, interval time.Duration, mails int) time.Time {
	if late := now.Add(-slack); next.Before(late) {
		next = late
	}
	return next.Add(time.Duration(mails) * interval)
}

// Ready is when the last mail of x will have left: of a draft, if it is started
// at now.
func (b *Book) Ready(x Bulk, now time.Time) time.Time {
	sharing := x.Paced
	if x.State == Draft {
		sharing++
	}
	from := now
	if x.State == Running && x.Next.After(now) {
		from = x.Next
	}
	return from.Add(time.Duration(max(0, x.Mails-1)) * b.interval(sharing))
}
