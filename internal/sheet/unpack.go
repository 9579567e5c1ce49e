package sheet

import (
	"archive/zip"
	"errors"
	"io"
	"strings"

	"petschaft/internal/fault"
)

// Limits of a workbook besides those of a file.
const (
	MaxInflated = 64 << 20 // bytes of all parts that are read, counted as they come
	MaxParts    = 1000     // entries of the archive
	maxTexts    = 4 << 20  // texts that the sheets of an .xlsx share, MaxInflated/2 bytes together
	maxSheetRow = 1 << 20  // rows of a sheet, as in Excel
)

// Unpack writes the first sheet of a workbook, of those that are not hidden, to
// w, for a Reader of the encoding Workbook. It reads .xlsx (ECMA-376) and .ods
// (ODF 1.2): of formulas the value that was reckoned last, dates as 2027-03-14.
// Blank rows stay, so that a record's line is its row. What is no such workbook
// is fault.Invalid, what is over a limit fault.TooLarge; a failure of r or w
// comes back as it is. It takes less than 100 MiB of memory, whatever r holds.
func Unpack(w io.Writer, r io.ReaderAt, size int64) error {
	src := &source{r: r}
	out := &rows{w: NewWriter(&counted{w: w}, WriterFormat{})}
	err := unpack(out, src, size)
	switch {
	case src.err != nil:
		return src.err
	case out.err != nil:
		return out.err
	case fault.Is(err, fault.TooLarge), fault.Is(err, fault.Invalid):
		return err
	case err != nil:
		return fault.New(fault.Invalid, "sheet.workbook_damaged").Because(err)
	}
	return out.w.Flush()
}

func unpack(out *rows, src *source, size int64) error {
	a, err := openArchive(src, size)
	if err != nil {
		return err
	}
	if a.has("content.xml") {
		return a.ods(out)
	}
	return a.xlsx(out)
}

// source remembers why it could not be read: that is no fault of the workbook.
type source struct {
	r    io.ReaderAt
	left int // bytes that may be read while the archive is opened, below 0: any
	err  error
}

func (s *source) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 { // a directory may say so
		return 0, zip.ErrFormat
	}
	if s.left > 0 {
		if s.left -= len(p); s.left <= 0 {
			return 0, tooLarge()
		}
	}
	n, err := s.r.ReadAt(p, at)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// counted takes no more than a file may have.
type counted struct {
	w io.Writer
	n int
}

func (c *counted) Write(p []byte) (int, error) {
	if c.n += len(p); c.n > MaxBytes {
		return 0, tooLarge()
	}
	return c.w.Write(p)
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "sheet.workbook_too_large", "max", MaxInflated>>20)
}

// rows writes the rows of a sheet.
type rows struct {
	w     *Writer
	line  int // the last one written
	full  int // rows with content
	cells []string
	err   error
}

// put sets a cell of the row; the first column is 0. Those behind MaxCells only
// make the row wrong.
func (o *rows) put(column int, s string) {
	if column = min(column, MaxCells); s == "" {
		return
	}
	for len(o.cells) <= column {
		o.cells = append(o.cells, "")
	}
	o.cells[column] = Unguard(s) // the writer guards it again
}

// end writes the row called line, which is below the last one.
func (o *rows) end(line int) error {
	defer func() { o.cells = o.cells[:0] }()
	if blank(o.cells) {
		return nil
	}
	if line <= o.line || line > maxSheetRow {
		return errors.New("rows are not in order")
	}
	if o.full++; o.full > MaxRows+1 {
		return fault.New(fault.TooLarge, "sheet.too_many_rows", "max", MaxRows)
	}
	for o.line++; o.line < line; o.line++ {
		if err := o.write(); err != nil {
			return err
		}
	}
	return o.write(o.cells...)
}

func (o *rows) write(cells ...string) error {
	if err := o.w.Write(cells...); err != nil {
		if !fault.Is(err, fault.TooLarge) {
			o.err = err
		}
		return err
	}
	return nil
}

// content is the text of a cell as it comes. Of one that is too long it keeps
// enough to be too long even where seven bytes stand for one.
type content struct{ b strings.Builder }

func (c *content) add(s []byte) {
	const enough = 8 * MaxField
	if n := enough - c.b.Len(); n > 0 {
		for len(s) > n && n > 0 && s[n]&0xc0 == 0x80 { // not through a letter
			n--
		}
		c.b.Write(s[:min(n, len(s))])
	}
}

// take is the text, and begins the next.
func (c *content) take() string {
	s := c.b.String()
	c.b.Reset()
	return s
}
