package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"petschaft/internal/fault"
	"petschaft/internal/sheet"
	"petschaft/internal/text"
)

const (
	// previewRows is how many rows a preview shows.
	previewRows = 10
	// tops is how many records are looked at for the headings.
	tops = 20
)

// Reading is how a file is to be understood: Columns has one Field for each
// heading. HeaderLine is where they stand, 0: on the first line.
type Reading struct {
	Format     sheet.Format
	HeaderLine int
	Columns    []Field
}

// Wish is how a program wants its file to be read. What it leaves empty is
// recognised; a byte order mark counts more than Encoding. A workbook has
// neither encoding nor separator.
type Wish struct {
	Encoding   sheet.Encoding
	Separator  rune
	HeaderLine int
	Columns    []Field
}

// Preview is the beginning of a file read in some format.
type Preview struct {
	Top        []sheet.Record // as it begins, to look for the headings in
	HeaderLine int
	Header     []string
	Columns    []Field // as guessed from the header
	Rows       [][]string
}

// recognise finds the headings of an uploaded file: on the line that somebody
// wished, else where an address has a heading.
func (b *Book) recognise(ctx context.Context, id ID, f sheet.Format, wished int) (line int, header []string, err error) {
	var bad fault.Fields
	if wished > 0 {
		rec, err := readHeader(b.reader(ctx, id, f), wished)
		if err == io.EOF {
			bad.Add("header_line", "mailbox.import.header_line", "line", wished)
			return 0, nil, bad.Err()
		}
		return wished, rec, err
	}
	top, err := b.reader(ctx, id, f).Top(tops)
	if err != nil {
		return 0, nil, fmt.Errorf("look for headings: %w", err)
	}
	if len(top) == 0 {
		bad.Add("file", "mailbox.import.empty")
		return 0, nil, bad.Err()
	}
	rec := guessHeader(top)
	return rec.Line, headingsOf(rec), nil
}

func (b *Book) reader(ctx context.Context, id ID, f sheet.Format) *sheet.Reader {
	return sheet.NewReader(&file{ctx: ctx, q: b.DB, id: id}, f)
}

// guessHeader is the first record that has a heading for the address of a row,
// else the first one.
func guessHeader(top []sheet.Record) sheet.Record {
	for _, rec := range top {
		if keyed(guessColumns(headingsOf(rec))) {
			return rec
		}
	}
	return top[0]
}

// keyed tells whether columns say which row a line is about.
func keyed(columns []Field) bool {
	return slices.Contains(columns, FieldPrimary) || slices.Contains(columns, FieldProxies)
}

// readHeader reads on to the headings. A line that is not readable is told by
// its number and what is wrong with it; the *sheet.LineError is the cause.
func readHeader(r *sheet.Reader, line int) ([]string, error) {
	rec, err := r.Header(line)
	if wrong, ok := errors.AsType[*sheet.LineError](err); ok {
		var bad fault.Fields
		bad.Add("header_line", "mailbox.import.header_unreadable", "line", wrong.Line)
		bad.Add("header_line", wrong.ID, wrong.Args...)
		return nil, fault.Of(bad.Err()).Because(wrong)
	}
	return headingsOf(rec), err
}

func headingsOf(rec sheet.Record) []string {
	header := make([]string, len(rec.Cells))
	for i, c := range rec.Cells {
		header[i] = text.Line(c)
	}
	return header
}

// Preview returns the first rows of the file under the format f, below the
// headings on line; 0: where they are guessed to be.
func (b *Book) Preview(ctx context.Context, im Import, f sheet.Format, line int) (Preview, error) {
	top, err := b.reader(ctx, im.ID, f).Top(tops)
	if err != nil {
		return Preview{}, fmt.Errorf("preview import %d: %w", im.ID, err)
	}
	p := Preview{Top: top, HeaderLine: line}
	if line == 0 && len(top) > 0 {
		p.HeaderLine = guessHeader(top).Line
	}
	r := b.reader(ctx, im.ID, f)
	p.Header, err = readHeader(r, p.HeaderLine)
	if wrong, ok := errors.AsType[*sheet.LineError](err); ok {
		p.Header = []string{text.Line(wrong.Text)}
	} else if err != nil && err != io.EOF {
		return Preview{}, fmt.Errorf("preview import %d: %w", im.ID, err)
	}
	p.Columns = guessColumns(p.Header)
	below, err := r.Top(previewRows)
	if err != nil {
		return Preview{}, fmt.Errorf("preview import %d: %w", im.ID, err)
	}
	for _, rec := range below {
		p.Rows = append(p.Rows, rec.Cells)
	}
	return p, nil
}
