package mail

import "log/slog"

// Why a mail failed for good, as logs and metrics call it.
const (
	WhyAddress = "address" // the server said that the address is dead
	WhyUnsent  = "unsent"  // it could not be handed over within Patience
	WhyLetter  = "letter"  // no mail could be made of it
)

// Gone tells those who watch that a mail failed for good: in the log, without
// the address or the server's words, and to Count.
func (o *Outbox) Gone(a Attempt, why, code string) {
	o.log().Warn("mail failed", "mail", a.what(), "why", why, "code", code)
	if o.Count != nil {
		o.Count(why)
	}
}

// why is why a mail with that fate failed, and by which code.
func (f Fate) why(r *Refusal) (why, code string) {
	switch {
	case f.Unsent && r == nil:
		return WhyUnsent, ""
	case f.Unsent:
		return WhyUnsent, r.key()
	case r.Code == 0:
		return WhyLetter, ""
	}
	return WhyAddress, r.key()
}

func (o *Outbox) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}
