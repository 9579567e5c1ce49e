package sheet

import "bytes"

// cells are those of one record, one behind the other.
type cells struct {
	text []byte
	ends []int
}

// scan reads the record at the beginning of b and returns how long it is, with
// its line break; 0 when b ends before the record does. wrong is the message id
// of what makes it no record. Nothing comes behind b when last is true.
func (c *cells) scan(b []byte, sep byte, last bool) (n int, wrong string) {
	c.text, c.ends = c.text[:0], c.ends[:0]
	for i := 0; ; i++ {
		if len(c.ends) == MaxCells {
			return 0, tooManyCells
		}
		if i < len(b) && b[i] == '"' {
			i, wrong = c.quoted(b, i+1, last)
		} else {
			i, wrong = c.plain(b, i, sep)
		}
		if wrong != "" || i < 0 || i == len(b) && !last {
			return 0, wrong
		}
		c.ends = append(c.ends, len(c.text))
		if i == len(b) {
			return i, ""
		}
		switch b[i] {
		case sep:
			continue
		case '\n':
			return i + 1, ""
		case '\r':
			if i+1 < len(b) && b[i+1] == '\n' {
				return i + 2, ""
			}
			if i+1 < len(b) || last {
				return i + 1, ""
			}
			return 0, ""
		}
		return 0, "sheet.stray_quote" // text behind a closing quote
	}
}

// plain reads a cell without quotes from b[i:] and returns where it ends.
func (c *cells) plain(b []byte, i int, sep byte) (end int, wrong string) {
	for end = i; end < len(b); end++ {
		switch b[end] {
		case sep, '\n', '\r':
			c.text = append(c.text, b[i:end]...)
			return end, ""
		case '"':
			return end, "sheet.stray_quote"
		}
	}
	c.text = append(c.text, b[i:]...)
	return end, ""
}

// quoted reads a cell from b[i:], behind its opening quote, and returns where it
// ends, behind its closing one; -1 when that has not come yet.
func (c *cells) quoted(b []byte, i int, last bool) (end int, wrong string) {
	for {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			if last {
				return -1, "sheet.unclosed_quote"
			}
			return -1, ""
		}
		c.text = append(c.text, b[i:i+j]...)
		if i += j + 1; i == len(b) || b[i] != '"' {
			return i, ""
		}
		c.text = append(c.text, '"')
		i++
	}
}

// strings are the cells, cut from one string.
func (c *cells) strings() []string {
	all, from := string(c.text), 0
	out := make([]string, len(c.ends))
	for i, end := range c.ends {
		out[i], from = all[from:end], end
	}
	return out
}
