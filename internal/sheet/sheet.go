// Package sheet reads and writes files of cells, as spreadsheets and mail
// systems exchange them (RFC 4180 and what German Excel makes of it). It decides
// encodings, separators, quoting, workbooks, the limits of a file and the guard
// against formulas. It knows no column by name and keeps nothing: a text of any
// size is read with the memory of one window.
package sheet

import (
	"slices"

	"petschaft/internal/fault"
)

// Limits of a file.
const (
	MaxBytes = 20 << 20
	MaxRows  = 200_000 // records below the header
	MaxField = 8 << 10 // characters of a cell: directories list many addresses in one
	MaxCells = 256     // cells of a record
)

// Encoding is how a file writes letters as bytes.
type Encoding string

const (
	UTF8        Encoding = "utf-8"
	UTF16LE     Encoding = "utf-16le"
	UTF16BE     Encoding = "utf-16be"
	Windows1252 Encoding = "windows-1252"
	MacRoman    Encoding = "macintosh"
	CP850       Encoding = "ibm850" // DOS, and what Windows writes in its console

	// Workbook is what Unpack makes of one: UTF-8 with semicolons, where each
	// record is one row and counts as one line.
	Workbook Encoding = "workbook"
)

// Encodings and Separators are all that a text may have, the usual ones first.
var (
	Encodings  = [...]Encoding{UTF8, Windows1252, UTF16LE, UTF16BE, MacRoman, CP850}
	Separators = [...]rune{';', ',', '\t'}
)

// Format is how a file is to be read.
type Format struct {
	Encoding  Encoding
	Separator rune
}

// Known tells whether f is one that a Reader can read; others it takes for the
// default, UTF-8 with semicolons.
func (f Format) Known() bool {
	return f == unpacked || slices.Contains(Encodings[:], f.Encoding) && slices.Contains(Separators[:], f.Separator)
}

// unpacked is the format of what Unpack writes.
var unpacked = Format{Workbook, ';'}

func (f Format) orDefault() Format {
	if f.Encoding != Workbook && !slices.Contains(Encodings[:], f.Encoding) {
		f.Encoding = UTF8
	}
	if !slices.Contains(Separators[:], f.Separator) {
		f.Separator = ';'
	}
	return f
}

// Record is one line of the table that a file holds. A cell may contain line
// breaks, so a record can be longer than a line of the file.
type Record struct {
	Line  int // of the file, on which the record begins; the first is 1. Of a workbook: its row
	Cells []string
}

// LineError says that a record cannot be read. The next one can.
type LineError struct {
	Line int    // of the file, on which the record begins
	ID   string // message id of what is wrong
	Args []any  // key, value pairs for the message's blanks
	Text string // the beginning of that line, for whoever repairs it
}

func (e *LineError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the fault: Invalid, without the line number.
func (e *LineError) Unwrap() error { return &fault.Fault{Kind: fault.Invalid, ID: e.ID, Args: e.Args} }

// Field is the fault as one among several of an input.
func (e *LineError) Field() fault.Field { return fault.Field{ID: e.ID, Args: e.Args} }
