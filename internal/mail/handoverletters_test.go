package mail

import (
	"strings"
	"testing"
)

// handoverLetters are those about handovers.
func handoverLetters() map[string]func() (Letter, error) {
	cases := map[string]func() (Letter, error){}
	for _, kind := range []HandoverLetter{
		HandoverOffered, HandoverReminder, HandoverAccepted, HandoverDeclined, HandoverCancelled, HandoverExpired, HandoverLocked,
		HandoverTaken, HandoverGiven, ContactAppointed, ContactRelieved,
	} {
		w := HandoverWords{Letter: kind, Reader: Reader{To: "kim.muster@uni.example"}, Organisation: "Botanischer Garten", Giver: "Robin Netz", Successor: "Kim Muster", Tokens: 2, Until: at, Link: link}
		cases[string(kind)] = func() (Letter, error) { return Handover(w) }
		switch kind {
		case HandoverReminder:
			w := w
			w.Accepted = true
			cases["handover_reminder-accepted"] = func() (Letter, error) { return Handover(w) }
		case HandoverGiven:
			w := w
			w.Tokens = 0
			cases["handover_given-no-tokens"] = func() (Letter, error) { return Handover(w) }
		}
	}
	return cases
}

func TestNamesCannotChangeALetterAboutAHandover(t *testing.T) {
	t.Parallel()
	for what, name := range nasty {
		l, err := Handover(HandoverWords{Letter: HandoverOffered, Reader: Reader{To: "kim.muster@uni.example"}, Organisation: name, Giver: name, Successor: name, Until: at, Link: link})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got := strings.Count(l.HTML, "<a href="); got != 1 {
			t.Errorf("%s: got %d links, want the letter's own", what, got)
		}
		if strings.ContainsAny(l.Subject, "\r\n\x00") || strings.Contains(l.Subject, "=?") {
			t.Errorf("%s: got the subject %q", what, l.Subject)
		}
	}
}
