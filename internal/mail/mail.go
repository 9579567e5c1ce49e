// Package mail holds the words of every mail the portal sends, the kept SMTP
// connections that carry them, and the outbox for mails whose outcome nobody
// waits for. It decides how a letter looks, which answers of a mail server are
// final, when the next attempt is due, and when the whole queue is held. It never
// decides who is to be written to, never makes or stores a link token, and never
// writes to an address other than the one it was given.
package mail

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Letter is one mail, ready to be sent.
type Letter struct {
	To        string // bare address, written exactly like this to header and envelope
	Subject   string
	Text      string
	HTML      string
	MessageID string // with its angle brackets; empty: Send makes one
}

// Patience is how long a mail is tried before it counts as not sent.
const Patience = 48 * time.Hour

var pauses = [...]time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}

// Backoff is the pause after the attempt of that number, counted from 1: one
// minute, five, thirty, then two hours each time. Within Patience that makes
// fewer than Attempts.
func Backoff(attempt int) time.Duration {
	return pauses[min(max(attempt, 1), len(pauses))-1]
}

// Attempts bounds the runs of one job that sends a mail. It only ends a job
// that keeps dying before it can look at Patience.
const Attempts = 60

const (
	longestAnswer = 300
	longestName   = 100
)

// answer makes the server's words fit for a row: without the recipient, on
// one line, bounded.
func answer(words, recipient string) string {
	for at := indexFold(words, recipient); at >= 0; at = indexFold(words, recipient) {
		head, tail := words[:at], words[at+len(recipient):]
		if strings.HasSuffix(head, "<") && strings.HasPrefix(tail, ">") {
			head, tail = head[:len(head)-1], tail[1:]
		}
		words = head + "…" + tail
	}
	return oneLine(words, longestAnswer)
}

// indexFold is strings.Index without ASCII case; sub is ASCII.
func indexFold(s, sub string) int {
	if sub == "" {
		return -1
	}
	for i := 0; i+len(sub) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}

// oneLine makes s printable, without line breaks, invisible marks or runs of
// blanks, and at most limit characters long.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit-1]) + "…"
	}
	return s
}
