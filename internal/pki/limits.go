package pki

import (
	"slices"
	"time"
)

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
