package sheet

import (
	"archive/zip"
	"fmt"
	"io"
)

// Parts writes a table of any size as an archive of files that a Reader takes,
// each: with the heading, which is the first record, at most MaxRows others and
// fewer than MaxBytes. It streams; Flush ends it.
type Parts struct {
	zip     *zip.Writer
	name    string // of the files, before their number
	format  WriterFormat
	heading []string
	part    *Writer
	size    *tally
	n, rows int
}

// NewParts writes files called name-1.csv and so on to w, each in format f.
func NewParts(w io.Writer, name string, f WriterFormat) *Parts {
	return &Parts{zip: zip.NewWriter(w), name: name, format: f}
}

// slack is more than a Writer holds back.
const slack = 256 << 10

// Write appends one record, the heading first.
func (p *Parts) Write(cells ...string) error {
	if p.heading == nil {
		p.heading = append([]string{}, cells...)
		return p.next()
	}
	if p.rows == MaxRows || p.size.n > MaxBytes-slack {
		if err := p.part.Flush(); err != nil {
			return err
		}
		if err := p.next(); err != nil {
			return err
		}
	}
	p.rows++
	return p.part.Write(cells...)
}

// next begins a file.
func (p *Parts) next() error {
	p.n, p.rows = p.n+1, 0
	w, err := p.zip.Create(fmt.Sprintf("%s-%d.csv", p.name, p.n))
	if err != nil {
		return err
	}
	p.size = &tally{w: w}
	p.part = NewWriter(p.size, p.format)
	return p.part.Write(p.heading...)
}

// Flush writes what is still held back and the end of the archive, and returns
// the first failure.
func (p *Parts) Flush() error {
	if p.part != nil {
		if err := p.part.Flush(); err != nil {
			return err
		}
	}
	return p.zip.Close()
}

// tally counts what it passes on.
type tally struct {
	w io.Writer
	n int
}

func (t *tally) Write(b []byte) (int, error) {
	n, err := t.w.Write(b)
	t.n += n
	return n, err
}
