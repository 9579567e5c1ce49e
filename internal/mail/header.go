package mail

import (
	"fmt"
	netmail "net/mail"
	"strings"
)

// columnsOfHeader is where lines of a header break (RFC 2047, 2).
const columnsOfHeader = 76

// folded is text as it stands behind the name of a header: as it is where it is
// ASCII and fits on the line, else in encoded words (RFC 2047), the first of them
// on the first line.
func folded(name, text string) string {
	at := len(name) + len(": ")
	if at+len(text) <= columnsOfHeader && strings.IndexFunc(text, func(r rune) bool { return r >= 0x7f }) < 0 {
		return text
	}
	return inWords(at, text)
}

// sender is an address with its display name behind "From: ".
func sender(a *netmail.Address) string {
	one := a.String()
	if a.Name == "" || !strings.Contains(one, "=?") && len("From: ")+len(one) <= columnsOfHeader {
		return one
	}
	return inWords(len("From: "), a.Name) + "\r\n <" + a.Address + ">"
}

// inWords writes text in encoded words that begin in column at. Blanks stand in
// the words, since those between two words do not count.
func inWords(at int, text string) string {
	const begin, end = "=?UTF-8?q?", "?="
	b := &strings.Builder{}
	b.WriteString(begin)
	at += len(begin)
	for _, r := range text {
		q := quoted(r)
		if at+len(q)+len(end) > columnsOfHeader {
			b.WriteString(end + "\r\n " + begin)
			at = len(" " + begin)
		}
		b.WriteString(q)
		at += len(q)
	}
	return b.String() + end
}

// quoted is one character in an encoded word, fit for any header (RFC 2047, 5).
func quoted(r rune) string {
	switch {
	case r == ' ':
		return "_"
	case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
		return string(r)
	}
	var b strings.Builder
	for _, c := range []byte(string(r)) {
		fmt.Fprintf(&b, "=%02X", c)
	}
	return b.String()
}
