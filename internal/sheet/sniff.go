package sheet

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// HeadBytes is how much of a file Sniff wants to see.
const HeadBytes = 64 << 10

// Sniff tells the format of a file by its first HeadBytes, or all of it when it
// is shorter. A byte order mark and a line "sep=;" decide; without them, what is
// not UTF-8 is Windows-1252, and the separator is the one by which most records
// have as many cells as the first. A file of one column gets the semicolon.
func Sniff(head []byte) Format {
	f := Format{sniffEncoding(head), ';'}
	start := make([]byte, 16)
	n, _ := io.ReadFull(decoded(bytes.NewReader(head), f.Encoding), start)
	if sep, length := namedSeparator(bytes.TrimPrefix(start[:n], []byte(bom))); length > 0 {
		f.Separator = sep
		return f
	}
	best := weight{}
	for _, sep := range [...]rune{'\t', ';', ','} { // in texts a comma is frequent, a tab is not
		if w := weigh(head, Format{f.Encoding, sep}); w.over(best) {
			f.Separator, best = sep, w
		}
	}
	return f
}

func sniffEncoding(head []byte) Encoding {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return UTF16LE
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return UTF16BE
	case utf8.Valid(whole(head)):
		return UTF8
	}
	return Windows1252
}

// whole is head without half a letter at its end, where it was cut.
func whole(head []byte) []byte {
	if len(head) < HeadBytes {
		return head
	}
	for i := len(head) - 1; i > len(head)-utf8.UTFMax; i-- {
		if utf8.RuneStart(head[i]) {
			if !utf8.FullRune(head[i:]) {
				return head[:i]
			}
			break
		}
	}
	return head
}

// weight is what speaks for a separator.
type weight struct {
	agree int // of a thousand records, those with as many cells as the first
	cells int // of the first
}

func (w weight) over(o weight) bool {
	return w.cells > 1 && (w.agree > o.agree || w.agree == o.agree && w.cells > o.cells)
}

func weigh(head []byte, f Format) weight {
	const enough = 100
	var lengths []int
	w, r := weight{}, NewReader(bytes.NewReader(head), f)
	for len(lengths) < enough {
		rec, err := r.Read()
		if r.end != nil {
			break
		}
		if len(lengths) == 0 && err == nil {
			w.cells = separate(rec.Cells)
		}
		lengths = append(lengths, len(rec.Cells))
	}
	if n := len(lengths); r.end != nil && len(head) >= HeadBytes && n > 1 {
		lengths = lengths[:n-1] // the cut went through it
	}
	for _, n := range lengths {
		if n == lengths[0] {
			w.agree += 1000
		}
	}
	w.agree /= max(1, len(lengths))
	return w
}

// separate counts cells but those that begin with a blank: "Name, Vorname" is
// one heading.
func separate(cells []string) (n int) {
	for _, c := range cells {
		if !strings.HasPrefix(c, " ") {
			n++
		}
	}
	return n
}
