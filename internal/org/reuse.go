package org

import "time"

// reuse is how long the validation of a domain may be used for a certificate
// issued from a day on (TLS BR 4.2.1, by ballot SC-081).
var reuse = [...]struct {
	from time.Time
	days int
}{
	{time.Time{}, 398},
	{time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), 200},
	{time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC), 100},
	{time.Date(2029, 3, 15, 0, 0, 0, 0, time.UTC), 10},
}

// ReuseDays is how many days old the validation of a name may be for a
// certificate issued at that time.
func ReuseDays(at time.Time) int {
	days := 0
	for _, r := range reuse {
		if !at.Before(r.from) {
			days = r.days
		}
	}
	return days
}

// ReuseUntil is when a validation made at from counts no more, whatever was
// noted as its end: the limits that come meanwhile shorten it.
func ReuseUntil(from time.Time) time.Time {
	for i, r := range reuse {
		end := from.AddDate(0, 0, r.days)
		if i+1 == len(reuse) || end.Before(reuse[i+1].from) {
			if end.Before(r.from) { // lapsed on the day the limit came
				return r.from
			}
			return end
		}
	}
	return from
}
