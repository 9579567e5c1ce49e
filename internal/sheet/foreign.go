package sheet

import (
	"bytes"
	"strings"
)

// IsWorkbook tells whether a file that begins with head is one that Unpack may
// be able to read: an archive.
func IsWorkbook(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// signatures are how files begin that hold no text.
var signatures = []string{
	"\x89PNG", "GIF8", "\xff\xd8\xff", "\x1f\x8b", "%PDF", "{\\rtf", "7z\xbc\xaf", "\xfd7zXZ", "\x28\xb5\x2f\xfd", "Rar!", "\x7fELF", "\x00\x00\x01\x00",
}

// markup is how texts begin that hold no table, in lower case.
var markup = []string{"<!doctype", "<html", "<head", "<table", "<?xml", "<svg", "{\"", "[{", "[\"", "-----begin "}

// Foreign is the message id of why a file that begins with head is no table,
// empty where it may be one.
func Foreign(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s)) {
			return "sheet.foreign"
		}
	}
	if bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")) { // also what Office makes of a file with a password
		return "sheet.old_workbook"
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte(bom)), " \t\r\n")
	start := strings.ToLower(string(text[:min(len(text), 16)]))
	for _, m := range markup {
		if strings.HasPrefix(start, m) {
			return "sheet.foreign"
		}
	}
	if !IsWorkbook(head) && controls(head)*20 > len(head) && wide(head) == "" && !marked(head) {
		return "sheet.foreign"
	}
	return ""
}

// marked tells whether head begins with the byte order mark of UTF-16.
func marked(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
}

// controls counts the characters of b that no text has.
func controls(b []byte) (n int) {
	for _, c := range bytes.TrimRight(b, "\x1a") {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' {
			n++
		}
	}
	return n
}
