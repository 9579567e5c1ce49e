package sheet_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"petschaft/internal/sheet"
)

func FuzzReader(f *testing.F) {
	for _, name := range []string{"network-export.csv", "faults-german-headers.csv", "excel-utf16.csv", "25-ctrlz.csv", "34b-mixed.csv"} {
		f.Add(sample(f, name), byte(0))
	}
	for i, text := range []string{
		"", "\n", "\r", "a;b\r\n", "\"", "\"a\nb\nc", "\"a\"b\nc", "a\"b\nc", "\"\"\"\n\"", "sep=;\na", "sep=\ta", "\ufeffsep=,\r",
		"a\x00b\nc", "\xff\xfe", "\xff\xfea\x00;", "\xfe\xff\x00a\xd8\x00", "'=1;''=1;'", "M\xfcller;J\xfcrgen\n", strings.Repeat(";", 300),
		strings.Repeat("x", 1025) + "\ny", "\r\r\n\n\r", "\"\n\"\"\n\"x",
	} {
		f.Add([]byte(text), byte(i))
	}
	f.Fuzz(func(t *testing.T, file []byte, pick byte) {
		format := sheet.Sniff(file)
		if !format.Known() {
			t.Fatalf("sniffed %v, which nobody can read", format)
		}
		if pick > 0 {
			format.Encoding = sheet.Encodings[int(pick)%len(sheet.Encodings)]
			format.Separator = sheet.Separators[int(pick/4)%len(sheet.Separators)]
		}
		recs, wrong, err := readAll(t, bytes.NewReader(file), format)
		if err != nil {
			t.Fatalf("got %v, want the end of the file", err)
		}
		var lines []int
		for _, r := range recs {
			lines = append(lines, r.Line)
			for _, c := range r.Cells {
				if utf8.RuneCountInString(c) > sheet.MaxField || !utf8.ValidString(c) || strings.ContainsRune(c, 0) {
					t.Fatalf("line %d has the cell %q", r.Line, c)
				}
			}
			if n := len(r.Cells); n == 0 || n > sheet.MaxCells {
				t.Fatalf("line %d has %d cells", r.Line, n)
			}
		}
		for _, e := range wrong {
			lines = append(lines, e.Line)
			if e.ID == "" || !utf8.ValidString(e.Text) || strings.ContainsAny(e.Text, "\x00\r\n") {
				t.Fatalf("line %d: got %s with the text %q", e.Line, e.ID, e.Text)
			}
		}
		most := 1 + bytes.Count(file, []byte("\n")) + bytes.Count(file, []byte("\r"))
		slices.Sort(lines)
		if n := len(lines); n > 0 && (lines[0] < 1 || format.Encoding == sheet.UTF8 && lines[n-1] > most || len(slices.Compact(lines)) != n) {
			t.Fatalf("got the lines %v, want each once and none behind %d", lines, most)
		}
	})
}

// FuzzRoundTrip takes cells out of one text, cut at U+001F, records at U+001E.
func FuzzRoundTrip(f *testing.F) {
	for i, text := range []string{
		"a\x1fb\x1ec\x1fd", "=1\x1f'=1\x1f''@", "sep=;\x1ex", "sep=\x1f\x1ex", "SEP=", "\ufeffa", " a \x1f\tb\x1f\rc", "\"\x1f\"\"\x1f;\x1f,\x1f\r\n\x1f\n", "\x1f\x1e\x1fx", "'", strings.Repeat("ü", 512),
	} {
		f.Add(text, byte(i))
	}
	f.Fuzz(func(t *testing.T, text string, pick byte) {
		text = strings.ToValidUTF8(strings.NewReplacer("\x00", "", "\ufffd", "").Replace(text), "")
		format := sheet.WriterFormat{Separator: sheet.Separators[int(pick)%len(sheet.Separators)], BOM: pick >= 128}
		var want [][]string
		for rec := range strings.SplitSeq(text, "\x1e") {
			cells := strings.Split(rec, "\x1f")
			cells = cells[:min(len(cells), sheet.MaxCells)]
			for i, c := range cells {
				for utf8.RuneCountInString(c) > sheet.MaxField {
					_, n := utf8.DecodeLastRuneInString(c)
					c = c[:len(c)-n]
				}
				cells[i] = c
			}
			if strings.TrimSpace(strings.Join(cells, "")) != "" && len(strings.Join(cells, "")) < 16<<10 {
				want = append(want, cells)
			}
		}
		file := written(t, format, want...)
		recs, wrong, err := readAll(t, strings.NewReader(file), sheet.Format{Encoding: sheet.UTF8, Separator: format.Separator})
		if err != nil || len(wrong) > 0 || len(recs) != len(want) {
			t.Fatalf("%q: got %d records, wrong %v, end %v; want %d", file, len(recs), wrong, err, len(want))
		}
		for i, r := range recs {
			if !slices.Equal(r.Cells, want[i]) {
				t.Fatalf("%q: got %q, want %q", file, r.Cells, want[i])
			}
		}
	})
}
