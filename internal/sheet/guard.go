package sheet

import "strings"

// Spreadsheets take a cell that begins like this for a formula, or for a command
// to another program.
const formula = "=+-@\t\r"

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
// gets one more apostrophe, or Unguard would take its own.
func guardable(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.IndexByte(formula, s[0]) >= 0
}
