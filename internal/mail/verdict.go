package mail

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Stage is how far a conversation had come when the server said no (RFC 5321, 3).
type Stage string

const (
	AtDoor      Stage = "door"      // connection, EHLO, STARTTLS or AUTH: no letter was offered yet
	AtSender    Stage = "sender"    // MAIL
	AtRecipient Stage = "recipient" // RCPT
	AtContent   Stage = "content"   // DATA, or the end of the mail
	AtBounce    Stage = "bounce"    // a server after ours, in a mail that came back (RFC 3464)
)

// Verdict is whom a refusal is about.
type Verdict string

const (
	Later Verdict = "later" // neither: the same letter is tried until Patience ends
	Dead  Verdict = "dead"  // the address: no later attempt would help
	Shut  Verdict = "shut"  // the portal or its relay: no letter at all is taken
)

// dead are the enhanced codes that say of an address, at whatever stage after
// the sender, that no mail will ever reach it (RFC 3463, 3.2 and 3.3; 5.1.10 is
// a null MX, RFC 7505).
var dead = map[string]bool{
	"5.1.1": true, "5.1.2": true, "5.1.3": true, "5.1.6": true, "5.1.10": true, "5.2.1": true,
}

// Judge tells whom a refusal is about: code is the reply's, 0 where a bounce
// names none, status its enhanced code or empty. A server may keep what it has
// against the client or the sender until RCPT, or the end of the mail, so there
// only what names the address is held against it.
func Judge(at Stage, code int, status string) Verdict {
	switch {
	case code < 500 && (at != AtBounce || code != 0):
		return Later
	case at == AtDoor || at == AtSender:
		return Shut
	case dead[status]:
		return Dead
	case at == AtRecipient && status == "5.4.1": // Exchange Online's word for an unknown user
		return Dead
	case at == AtRecipient && status == "" && (code == 550 || code == 551 || code == 553):
		return Dead
	}
	return Later
}

// Refusal is a mail server's no to one mail, or why no mail could be made of a
// letter. Its Error holds the codes only, so that logs and job errors name no
// address.
type Refusal struct {
	Stage  Stage
	Code   int    // RFC 5321, 4.2; 0: never offered, no mail can be made of it
	Status string // the enhanced code (RFC 3463), if the server said one of the reply's class
	Answer string // the server's words without the recipient, one line, at most 300 characters
}

// Unwritable is the refusal of a letter that nobody can make a mail of.
func Unwritable(err error) *Refusal { return &Refusal{Answer: err.Error()} }

// Verdict is Judge's. What was never offered will not become a mail later.
func (r *Refusal) Verdict() Verdict {
	if r.Code == 0 {
		return Dead
	}
	return Judge(r.Stage, r.Code, r.Status)
}

// key is the code by which refusals are alike: the enhanced one, else the reply's.
func (r *Refusal) key() string {
	if r.Status != "" {
		return r.Status
	}
	return strconv.Itoa(r.Code)
}

func (r *Refusal) Error() string {
	if r.Code == 0 {
		return "not a mail: " + r.Answer
	}
	return strings.TrimSpace(fmt.Sprintf("mail refused (%s): %d %s", r.Stage, r.Code, r.Status))
}

var enhanced = regexp.MustCompile(`(?m)^([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t\r]|$)`)

// statusIn is the enhanced code at the beginning of a line of the server's
// words, if it fits the reply's code (RFC 2034, 4).
func statusIn(code int, words string) string {
	m := enhanced.FindStringSubmatch(words)
	if m == nil || int(m[1][0]-'0') != code/100 {
		return ""
	}
	return m[1]
}
