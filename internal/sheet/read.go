package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"petschaft/internal/fault"
)

// window is the most bytes that are looked at to find the end of a record.
const window = 64 << 10

// Reader reads the records of a file one by one. It skips a byte order mark, a
// line that names the separator ("sep=;") and records without any content, and
// takes guarding apostrophes away. It holds one window of the file.
type Reader struct {
	in     *bufio.Reader
	format Format
	line   int // where the next record begins
	rows   int
	cells  cells
	end    error // stays once it came
}

// NewReader reads r as a file of format f.
func NewReader(r io.Reader, f Format) *Reader {
	f = f.orDefault()
	return &Reader{in: bufio.NewReaderSize(decoded(&bounded{r: r}, f.Encoding), window), format: f}
}

func decoded(r io.Reader, e Encoding) io.Reader {
	switch e {
	case UTF16LE:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder())
	case UTF16BE:
		return transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder())
	case Windows1252:
		return transform.NewReader(r, charmap.Windows1252.NewDecoder())
	case MacRoman:
		return transform.NewReader(r, charmap.Macintosh.NewDecoder())
	case CP850:
		return transform.NewReader(r, charmap.CodePage850.NewDecoder())
	}
	return r
}

// bounded reads at most MaxBytes and then fails.
type bounded struct {
	r io.Reader
	n int
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += n; b.n > MaxBytes {
		return 0, fault.New(fault.TooLarge, "sheet.too_many_bytes", "max", MaxBytes>>20)
	}
	return n, err
}

// Read returns the next record, and io.EOF after the last. A *LineError is about
// one record, and reading goes on with the next; where a quote is wrong, that is
// the next line of the file, so that no line goes unsaid. Any other error ends
// the file: fault.TooLarge when it is over a limit.
func (r *Reader) Read() (Record, error) {
	for r.end == nil {
		rec, err := r.record()
		if wrong, ok := errors.AsType[*LineError](err); err != nil && !ok {
			r.end = err
		} else if ok || !blank(rec.Cells) {
			if r.rows++; r.rows > MaxRows+1 { // and the header
				r.end = fault.New(fault.TooLarge, "sheet.too_many_rows", "max", MaxRows)
				break
			}
			if ok {
				return Record{}, wrong
			}
			return rec, nil
		}
	}
	return Record{}, r.end
}

// Header reads the heading of a table: the record that begins on line, or the
// first one below it. What stands above it is not looked at.
func (r *Reader) Header(line int) (Record, error) {
	for {
		rec, err := r.Read()
		at := rec.Line
		if wrong, ok := errors.AsType[*LineError](err); ok {
			at = wrong.Line
		} else if err != nil {
			return rec, err
		}
		if at >= line {
			return rec, err
		}
	}
}

// Top reads the records with which a table begins, at most n. One that cannot be
// read has one cell, the beginning of its line.
func (r *Reader) Top(n int) (top []Record, err error) {
	for len(top) < n {
		rec, err := r.Read()
		if wrong, ok := errors.AsType[*LineError](err); ok {
			rec, err = Record{Line: wrong.Line, Cells: []string{wrong.Text}}, nil
		}
		if err == io.EOF {
			return top, nil
		}
		if err != nil {
			return top, err
		}
		top = append(top, rec)
	}
	return top, nil
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(strings.Trim(c, endOfText)) != "" {
			return false
		}
	}
	return true
}

const bom = "\ufeff"

// endOfText is how DOS, and programs that remember it, end a file.
const endOfText = "\x1a"

// begin skips what stands before the first record.
func (r *Reader) begin() error {
	r.line = 1
	head, err := r.in.Peek(len(bom) + len("sep=;\r\n"))
	if err != nil && err != io.EOF {
		return err
	}
	n := 0
	if bytes.HasPrefix(head, []byte(bom)) {
		n = len(bom)
	}
	if _, length := namedSeparator(head[n:]); length > 0 {
		n += length
		r.line++
	}
	r.drop(n)
	return nil
}

