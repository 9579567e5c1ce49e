package sheet

import (
	"bytes"
	"strings"
)

// lineEnd is how long the first line of b is with its line break, 0 when it
// does not surely end in b.
func lineEnd(b []byte) int {
	i := bytes.IndexAny(b, "\r\n")
	switch {
	case i < 0, b[i] == '\r' && i+1 == len(b):
		return 0
	case b[i] == '\r' && b[i+1] == '\n':
		return i + 2
	}
	return i + 1
}

// breaks counts the line breaks of b: CR LF, LF or CR.
func breaks(b []byte) int {
	n := bytes.Count(b, []byte("\n"))
	if cr := bytes.Count(b, []byte("\r")); cr > 0 {
		n += cr - bytes.Count(b, []byte("\r\n"))
	}
	return n
}

// beginning is the first line of b, cut to what a cell may hold, as valid text.
func beginning(b []byte) string {
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		b = b[:i]
	}
	s := strings.ToValidUTF8(string(b[:min(len(b), MaxField-2)]), "\ufffd")
	return strings.ReplaceAll(s, "\x00", "\ufffd")
}
