package sheet

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// texts are those that the sheets of a book share, one behind the other.
type texts struct {
	all  []byte
	ends []uint32
}

func (t *texts) add(s string) error {
	if len(t.ends) == maxTexts || len(t.all)+len(s) > MaxInflated/2 {
		return tooLarge()
	}
	t.all = append(t.all, s...)
	t.ends = append(t.ends, uint32(len(t.all)))
	return nil
}

func (t *texts) at(i int) string {
	if i < 0 || i >= len(t.ends) {
		return ""
	}
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return string(t.all[from:t.ends[i]])
}

// readTexts reads the shared texts (ECMA-376-1, 18.4), without the help to
// pronounce them.
func (b *book) readTexts(name string) error {
	var text content
	in, phonetic := false, false
	return b.walk(name, func(t xml.Token) error {
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "t":
				in = !phonetic
			case "rPh":
				phonetic = true
			}
		case xml.CharData:
			if in {
				text.add(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "t":
				in = false
			case "rPh":
				phonetic = false
			case "si":
				return b.texts.add(unescaped(text.take()))
			}
		}
		return nil
	})
}

// unescaped is s without the way in which texts write what XML cannot hold,
// "_x000D_" (ECMA-376-1, 22.4.2.4).
func unescaped(s string) string {
	const width = len("_x000D_")
	for i := 0; ; {
		n := strings.Index(s[i:], "_x")
		if n < 0 || len(s) < i+n+width {
			return s
		}
		i += n
		code, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil || s[i+6] != '_' {
			i++
			continue
		}
		letter := string(rune(code))
		s = s[:i] + letter + s[i+width:]
		i += len(letter)
	}
}

// maxStyles is more than Excel has.
const maxStyles = 1 << 16

// readStyles finds out which styles show a number as a date (ECMA-376-1, 18.8).
func (b *book) readStyles(name string) error {
	own := map[string]bool{} // formats of the book
	in := false
	return b.walk(name, func(t xml.Token) error {
		switch e := t.(type) {
		case xml.StartElement:
			switch {
			case e.Name.Local == "numFmt" && len(own) < maxStyles:
				own[attr(e, "numFmtId")] = dated(attr(e, "formatCode"))
			case e.Name.Local == "cellXfs":
				in = true
			case e.Name.Local == "xf" && in:
				if len(b.dates) == maxStyles {
					return tooLarge()
				}
				id := attr(e, "numFmtId")
				is, known := own[id]
				b.dates = append(b.dates, is || !known && builtInDate(id))
			}
		case xml.EndElement:
			if e.Name.Local == "cellXfs" {
				return errStop
			}
		}
		return nil
	})
}

// builtInDate tells the formats that every book has (ECMA-376-1, 18.8.30).
func builtInDate(id string) bool {
	n, err := strconv.Atoi(id)
	return err == nil && (14 <= n && n <= 22 || 27 <= n && n <= 36 || 45 <= n && n <= 47 || 50 <= n && n <= 58)
}

// dated tells whether a format has days, months, years, hours or seconds.
func dated(code string) bool {
	code, _, _ = strings.Cut(code, ";")
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '\\', '_', '*':
			i++
		case '"', '[':
			end := map[byte]byte{'"': '"', '[': ']'}[code[i]]
			n := strings.IndexByte(code[i+1:], end)
			if n < 0 {
				return false
			}
			i += n + 1
		case 'd', 'D', 'm', 'M', 'y', 'Y', 'h', 'H', 's', 'S':
			return true
		}
	}
	return false
}

// date is the day of a serial number, with the time if it has one.
func (b *book) date(s string) string {
	const day = 24 * 60 * 60
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || n < 0 || n >= 2958466 { // behind the year 9999
		return s
	}
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case b.mac:
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case n >= 1 && n < 60: // before the 29 February 1900 that Excel believes in
		n++
	}
	seconds := int(math.Round(n * day))
	when := first.AddDate(0, 0, seconds/day).Add(time.Duration(seconds%day) * time.Second)
	switch {
	case seconds%day == 0:
		return when.Format(time.DateOnly)
	case seconds < day && !b.mac:
		return when.Format(time.TimeOnly)
	}
	return when.Format(time.DateTime)
}

// number is s as Excel shows it: fifteen digits, and no exponent.
func number(s string) string {
	s = strings.TrimSpace(s)
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(n) >= 1e15 || n != 0 && math.Abs(n) < 1e-9 {
		return s
	}
	short, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64)
	return strconv.FormatFloat(short, 'f', -1, 64)
}
