package order

import (
	"unicode/utf8"

	"petschaft/internal/fault"
	"petschaft/internal/text"
)

// Decision is what an officer says about an order as they saw it.
type Decision struct {
	Version int    // of the order that was looked at
	Reason  string // for the contact
}

// longestReason bounds it, in characters.
const longestReason = 2000

func (d *Decision) check() error {
	var bad fault.Fields
	if d.Reason = text.Lines(d.Reason); d.Reason == "" {
		bad.Add("reason", "field.required")
	} else if utf8.RuneCountInString(d.Reason) > longestReason {
		bad.Add("reason", "field.too_long", "max", longestReason)
	}
	return bad.Err()
}
