package mail

import (
	"strings"
	"testing"
)

// TestARefusalIsHeldAgainstAnAddressOnlyIfItNamesIt: the whole table. A server
// that puts off its no (Postfix does by default) says at RCPT or DATA what it
// has against the client, the sender, the relaying or the size.
func TestARefusalIsHeldAgainstAnAddressOnlyIfItNamesIt(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"} {
		for at, want := range map[Stage]Verdict{AtDoor: Shut, AtSender: Shut, AtRecipient: Dead, AtContent: Dead, AtBounce: Dead} {
			judged(t, at, 550, status, want)
		}
		judged(t, AtBounce, 0, status, Dead)
		judged(t, AtRecipient, 450, status, Later)
	}
	for _, status := range []string{
		"5.0.0", "5.1.0", "5.1.4", "5.1.5", "5.1.7", "5.1.8", "5.1.9", "5.2.0", "5.2.2", "5.2.3", "5.3.0", "5.3.4", "5.4.0", "5.4.4", "5.5.1", "5.5.2",
		"5.6.0", "5.7.0", "5.7.1", "5.7.26", "5.7.606", "5.7.708",
	} {
		for at, want := range map[Stage]Verdict{AtDoor: Shut, AtSender: Shut, AtRecipient: Later, AtContent: Later, AtBounce: Later} {
			judged(t, at, 550, status, want)
			judged(t, at, 554, status, want)
		}
	}
	for at, want := range map[Stage]Verdict{AtRecipient: Dead, AtContent: Later, AtBounce: Later, AtSender: Shut} {
		judged(t, at, 550, "5.4.1", want)
	}
	for code, want := range map[int]Verdict{550: Dead, 551: Dead, 553: Dead, 500: Later, 503: Later, 504: Later, 521: Later, 552: Later, 554: Later, 555: Later, 556: Later, 450: Later, 421: Later} {
		judged(t, AtRecipient, code, "", want)
		judged(t, AtContent, code, "", Later)
	}
	for _, at := range []Stage{AtDoor, AtSender} {
		judged(t, at, 421, "4.7.0", Later)
		judged(t, at, 454, "", Later)
		judged(t, at, 535, "5.7.8", Shut)
		judged(t, at, 554, "", Shut)
	}
}

func judged(t *testing.T, at Stage, code int, status string, want Verdict) {
	t.Helper()
	if got := Judge(at, code, status); got != want {
		t.Errorf("%s %d %q: got %s, want %s", at, code, status, got, want)
	}
}

func TestTheEnhancedCodeIsReadFromTheServersWords(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"5.1.1 no such user": "5.1.1", "5.1.10": "5.1.10", "first line\n5.1.1 second": "5.1.1", "5.1.1\tno": "5.1.1",
		"no such user": "", "4.1.1 not the class of the reply": "", "2.1.1 fine": "", "code 5.1.1 in between": "", "5.1.1.2 is no code": "",
		"5.1 no": "", "5.1.1234 no": "", "5.1.1no": "", "": "",
	} {
		if got := statusIn(550, words); got != want {
			t.Errorf("%q: got %q, want %q", words, got, want)
		}
	}
}

// stations are where a server says no, and the verdict on a 5.7.1 and on a bare
// 550 there.
var stations = map[string]struct {
	stage       Stage
	coded, bare Verdict
}{
	"":     {AtDoor, Shut, Shut},
	"EHLO": {AtDoor, Shut, Shut},
	"AUTH": {AtDoor, Shut, Shut},
	"MAIL": {AtSender, Shut, Shut},
	"RCPT": {AtRecipient, Later, Dead},
	"DATA": {AtContent, Later, Later},
	".":    {AtContent, Later, Later},
}

// TestAServerMaySayNoAnywhere, in one line or in several, with an enhanced code
// or without.
func TestAServerMaySayNoAnywhere(t *testing.T) {
	t.Parallel()
	for command, at := range stations {
		for no, want := range map[string]struct {
			Refusal
			verdict Verdict
		}{
			"550 5.7.1 kim@uni.example: no":                 {Refusal{at.stage, 550, "5.7.1", "5.7.1 kim@uni.example: no"}, at.coded},
			"550-5.7.1 first\r\n550 5.7.1 second":           {Refusal{at.stage, 550, "5.7.1", "5.7.1 first 5.7.1 second"}, at.coded},
			"550-look here\r\n550-5.7.1 blocked\r\n550 bye": {Refusal{at.stage, 550, "5.7.1", "look here 5.7.1 blocked bye"}, at.coded},
			"550 no":                 {Refusal{at.stage, 550, "", "no"}, at.bare},
			"550-no\r\n550 not here": {Refusal{at.stage, 550, "", "no not here"}, at.bare},
			"550 4.7.1 no":           {Refusal{at.stage, 550, "", "4.7.1 no"}, at.bare},
			"454 4.7.0 later":        {Refusal{at.stage, 454, "4.7.0", "4.7.0 later"}, Later},
			"450 later":              {Refusal{at.stage, 450, "", "later"}, Later},
		} {
			t.Run(command+" "+strings.ReplaceAll(no, "\r\n", " "), func(t *testing.T) {
				t.Parallel()
				_, err := newSender(t, Config{URL: refusing(t, command, no)}).Send(t.Context(), letterTo("kim@uni.example"))
				got := refusal(t, err)
				words := want.Answer
				if at.stage != AtDoor {
					words = strings.ReplaceAll(words, "kim@uni.example", "…")
				}
				if got.Stage != want.Stage || got.Code != want.Code || got.Status != want.Status || got.Answer != words {
					t.Errorf("got %+v, want %+v with the words %q", *got, want.Refusal, words)
				}
				if v := got.Verdict(); v != want.verdict {
					t.Errorf("got the verdict %s, want %s", v, want.verdict)
				}
				if strings.Contains(err.Error(), "kim@") || strings.Contains(err.Error(), "blocked") {
					t.Errorf("got error %q, want no address and no server words in what is logged", err)
				}
			})
		}
	}
}

// refusing is a server that answers one command ("": the connection) with no.
func refusing(t testing.TB, command, no string) (url string) {
	greeting := "220 mx.example ESMTP"
	if command == "" {
		greeting = no
	}
	url = script(t, greeting, func(said string) string {
		switch {
		case said == command, command == "EHLO" && said == "HELO":
			return no
		case said == "EHLO":
			return "250-mx.example\r\n250 AUTH PLAIN"
		case said == "AUTH":
			return "235 2.7.0 fine"
		case said == "DATA":
			return "354 go on"
		}
		return "250 OK"
	})
	return strings.Replace(url, "smtp://", "smtp://kim:secret@", 1)
}
