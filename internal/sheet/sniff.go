package sheet

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// HeadBytes is how much of a file tells its separator.
const HeadBytes = 64 << 10

// Sniffer tells the format of a file that it is shown piece by piece, from the
// beginning to the end: the first letter that is no UTF-8 may stand anywhere.
type Sniffer struct {
	head    []byte
	cut     []byte // the beginning of a letter, with which the last piece ended
	letters int    // sequences of more than one byte that are UTF-8
	odd     int    // bytes that belong to none
}

// Write looks at the next piece of the file; it never fails.
func (s *Sniffer) Write(p []byte) (int, error) {
	n := len(p)
	s.head = append(s.head, p[:min(n, HeadBytes-len(s.head))]...)
	if len(s.cut) > 0 {
		p = append(s.cut, p...)
		s.cut = nil
	}
	for i := 0; i < len(p); {
		if p[i] < utf8.RuneSelf {
			i++
			continue
		}
		if !utf8.FullRune(p[i:]) {
			s.cut = bytes.Clone(p[i:])
			break
		}
		_, size := utf8.DecodeRune(p[i:])
		if size == 1 {
			s.odd++
		} else {
			s.letters++
		}
		i += size
	}
	return n, nil
}

// Format is the format of what was shown. A byte order mark decides, then
// declared, if it is not empty. Without them a file is UTF-8 as long as no more
// bytes break its rules than letters keep them: these lines are at fault. Other
// files are Windows-1252. A line "sep=;" names the separator; else it is the one
// by which most records have as many cells as the heading, which may stand below
// a title. A file of one column gets the semicolon.
func (s *Sniffer) Format(declared Encoding) Format {
	f := Format{s.encoding(declared), ';'}
	start := make([]byte, 16)
	n, _ := io.ReadFull(decoded(bytes.NewReader(s.head), f.Encoding), start)
	if sep, length := namedSeparator(bytes.TrimPrefix(start[:n], []byte(bom))); length > 0 {
		f.Separator = sep
		return f
	}
	f.Separator = s.separator(f.Encoding)
	return f
}

// Sniff is the format of a whole file.
func Sniff(file []byte) Format {
	var s Sniffer
	_, _ = s.Write(file)
	return s.Format("")
}

func (s *Sniffer) encoding(declared Encoding) Encoding {
	switch {
	case bytes.HasPrefix(s.head, []byte("\xff\xfe")):
		return UTF16LE
	case bytes.HasPrefix(s.head, []byte("\xfe\xff")):
		return UTF16BE
	case bytes.HasPrefix(s.head, []byte(bom)):
		return UTF8
	case declared != "":
		return declared
	}
	if e := wide(s.head); e != "" {
		return e
	}
	if s.odd+len(s.cut) > s.letters {
		return Windows1252
	}
	return UTF8
}

// wide tells UTF-16 without a byte order mark: of most characters one half, and
// always the same, is zero.
func wide(head []byte) Encoding {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	most := len(head) / 4
	switch {
	case zeros[1] > most && zeros[0] == 0:
		return UTF16LE
	case zeros[0] > most && zeros[1] == 0:
		return UTF16BE
	}
	return ""
}

// weight is what speaks for a separator.
type weight struct {
	agree int // of a thousand records, those with as many cells as the heading
	cells int // of the heading
}

func (w weight) over(o weight) bool {
	return w.cells > 1 && (w.agree > o.agree || w.agree == o.agree && w.cells > o.cells)
}

// titles is how many records may stand above the heading.
const titles = 4

// separator looks for a heading further below only where the first record makes
// no table.
func (s *Sniffer) separator(e Encoding) rune {
	seps := [...]rune{'\t', ';', ','} // in texts a comma is frequent, a tab is not
	tables := make([]table, len(seps))
	for i, sep := range seps {
		tables[i] = s.table(Format{e, sep})
	}
	found, best := ';', weight{}
	for above := 0; above <= titles && best.agree < 500; above++ {
		for i, sep := range seps {
			if w := tables[i].weigh(above); w.over(best) {
				found, best = sep, w
			}
		}
	}
	return found
}

// table is how many cells the first records have.
type table struct {
	lengths  []int
	headings []int // of those that may be the heading, the cells that are one
}

func (s *Sniffer) table(f Format) (t table) {
	const enough = 100
	r := NewReader(bytes.NewReader(s.head), f)
	for len(t.lengths) < enough {
		rec, err := r.Read()
		if r.end != nil {
			break
		}
		n := 0
		if err == nil {
			n = separate(rec.Cells)
		}
		t.headings = append(t.headings, n)
		t.lengths = append(t.lengths, len(rec.Cells))
	}
	if n := len(t.lengths); r.end != nil && len(s.head) >= HeadBytes && n > 1 {
		t.lengths = t.lengths[:n-1] // the cut went through it
	}
	return t
}

// weigh is what speaks for t when its heading is below so many records. One
// record alone agrees with itself only where nothing is above it.
func (t table) weigh(above int) (w weight) {
	if above >= len(t.lengths) || above > 0 && above == len(t.lengths)-1 {
		return w
	}
	lengths := t.lengths[above:]
	for _, n := range lengths {
		if n == lengths[0] {
			w.agree += 1000
		}
	}
	w.agree /= len(lengths)
	w.cells = t.headings[above]
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
