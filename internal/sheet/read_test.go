package sheet_test

import (
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/fault"
	"petschaft/internal/sheet"
)

func TestQuotedCellsHoldSeparatorsLineBreaksAndQuotes(t *testing.T) {
	t.Parallel()
	recs, wrong, err := readAll(t, strings.NewReader("a;\"b;c\"\r\n\"d\r\ne\";\"say \"\"hi\"\"\"\n\n;;\n\"\";f\rlast;"), semicolons)
	if err != nil || len(wrong) > 0 {
		t.Fatalf("got %v and %v, want nothing wrong", err, wrong)
	}
	want := []sheet.Record{
		{Line: 1, Cells: []string{"a", "b;c"}},
		{Line: 2, Cells: []string{"d\r\ne", `say "hi"`}},
		{Line: 6, Cells: []string{"", "f"}}, // behind a blank line and one without content
		{Line: 7, Cells: []string{"last", ""}},
	}
	if diff := cmp.Diff(want, recs); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestAByteOrderMarkAndTheLineOfTheSeparatorAreNoRecords(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a;b", "\ufeffa;b", "sep=;\r\na;b", "\ufeffSEP=,\na;b", "sep=\t\ra;b"} {
		if got, want := read(t, text, semicolons), []string{"a|b"}; !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got, want := read(t, "sep=;x\n", semicolons), []string{"sep=|x"}; !slices.Equal(got, want) {
		t.Errorf("a record that only looks like it: got %q, want %q", got, want)
	}
	recs, _, _ := readAll(t, strings.NewReader("sep=;\na;b\n"), semicolons)
	if got := recs[0].Line; got != 2 {
		t.Errorf("the header below it stands on line %d, want 2", got)
	}
}

func TestAWrongRecordIsSaidAndReadingGoesOn(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", sheet.MaxField+1)
	for _, c := range []struct {
		name, wrong, id string
		lines           int // how many the wrong record takes away
	}{
		{"a quote inside a cell", `5" monitor;x`, "sheet.stray_quote", 1},
		{"text behind a closing quote", `"a"b;x`, "sheet.stray_quote", 1},
		{"a NUL", "a\x00b;x", "sheet.nul", 1},
		{"a letter that is no UTF-8", "M\xfcller;x", "sheet.not_utf8", 1},
		{"a letter lost before", "M\ufffdller;x", "sheet.unreadable", 1},
		{"a cell over the limit", long + ";x", "sheet.cell_too_long", 1},
		{"a quoted cell over the limit", `"` + long + "\n\n\";x", "sheet.cell_too_long", 3},
		{"too many cells", strings.Repeat(";", sheet.MaxCells), "sheet.too_many_cells", 1},
		{"a line longer than the window", strings.Repeat("y;", 64<<10), "sheet.too_many_cells", 1},
		{"a cell longer than the window", strings.Repeat("y", 200<<10), "sheet.line_too_long", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			recs, wrong, err := readAll(t, strings.NewReader("a;1\n"+c.wrong+"\r\nb;2\n"), semicolons)
			if err != nil || len(wrong) != 1 || len(recs) != 2 {
				t.Fatalf("got %d records, wrong %v, end %v; want two and one wrong", len(recs), wrong, err)
			}
			if wrong[0].ID != c.id || wrong[0].Line != 2 {
				t.Errorf("got %s on line %d, want %s on line 2", wrong[0].ID, wrong[0].Line, c.id)
			}
			if !fault.Is(wrong[0], fault.Invalid) {
				t.Errorf("got %v, want a fault for the person", wrong[0])
			}
			if got := wrong[0].Text; got == "" || len(got) > 3*sheet.MaxField || strings.ContainsAny(got, "\x00\r\n") {
				t.Errorf("got the text %.60q of %d bytes, want the beginning of the line", got, len(got))
			}
			if got, want := recs[1].Line, 2+c.lines; got != want || recs[1].Cells[0] != "b" {
				t.Errorf("then got %q on line %d, want b on line %d", recs[1].Cells, got, want)
			}
		})
	}
}

func TestACellIsMeasuredInCharacters(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"x", "é", "字", "😀"} {
		recs, wrong, err := readAll(t, strings.NewReader(strings.Repeat(letter, sheet.MaxField)+";x\n"+strings.Repeat(letter, sheet.MaxField+1)+";y\n"), semicolons)
		if err != nil || len(recs) != 1 || len(wrong) != 1 || wrong[0].ID != "sheet.cell_too_long" || wrong[0].Line != 2 {
			t.Errorf("%s: got %d records, wrong %v, end %v; want the first line, and the second too long", letter, len(recs), wrong, err)
		}
	}
}

func TestAnUnclosedQuoteLosesNoLine(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]string{"to the end": "", "for longer than the window": strings.Repeat("c;3\n", 30_000)} {
		recs, wrong, err := readAll(t, strings.NewReader("\"a;1\nb;2\r\n"+rest), semicolons)
		if err != nil || len(wrong) != 1 || wrong[0].Line != 1 || len(recs) != 1+strings.Count(rest, "\n") {
			t.Fatalf("%s: got %d records, wrong %v, end %v; want one wrong line and all others", name, len(recs), wrong, err)
		}
		if got := recs[0]; got.Line != 2 || got.Cells[0] != "b" {
			t.Errorf("%s: after it got %v, want b on line 2", name, got)
		}
	}
	// A quote that opens on one line and closes on a later one tells of each line.
	recs, wrong, _ := readAll(t, strings.NewReader("\"a;1\nb;2\n\"c\";3\n"), semicolons)
	if len(wrong) != 1 || len(recs) != 2 || recs[1].Cells[0] != "c" {
		t.Errorf("got %v, wrong %v, want b and c, and line 1 wrong", recs, wrong)
	}
}

func TestTheEndOfTextOfDOSIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a;b\x1a", "a;b\n\x1a", "a;b\r\n\x1a\x1a\x1a", "a;b\n\x1a\r\n"} {
		if got, want := read(t, text, semicolons), []string{"a|b"}; !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got, want := read(t, "a\x1ab;c\nd", semicolons), []string{"a\x1ab|c", "d"}; !slices.Equal(got, want) {
		t.Errorf("in a cell: got %q, want %q", got, want)
	}
}

func TestTheHeadingMayStandOnALineBelow(t *testing.T) {
	t.Parallel()
	const file = "a title of \"last\" week\n\nh;i\n1;2\n"
	for line, want := range map[int]string{0: "", 1: "", 2: "h", 3: "h", 4: "1"} {
		rec, err := sheet.NewReader(strings.NewReader(file), semicolons).Header(line)
		if _, wrong := errors.AsType[*sheet.LineError](err); wrong != (want == "") || !wrong && (err != nil || rec.Cells[0] != want) {
			t.Errorf("line %d: got %q and %v, want %q", line, rec.Cells, err, want)
		}
	}
	if _, err := sheet.NewReader(strings.NewReader(file), semicolons).Header(5); err != io.EOF {
		t.Errorf("behind the end: got %v, want EOF", err)
	}
	top, err := sheet.NewReader(strings.NewReader(file), semicolons).Top(2)
	if err != nil || len(top) != 2 || top[0].Line != 1 || !strings.HasPrefix(top[0].Cells[0], "a title") || top[1].Line != 3 {
		t.Errorf("top: got %v and %v, want the title and the heading", top, err)
	}
}

func TestAFileOverALimitEnds(t *testing.T) {
	t.Parallel()
	header := "a;b\n"
	row := "1;2\n"
	blanks := strings.Repeat(strings.Repeat(" ", 1023)+"\n", sheet.MaxBytes>>10-1) + strings.Repeat("\n", 1024-len(row))
	for _, c := range []struct {
		name string
		file io.Reader
		id   string
		n    int
	}{
		{"as many rows as there may be", strings.NewReader(header + strings.Repeat(row, sheet.MaxRows)), "", sheet.MaxRows + 1},
		{"one row more", strings.NewReader(header + strings.Repeat(row, sheet.MaxRows+1)), "sheet.too_many_rows", sheet.MaxRows + 1},
		{"as many bytes as there may be", strings.NewReader(row + blanks), "", 1},
		{"a byte more", strings.NewReader(row + blanks + "\n"), "sheet.too_many_bytes", 1},
		{"no end at all, without a line break", endless("x"), "sheet.too_many_bytes", 0},
		{"no end at all, in a quote", io.MultiReader(strings.NewReader(`"`), endless("x")), "sheet.too_many_bytes", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			recs, _, err := readAll(t, c.file, semicolons)
			if (c.id == "") != (err == nil) || err != nil && (!fault.Is(err, fault.TooLarge) || fault.Of(err).ID != c.id) {
				t.Errorf("got %v, want %q", err, c.id)
			}
			if len(recs) != c.n {
				t.Errorf("got %d records, want %d", len(recs), c.n)
			}
		})
	}
}

// endless repeats its bytes.
type endless string

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e[i%len(e)]
	}
	return len(p), nil
}

func TestAFailureOfTheSourceIsNoEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection lost")
	r := sheet.NewReader(io.MultiReader(strings.NewReader("a;b\nc;"), iotest.ErrReader(broken)), semicolons)
	for range 3 {
		_, err := r.Read()
		if err != nil && !errors.Is(err, broken) {
			t.Fatalf("got %v, want %v", err, broken)
		}
	}
	if _, err := r.Read(); !errors.Is(err, broken) {
		t.Errorf("asked again: got %v, want %v", err, broken)
	}
}

func TestHowTheSourceIsCutChangesNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"network-export.csv", "faults-german-headers.csv", "excel-utf16.csv"} {
		file := sample(t, name)
		f := sheet.Sniff(file)
		want, _, _ := readAll(t, strings.NewReader(string(file)), f)
		got, _, err := readAll(t, iotest.OneByteReader(strings.NewReader(string(file))), f)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s byte by byte: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	line := "Müller, Jürgen;juergen.mueller@institut.example;j.mueller@institut.example;personal;;14.03.2027\r\n"
	file := io.LimitReader(endless(strings.Repeat(line, 64)), sheet.MaxBytes)
	r := sheet.NewReader(file, semicolons)
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, n := live(), uint64(0), 0
	for {
		_, err := r.Read()
		if err != nil && !errors.As(err, new(*sheet.LineError)) {
			break
		}
		if n++; n%20_000 == 0 {
			most = max(most, live())
		}
	}
	if grown := int64(most) - int64(before); n < 190_000 || grown > 1<<20 {
		t.Errorf("after %d records %d bytes more are alive, want less than 1 MiB", n, grown)
	}
	runtime.KeepAlive(r)
}
