package sheet_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"petschaft/internal/sheet"
	"petschaft/internal/trial"
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
		{"20b-ps51-type.csv", sheet.Format{Encoding: sheet.UTF8, Separator: ','}, 3, "anke.ahrens1@institut.example", 3},
		{"25-ctrlz.csv", sheet.Format{Encoding: sheet.UTF8, Separator: ';'}, 2, "eva.eck@institut.example", 2},
		{"33-title-line.csv", sheet.Format{Encoding: sheet.UTF8, Separator: ';'}, 3, "max.mey@institut.example", 4},
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
	coded := func(b []byte, err error) string { return string(trial.Must(b, err)) }
	text := []byte(header)
	for _, c := range []struct {
		name, file string
		want       sheet.Encoding
	}{
		{"UTF-8", header, sheet.UTF8},
		{"UTF-8 with a byte order mark", "\ufeff" + header, sheet.UTF8},
		{"UTF-16, little end first", coded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(text)), sheet.UTF16LE},
		{"UTF-16, big end first", coded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes(text)), sheet.UTF16BE},
		{"UTF-16 without a mark, little end first", coded(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().Bytes(text)), sheet.UTF16LE},
		{"UTF-16 without a mark, big end first", coded(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().Bytes(text)), sheet.UTF16BE},
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

// sniffed is the encoding of a file that comes in pieces.
func sniffed(declared sheet.Encoding, pieces ...string) sheet.Encoding {
	var s sheet.Sniffer
	for _, p := range pieces {
		_, _ = s.Write([]byte(p))
	}
	return s.Format(declared).Encoding
}

func TestALetterThatAPieceCutsIsStillUTF8(t *testing.T) {
	t.Parallel()
	file := strings.Repeat("ü", sheet.HeadBytes) + "€😀"
	for cut := range len(file) {
		if cut%4001 != 0 && cut < len(file)-9 {
			continue
		}
		if got := sniffed("", file[:cut], file[cut:]); got != sheet.UTF8 {
			t.Errorf("cut at %d: got %s, want utf-8", cut, got)
		}
	}
	if got := sniffed("", "\xf0", "\x9f", "\x98", "\x80"); got != sheet.UTF8 {
		t.Errorf("byte by byte: got %s, want utf-8", got)
	}
	if got := sniffed("", "Name;M\xfc"); got != sheet.Windows1252 {
		t.Errorf("a file that ends with an umlaut: got %s, want windows-1252", got)
	}
}

func TestTheFirstUmlautMayStandAnywhere(t *testing.T) {
	t.Parallel()
	late := "Name\n" + strings.Repeat("Meier\n", sheet.HeadBytes/5)
	if got := sniffed("", late, "M\xfcller\n"); got != sheet.Windows1252 {
		t.Errorf("Windows-1252 behind the head: got %s", got)
	}
	if got := sniffed("", late+"M", "\xfc", "ller\n"); got != sheet.Windows1252 {
		t.Errorf("alone in a piece: got %s, want windows-1252", got)
	}
}

func TestOneForeignLineMakesNoOtherEncoding(t *testing.T) {
	t.Parallel()
	file := sample(t, "34b-mixed.csv")
	f := sheet.Sniff(file)
	if f.Encoding != sheet.UTF8 {
		t.Errorf("got %s, want utf-8", f.Encoding)
	}
	recs, wrong, err := readAll(t, bytes.NewReader(file), f)
	if err != nil || len(recs) != 2 || recs[1].Cells[0] != "Böhm" || len(wrong) != 1 || wrong[0].Line != 3 || wrong[0].ID != "sheet.not_utf8" {
		t.Errorf("got %v, wrong %v, end %v; want Böhm, and line 3 at fault", recs, wrong, err)
	}
	many := strings.Repeat("M\xfcller\n", 100) + "B\u00f6hm\n"
	if got := sniffed("", many); got != sheet.Windows1252 {
		t.Errorf("one line of UTF-8 among many others: got %s, want windows-1252", got)
	}
}

func TestWhatIsDeclaredCountsButForAMark(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]sheet.Encoding{
		"M\xfcller\n":        sheet.UTF8,
		"M\x81ller\n":        sheet.UTF8,
		"\xff\xfeM\x00":      sheet.UTF16LE,
		"plain letters\n":    sheet.UTF8,
		"\ufeffM\xfcller\n":  sheet.UTF8,
		"\xfe\xff\x00M\x00":  sheet.UTF16BE,
		"M\x00\xfc\x00l\x00": sheet.UTF8,
	} {
		if got := sniffed(sheet.UTF8, file); got != want {
			t.Errorf("%q declared to be UTF-8: got %s, want %s", file, got, want)
		}
	}
	if got := sniffed(sheet.CP850, "M\x81ller\n"); got != sheet.CP850 {
		t.Errorf("declared to be CP850: got %s", got)
	}
	if got := read(t, "M\x81ller\n", sheet.Format{Encoding: sheet.CP850, Separator: ';'}); got[0] != "Müller" {
		t.Errorf("CP850: got %q, want Müller", got)
	}
	if got := read(t, "M\x9fller\n", sheet.Format{Encoding: sheet.MacRoman, Separator: ';'}); got[0] != "Müller" {
		t.Errorf("Mac Roman: got %q, want Müller", got)
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
		{"a title of one cell", "#TYPE Some.Mailbox\n\"a\",\"b\"\n\"1, 2\",\"3\"\n", ','},
		{"a title with a comma", "Liste, 2026\na;b;c\n1;2;3\n", ';'},
		{"a title with a bare comma", "Liste,2026\n\na;b;c\n1;2;3\n4;5;6\n", ';'},
		{"names with commas below a heading of semicolons", "a;b\nx,y,z;1\nu,v,w;2\n", ';'},
		{"nothing", "", ';'},
		{"one line of nothing", "\n\n", ';'},
	} {
		if got := sheet.Sniff([]byte(c.file)).Separator; got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	long := "a;b\n" + strings.Repeat("1,2;3\n", sheet.HeadBytes/6) + "4,"
	if got := sheet.Sniff([]byte(long)).Separator; got != ';' {
		t.Errorf("a long file: got %q, want ;", got)
	}
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
