package pki

import (
	"slices"
	"time"
)

// tlsDays are how long a TLS server certificate may live, by the day from which
// on it is issued (TLS BR 6.3.2, as ballot SC-081 set them), the newest first.
var tlsDays = []struct {
	from time.Time
	days int
}{
	{time.Date(2029, 3, 15, 0, 0, 0, 0, time.UTC), 47},
	{time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC), 100},
	{time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), 200},
	{time.Time{}, 398},
}

// MostTLSDays is the longest life, in days of 86,400 seconds, of a TLS server
// certificate that is issued at at.
func MostTLSDays(at time.Time) int {
	for _, d := range tlsDays {
		if !at.Before(d.from) {
			return d.days
		}
	}
	return tlsDays[len(tlsDays)-1].days // a time before the year 1
}

// TLSLimit is a longest life of TLS server certificates, and the day from which
// on it holds.
type TLSLimit struct {
	From time.Time
	Days int
}

// TLSLimits are the limit that holds at at and those that come after it, in
// their order.
func TLSLimits(at time.Time) []TLSLimit {
	var limits []TLSLimit
	for _, d := range tlsDays {
		limits = append(limits, TLSLimit{d.from, d.days})
		if !at.Before(d.from) {
			break
		}
	}
	slices.Reverse(limits)
	return limits
}
