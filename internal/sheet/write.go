package sheet

import (
	"bufio"
	"io"
	"strings"
)

// WriterFormat is how a file is written, always in UTF-8. German Excel opens
// semicolons with a byte order mark right by a double click. The zero value is
// semicolons without one.
type WriterFormat struct {
	Separator rune
	BOM       bool
}

// Writer writes records that a Reader reads back with the same cells, and that
// no spreadsheet takes for formulas. It streams; Flush ends it.
type Writer struct {
	out *bufio.Writer
	sep byte
}

// NewWriter writes to w in format f.
func NewWriter(w io.Writer, f WriterFormat) *Writer {
	x := &Writer{out: bufio.NewWriterSize(w, 32<<10), sep: byte(Format{Separator: f.Separator}.orDefault().Separator)}
	if f.BOM {
		_, _ = x.out.WriteString(bom) // a failure comes back from Flush
	}
	return x
}

// Write appends one record.
func (w *Writer) Write(cells ...string) error {
	for i, c := range cells {
		if i > 0 {
			_ = w.out.WriteByte(w.sep)
		}
		w.cell(Guard(c))
	}
	_, err := w.out.WriteString("\r\n")
	return err
}

// Flush writes what is still held back and returns the first failure.
func (w *Writer) Flush() error { return w.out.Flush() }

func (w *Writer) cell(s string) {
	if !quotable(s) {
		_, _ = w.out.WriteString(s)
		return
	}
	_ = w.out.WriteByte('"')
	_, _ = w.out.WriteString(strings.ReplaceAll(s, `"`, `""`))
	_ = w.out.WriteByte('"')
}

// quotable tells whether somebody could read s otherwise, if it stood without
// quotes: also where another separator is expected, or blanks are cut off.
func quotable(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		switch s[i] {
		case '"', ';', ',', '\t', '\r', '\n', bom[0]:
			return true
		}
	}
	const name = "sep="
	return s[0] == ' ' || s[len(s)-1] == ' ' || len(s) >= len(name) && strings.EqualFold(s[:len(name)], name)
}
