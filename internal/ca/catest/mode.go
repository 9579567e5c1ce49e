package catest

import "time"

// Mode is how the server treats a call. Ask and Collect share their modes; what
// stands under "revoking" is for Revoke as well.
type Mode int

const (
	Good      Mode = iota // one certificate for one reference or intent, whoever asks however often; revoking: done
	Slow                  // does it, and answers when Release is called; revoking, too
	Hanging               // never answers, and does nothing; revoking, too
	Twice                 // the answer stands in the body two times; revoking, too
	Forgetful             // signs anew at every Ask, with another serial and under another reference of its own
	OtherKey              // certifies a key of its own
	OtherName             // certifies another address and name
	Broken                // 500, nothing done; revoking, too
	Cut                   // does it, then cuts the connection: the outcome is unknown; revoking, too
	Refusing              // 422, nothing done; revoking, too

	Pending        // later, with a reference; signs after Approve, or as many looks as SignsAfter says; revoking: later
	PendingCut     // the same, and the connection is cut before anybody reads the reference
	Person         // Pending, and says that somebody there has to look; ends by Approve or Decline
	Rejecting      // Pending, and a no at the first look after that
	TooMany        // 429 with Retry-After in seconds, nothing done; revoking, too
	TooManyDate    // the same with a date
	TooManyBare    // the same without figures
	HTML           // 200 with a page that tells of an error, nothing done; revoking, too
	WrongPurpose   // signs for another purpose
	TooLong        // signs for longer than any profile allows
	ExtraName      // a person's name stands in the Subject, also of a mailbox
	LateSerial     // chooses serial and beginning itself
	AlreadyRevoked // revoking: says that it was revoked before
)

// tooMany tells whether m says that too much was asked for.
func (m Mode) tooMany() bool { return m == TooMany || m == TooManyDate || m == TooManyBare }

// waits tells whether m leaves what is asked for to later.
func (m Mode) waits() bool {
	return m == Pending || m == PendingCut || m == Person || m == Rejecting
}

// queue are the modes of the next calls, then always, or what is chosen.
type queue struct {
	next   []Mode
	always Mode
	choose func(intent int64, nth int) Mode
}

func (q *queue) pop(intent int64, nth int) Mode {
	if len(q.next) == 0 && q.choose != nil {
		return q.choose(intent, nth)
	}
	if len(q.next) == 0 {
		return q.always
	}
	m := q.next[0]
	q.next = q.next[1:]
	return m
}

// Always sets the mode of all calls of Ask and Collect to come.
func (s *Server) Always(m Mode) { s.set(func() { s.modes = queue{always: m} }) }

// Next sets the modes of the next calls of Ask and Collect; afterwards the
// authority is as before.
func (s *Server) Next(m ...Mode) { s.set(func() { s.modes.next = append(s.modes.next, m...) }) }

// AlwaysRevoke is Always for Revoke.
func (s *Server) AlwaysRevoke(m Mode) { s.set(func() { s.revoking = queue{always: m} }) }

// NextRevoke is Next for Revoke.
func (s *Server) NextRevoke(m ...Mode) {
	s.set(func() { s.revoking.next = append(s.revoking.next, m...) })
}

// Choose lets f choose the modes of calls of Ask and Collect: it is told the intent,
// and the how manieth call of its kind for that it is, from 1 on. It calls nothing of s.
func (s *Server) Choose(f func(intent int64, nth int) Mode) {
	s.set(func() { s.modes = queue{choose: f} })
}

// ChooseRevoke is Choose for Revoke.
func (s *Server) ChooseRevoke(f func(intent int64, nth int) Mode) {
	s.set(func() { s.revoking = queue{choose: f} })
}

// Approve lets be signed what waits for intent, or will wait.
func (s *Server) Approve(intent int64) { s.set(func() { s.verdicts[intent] = true }) }

// Decline is a no to what waits for intent, or will wait.
func (s *Server) Decline(intent int64) { s.set(func() { s.verdicts[intent] = false }) }

// SignsAfter lets what waits be signed at that many looks; 0, as in the
// beginning: only after Approve.
func (s *Server) SignsAfter(looks int) { s.set(func() { s.looks = looks }) }

// Later sets how long everybody is told to wait; two minutes in the beginning.
func (s *Server) Later(wait time.Duration) { s.set(func() { s.wait = wait }) }

// Clock sets the clock of the server and of clients made from now on.
func (s *Server) Clock(now func() time.Time) { s.set(func() { s.now = now }) }

func (s *Server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}
