package sheet_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"petschaft/internal/sheet"
)

func TestTheSamplesAreRecognised(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		want    sheet.Format
		records int
		cell    string // somewhere in it
		line    int
	}{
		{"network-export.csv", sheet.Format{Encoding: sheet.Windows1252, Separator: ';'}, 10, "seit 2019; Büro 204", 4},
		{"faults-german-headers.csv", sheet.Format{Encoding: sheet.UTF8, Separator: ','}, 11, "mehr\nzeilen@fakultaet.example", 11},
		{"faults-german-headers.csv", sheet.Format{Encoding: sheet.UTF8, Separator: ','}, 11, `=HYPERLINK("http://example","klick")`, 3},
		{"excel-utf16.csv", sheet.Format{Encoding: sheet.UTF16LE, Separator: ';'}, 2, "aenne.weiss@institut.example", 3},
	} {
		file := sample(t, c.name)
		f := sheet.Sniff(file)
		if f != c.want {
			t.Errorf("%s: got %v, want %v", c.name, f, c.want)
		}
		recs, wrong, err := readAll(t, bytes.NewReader(file), f)
		if err != nil || len(wrong) > 0 || len(recs) != c.records {
			t.Errorf("%s: got %d records, wrong %v, end %v; want %d", c.name, len(recs), wrong, err, c.records)
		}
		line := 0
		for _, r := range recs {
			for _, cell := range r.Cells {
				if cell == c.cell {
					line = r.Line
				}
			}
		}
		if line != c.line {
			t.Errorf("%s: got %q on line %d, want line %d (0: nowhere)", c.name, c.cell, line, c.line)
		}
	}
}

const header = "Nachname;Vorname;Primäre E-Mail\r\nMüller;Jürgen;juergen@uni.example\r\n"

func TestEveryEncodingIsRecognisedAndReadTheSame(t *testing.T) {
	t.Parallel()
	coded := func(b []byte, err error) string { return string(must(b, err)) }
	text := []byte(header)
	for _, c := range []struct {
		name, file string
		want       sheet.Encoding
	}{
		{"UTF-8", header, sheet.UTF8},
		{"UTF-8 with a byte order mark", "\ufeff" + header, sheet.UTF8},
		{"UTF-16, little end first", coded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(text)), sheet.UTF16LE},
		{"UTF-16, big end first", coded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes(text)), sheet.UTF16BE},
		{"Windows-1252", coded(charmap.Windows1252.NewEncoder().Bytes(text)), sheet.Windows1252},
	} {
		f := sheet.Sniff([]byte(c.file))
		if f.Encoding != c.want || f.Separator != ';' {
			t.Errorf("%s: got %v, want %s and semicolons", c.name, f, c.want)
		}
		if got := read(t, c.file, f); len(got) != 2 || got[0] != "Nachname|Vorname|Primäre E-Mail" || got[1] != "Müller|Jürgen|juergen@uni.example" {
			t.Errorf("%s: got %q", c.name, got)
		}
	}
}

func TestALetterThatTheHeadCutsIsStillUTF8(t *testing.T) {
	t.Parallel()
	file := strings.Repeat("ü", sheet.HeadBytes)
	for _, cut := range []int{0, 1} {
		head := ("x" + file)[cut:][:sheet.HeadBytes]
		if got := sheet.Sniff([]byte(head)).Encoding; got != sheet.UTF8 {
			t.Errorf("got %s, want utf-8", got)
		}
	}
	if got := sheet.Sniff([]byte("Name;M\xfc")).Encoding; got != sheet.Windows1252 {
		t.Errorf("a short file that ends with an umlaut: got %s, want windows-1252", got)
	}
	if got := sheet.Sniff([]byte(strings.Repeat("x", sheet.HeadBytes-1) + "\xfc")).Encoding; got != sheet.Windows1252 {
		t.Errorf("a byte that begins no letter at the cut: got %s, want windows-1252", got)
	}
}

func TestTheSeparatorIsTheOneThatMakesATable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		want       rune
	}{
		{"semicolons, names with commas", "Name;E-Mail\nMüller, Jürgen;j@x.example\nWeiß, Änne;a@x.example\n", ';'},
		{"a heading with a comma", "Name, Vorname;E-Mail\nMüller, Jürgen;j@x.example\n", ';'},
		{"a heading with commas and nothing else", "Name,Vorname,E-Mail\n", ','},
		{"commas, quoted semicolons", "a,b,c\n\"x;y;z\",1,2\n\"x;y;z\",3,4\n", ','},
		{"commas, semicolons in a heading", "Name,\"Alias (durch ; getrennt)\",Typ\nx,a;b,personal\ny,,personal\n", ','},
		{"semicolons, quoted commas and line breaks", "a;b\n\"1,2\n3,4\";5\n\"6,7\n8,9\";0\n", ';'},
		{"tabs, names with commas", "Name\tE-Mail\nMüller, Jürgen\tj@x.example\n", '\t'},
		{"one column", "E-Mail\na@x.example\nb@x.example\n", ';'},
		{"one column with commas here and there", "Name\nMüller, Jürgen\nWeiß\n", ';'},
		{"a line that names it", "sep=,\na;b,c\n", ','},
		{"a line that names the tab", "\ufeffsep=\t\r\na;b\tc\r\n", '\t'},
		{"records of different lengths", "a;b;c\n1;2;3\n4;5\n6;7;8\n", ';'},
		{"nothing", "", ';'},
		{"one line of nothing", "\n\n", ';'},
	} {
		if got := sheet.Sniff([]byte(c.file)).Separator; got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	long := "a;b\n" + strings.Repeat("1,2;3\n", sheet.HeadBytes/6) + "4,"
	if got := sheet.Sniff([]byte(long)[:sheet.HeadBytes]).Separator; got != ';' {
		t.Errorf("a long file: got %q, want ;", got)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOnlyFormatsThatCanBeReadAreKnown(t *testing.T) {
	t.Parallel()
	for _, f := range []sheet.Format{{}, {Encoding: "latin-1", Separator: ';'}, {Encoding: sheet.UTF8, Separator: '|'}} {
		if f.Known() {
			t.Errorf("%v: got known, want not", f)
		}
		if got := read(t, "a;b\n", f); len(got) != 1 || got[0] != "a|b" {
			t.Errorf("%v: got %q, want it read as the default", f, got)
		}
	}
	if !semicolons.Known() {
		t.Errorf("%v: got unknown, want known", semicolons)
	}
}