// namedSeparator reads the line by which Excel is told the separator, and
// returns how long it is with its line break, 0 when there is none.
func namedSeparator(head []byte) (sep rune, length int) {
	const name = "sep="
	if len(head) <= len(name) || !strings.EqualFold(string(head[:len(name)]), name) || !strings.ContainsRune(";,\t", rune(head[len(name)])) {
		return 0, 0
	}
	length = len(name) + 1
	switch rest := head[length:]; {
	case len(rest) == 0:
	case bytes.HasPrefix(rest, []byte("\r\n")):
		length += 2
	case rest[0] == '\n' || rest[0] == '\r':
		length++
	default:
		return 0, 0
	}
	return rune(head[len(name)]), length
}

// record reads one record, be it blank.
func (r *Reader) record() (Record, error) {
	if r.line == 0 {
		if err := r.begin(); err != nil {
			return Record{}, err
		}
	}
	b, _ := r.in.Peek(r.in.Buffered())
	n, wrong := r.cells.scan(b, byte(r.format.Separator), false)
	if n == 0 && wrong == "" {
		var err error
		if b, err = r.in.Peek(window); err != nil && err != io.EOF {
			return Record{}, err
		}
		if err == io.EOF {
			b = bytes.TrimRight(b, endOfText)
		}
		if len(b) == 0 {
			return Record{}, io.EOF
		}
		if n, wrong = r.cells.scan(b, byte(r.format.Separator), err == io.EOF); n == 0 && wrong == "" {
			wrong = "sheet.line_too_long"
		}
	}
	if wrong != "" {
		return Record{}, r.skip(b, wrong)
	}
	rec, err := r.take(b[:n])
	if r.line++; r.format.Encoding != Workbook {
		r.line += breaks(b[:n]) - 1
	}
	r.drop(n)
	return rec, err
}

// take makes the record of the cells just scanned, which b holds, unless they
// break a rule.
func (r *Reader) take(b []byte) (Record, error) {
	cells := r.cells.strings()
	if (r.format.Encoding == UTF8 || r.format.Encoding == Workbook) && !utf8.Valid(b) {
		return Record{}, r.wrong("sheet.not_utf8", b)
	}
	for i, c := range cells {
		cells[i] = Unguard(c)
		switch {
		case len(cells[i]) > MaxField && utf8.RuneCountInString(cells[i]) > MaxField:
			return Record{}, r.wrong(cellTooLong, b)
		case strings.IndexByte(c, 0) >= 0:
			return Record{}, r.wrong("sheet.nul", b)
		case strings.ContainsRune(c, utf8.RuneError):
			return Record{}, r.wrong("sheet.unreadable", b)
		}
	}
	return Record{Line: r.line, Cells: cells}, nil
}

// skip leaves the line on which a wrong record begins, of which b is what has
// been looked at.
func (r *Reader) skip(b []byte, id string) error {
	wrong := r.wrong(id, b)
	r.line++
	for {
		if n := lineEnd(b); n > 0 {
			r.drop(n)
			return wrong
		}
		r.drop(len(bytes.TrimSuffix(b, []byte("\r")))) // the return may be half of a line break
		var err error
		if b, err = r.in.Peek(window); err == io.EOF && lineEnd(b) == 0 {
			r.drop(len(b))
			return wrong
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
}

// What a record has too much of, as message ids.
const (
	cellTooLong  = "sheet.cell_too_long"
	tooManyCells = "sheet.too_many_cells"
)

// wrong says that the record that begins with b cannot be read.
func (r *Reader) wrong(id string, b []byte) *LineError {
	e := &LineError{Line: r.line, ID: id, Text: beginning(b)}
	switch id {
	case cellTooLong:
		e.Args = []any{"max", MaxField}
	case tooManyCells:
		e.Args = []any{"max", MaxCells}
	}
	return e
}

// drop goes on behind n bytes that were peeked at, which cannot fail.
func (r *Reader) drop(n int) { _, _ = r.in.Discard(n) }
