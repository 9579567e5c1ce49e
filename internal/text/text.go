// Package text decides which characters a text from outside may hold and in
// which form it is kept: valid UTF-8 without NUL, composed (NFC), and free of
// what nobody sees; and how a reference number is written and read. It knows no
// field, no page and no database, and it never judges what a text means.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Line is s as a line is kept and searched for: composed (NFC), every run of
// blanks and line breaks one blank, none at either end, without control
// characters and without what nobody sees (zero-width, soft hyphens, marks that
// turn the direction of writing, fillers, variation selectors). What is not
// UTF-8 is left out; U+FFFD stays and can be seen. Line of a line is the line
// itself; it is empty exactly when s shows nothing.
func Line(s string) string {
	if plain(s) {
		return s
	}
	return strings.Join(strings.Fields(seen(s, false)), " ")
}

// Lines is s as a text of several lines is kept: like Line, but with its line
// breaks (as \n) and its runs of blanks. No line ends in a blank, and the text
// neither begins nor ends with an empty line.
func Lines(s string) string {
	if plain(s) {
		return s
	}
	lines := strings.Split(seen(s, true), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n ")
}

// Word is s as an address, a name of a server or another word for machines is
// read: without blanks at its ends and without what nobody sees. Control
// characters and joiners stay in it, so that whoever reads it refuses them: a
// joiner can make another name (RFC 5892, appendix A).
func Word(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if Invisible(r) && !unicode.In(r, unicode.Cc, unicode.Join_Control) {
			return -1
		}
		return r
	}, s))
}

// plain tells whether s is printable ASCII in which no blank is too many, so
// that it stays as it is.
func plain(s string) bool {
	blank := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && blank {
			return false
		}
		blank = s[i] == ' '
	}
	return s == "" || !blank
}

// mostMarks bounds the marks on one letter. No script needs as many; NFC puts a
// character of its own between more than 30 (UAX #15, stream-safe text).
const mostMarks = 12

// seen leaves out of s what nobody sees, makes every blank a plain one and
// composes the rest. Line breaks stay, as \n, where breaks says so.
func seen(s string, breaks bool) string {
	if breaks {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case breaks && isBreak(r):
			return '\n'
		case isBlank(r):
			return ' '
		case Invisible(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return standing(norm.NFC.String(s))
}

// standing leaves out marks without a letter to stand on, and those that are too
// many on one.
func standing(s string) string {
	marks := mostMarks
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\n':
			marks = mostMarks
		case !unicode.Is(unicode.M, r):
			marks = 0
		case marks == mostMarks:
			return -1
		default:
			marks++
		}
		return r
	}, s)
}

func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == '\u2028' || r == '\u2029'
}

// isBlank: what shows as a blank, and the pattern of Braille without dots.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' || r == '\u2800'
}

// Invisible tells whether r shows nothing and takes no room: a control
// character, or one of those that Unicode wants ignored where they are not
// supported. Signs that stand before a number (U+0600 and the like) are shown.
func Invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
		!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// Odd finds the first character of s that no certificate can carry: one that is
// not printable, or the one that stands for what could not be read (U+FFFD).
// after are the letters before it, at most ten.
func Odd(s string) (r rune, after string, found bool) {
	for i, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			before := []rune(s[:i])
			return r, string(before[max(0, len(before)-10):]), true
		}
	}
	return 0, "", false
}
