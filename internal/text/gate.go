package text

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"petschaft/internal/fault"
)

// Valid tells whether s may come in at all: UTF-8 (RFC 3629) without NUL, which
// is what a text column can hold.
func Valid(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// What no request may hold, where it is the request that is malformed.
var (
	ErrAddress    = fault.New(fault.Invalid, "text.address")
	ErrForm       = fault.New(fault.Invalid, "text.form")
	ErrJSON       = fault.New(fault.Invalid, "text.json")
	ErrJSONEscape = fault.New(fault.Invalid, "text.json_escape")
)

// Address refuses an address whose path or query is no text when it is decoded.
func Address(u *url.URL) error {
	if !Valid(u.Path) || !validForm(u.Query()) {
		return ErrAddress
	}
	return nil
}

// Form refuses a form that was read where a name, a value or the name of a file
// is no text: ErrForm.
func Form(r *http.Request) error {
	ok := validForm(r.Form)
	if r.MultipartForm != nil {
		for name, files := range r.MultipartForm.File {
			ok = ok && Valid(name)
			for _, f := range files {
				ok = ok && Valid(f.Filename)
			}
		}
	}
	if !ok {
		return ErrForm
	}
	return nil
}

// validForm tells whether all names and values of a form are texts.
func validForm(form url.Values) bool {
	for name, values := range form {
		if !Valid(name) {
			return false
		}
		for _, v := range values {
			if !Valid(v) {
				return false
			}
		}
	}
	return true
}

// Headers leaves out of the values of h what is no text. A header is never a
// reason to refuse: programs send them without their people knowing.
func Headers(h http.Header) {
	for name, values := range h {
		for i, v := range values {
			if !Valid(v) {
				h[name][i] = strings.ToValidUTF8(strings.ReplaceAll(v, "\x00", ""), "")
			}
		}
	}
}

var mark = []byte("\xef\xbb\xbf") // the byte order mark

// JSON is b as it is to be read: without a byte order mark, which RFC 8259, 8.1
// lets a reader ignore. A text that is not UTF-8 is refused, and so are escapes
// that stand for no character of a text: NUL, and half a surrogate pair (8.2).
// byte counts from 1, in b.
func JSON(b []byte) ([]byte, error) {
	rest := bytes.TrimPrefix(b, mark)
	before := len(b) - len(rest)
	for at := 0; at < len(rest); {
		r, size := utf8.DecodeRune(rest[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, ErrJSON.With("byte", before+at+1)
		case r == 0:
			return nil, ErrJSONEscape.With("byte", before+at+1)
		case r == '\\':
			if size = escape(rest[at:]); size == 0 {
				return nil, ErrJSONEscape.With("byte", before+at+1)
			}
		}
		at += size
	}
	return rest, nil
}

// escape is how long the escape is that b begins with; 0 when it stands for no
// character of a text. What is no escape at all is left to the reader.
func escape(b []byte) int {
	unit, ok := codeUnit(b)
	switch {
	case !ok:
		return min(2, len(b))
	case unit == 0:
		return 0
	case !utf16.IsSurrogate(unit):
		return 6
	}
	if low, ok := codeUnit(b[6:]); ok && utf16.DecodeRune(unit, low) != utf8.RuneError {
		return 12
	}
	return 0
}

// codeUnit reads \uXXXX.
func codeUnit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var two [2]byte
	_, err := hex.Decode(two[:], b[2:6])
	return rune(two[0])<<8 | rune(two[1]), err == nil
}
