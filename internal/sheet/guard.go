package sheet

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"petschaft/internal/text"
)

// Spreadsheets take a cell that begins like this for a formula, or for a command
// to another program. The last one is the minus sign of mathematics.
const formula = "=+-@\t\r\u2212"

// Guard returns s as a cell that no spreadsheet runs: what begins like a formula
// gets an apostrophe in front. Unguard takes it away again, from every s.
func Guard(s string) string {
	if guardable(s) {
		return "'" + s
	}
	return s
}

// Unguard takes one guarding apostrophe away, if there is one.
func Unguard(s string) string {
	if strings.HasPrefix(s, "'") && guardable(s[1:]) {
		return s[1:]
	}
	return s
}

// guardable tells whether s begins like a formula, or like a guarded one: that
// gets one more apostrophe, or Unguard would take its own. What counts is the
// first character that is seen, in whatever width it is written (NFKC).
func guardable(s string) bool {
	for _, r := range s {
		switch {
		case strings.ContainsRune(formula, r):
			return true
		case r == '\'' || text.Line(string(r)) == "":
			continue
		}
		plain := norm.NFKC.String(string(r))
		return strings.ContainsAny(plain[:1], formula)
	}
	return false
}
