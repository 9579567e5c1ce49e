package cert

import (
	"time"

	"petschaft/internal/fault"
)

// A certificate may be renewed from the last third of its life on, at most from
// 30 days before its end, and until 30 days after it.
const (
	mostBefore = 30 * 24 * time.Hour
	mostAfter  = 30 * 24 * time.Hour
)

// renewable is when the time for a renewal begins. A life ends with its last
// second.
func renewable(notBefore, notAfter time.Time) time.Time {
	end := notAfter.Add(time.Second)
	return end.Add(-min(end.Sub(notBefore)/3, mostBefore))
}

// Renewable is from when until when c may be renewed.
func (c ServerCertificate) Renewable() (from, until time.Time) {
	return renewable(c.NotBefore, c.NotAfter), c.NotAfter.Add(mostAfter)
}

// MayRenew tells whether the reader of c may renew it at now (mission, R90).
// The button asks it, and the gate once more with c locked.
func MayRenew(c ServerCertificate, now time.Time) error {
	from, until := c.Renewable()
	switch {
	case !c.Sees():
		return fault.New(fault.Missing, "fault.missing")
	case c.Earlier:
		return fault.New(fault.Conflict, "cert.renew.foreign")
	case c.Revoked != nil:
		return fault.New(fault.Conflict, "cert.renew.revoked")
	case c.Revoking != nil:
		return fault.New(fault.Conflict, "cert.renew.revoking")
	case c.Unwanted:
		return fault.New(fault.Conflict, "cert.renew.unwanted")
	case c.ReplacedBy != nil:
		return fault.New(fault.Conflict, "cert.renew.replaced", "reference", *c.ReplacedBy)
	case c.Renewal != nil:
		return fault.New(fault.Conflict, "cert.renew.under_way", "reference", *c.Renewal)
	case now.Before(from):
		return fault.New(fault.Conflict, "cert.renew.early", "from", from)
	case now.After(until):
		return fault.New(fault.Conflict, "cert.renew.late")
	}
	return nil
}
