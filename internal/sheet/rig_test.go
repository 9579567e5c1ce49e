package sheet_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"petschaft/internal/sheet"
)

// readAll reads a whole file: its records, and what was wrong with others.
func readAll(t testing.TB, file io.Reader, f sheet.Format) (recs []sheet.Record, wrong []*sheet.LineError, end error) {
	t.Helper()
	r := sheet.NewReader(file, f)
	for {
		rec, err := r.Read()
		e, ok := errors.AsType[*sheet.LineError](err)
		switch {
		case err == io.EOF:
			return recs, wrong, nil
		case ok:
			wrong = append(wrong, e)
		case err != nil:
			return recs, wrong, err
		default:
			recs = append(recs, rec)
		}
	}
}

var semicolons = sheet.Format{Encoding: sheet.UTF8, Separator: ';'}

// read reads text, which must have nothing wrong, as cells joined by "|".
func read(t *testing.T, text string, f sheet.Format) []string {
	t.Helper()
	recs, wrong, err := readAll(t, strings.NewReader(text), f)
	if err != nil || len(wrong) > 0 {
		t.Fatalf("read %.100q: got %v and %v, want nothing wrong", text, err, wrong)
	}
	var lines []string
	for _, r := range recs {
		lines = append(lines, strings.Join(r.Cells, "|"))
	}
	return lines
}

// sample is a file of the papers that stand beside the tree, as a copy in
// testdata.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
