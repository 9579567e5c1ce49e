package sheet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"petschaft/internal/sheet"
)

func written(t testing.TB, f sheet.WriterFormat, records ...[]string) string {
	t.Helper()
	var b bytes.Buffer
	w := sheet.NewWriter(&b, f)
	for _, r := range records {
		if err := w.Write(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAFileIsWrittenAsExcelReadsIt(t *testing.T) {
	t.Parallel()
	got := written(t, sheet.WriterFormat{Separator: ';', BOM: true}, []string{"Name", "Größe"}, []string{"a;b", `5"`, "", " x", "1\n2", "c,d"})
	want := "\ufeffName;Größe\r\n\"a;b\";\"5\"\"\";;\" x\";\"1\n2\";\"c,d\"\r\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := written(t, sheet.WriterFormat{Separator: ','}, []string{"a", "b"}), "a,b\r\n"; got != want {
		t.Errorf("commas: got %q, want %q", got, want)
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+49 30": "'+49 30", "-x": "'-x", "@sum": "'@sum", "\t=1": "'\t=1", "\r=1": "'\r=1",
		"'=1": "''=1", "''@": "'''@", "O'Brien": "O'Brien", "'tis": "'tis", "'": "'", "": "", "a=1": "a=1", "1-2": "1-2",
		"＝1+1": "'＝1+1", "＋49": "'＋49", "－x": "'－x", "＠sum": "'＠sum", "﹦1": "'﹦1", "⁼1": "'⁼1", "−5": "'−5",
		" =1": "' =1", "\u00a0\u200b=1": "'\u00a0\u200b=1", "\u202e=1": "'\u202e=1", "\n@x": "'\n@x", "'\u200b＝": "''\u200b＝", "\u200bx=": "\u200bx=", "ﬀ": "ﬀ", "½-1": "½-1",
	} {
		if got := sheet.Guard(cell); got != want {
			t.Errorf("Guard(%q): got %q, want %q", cell, got, want)
		}
		if got := sheet.Unguard(sheet.Guard(cell)); got != cell {
			t.Errorf("Unguard(Guard(%q)): got %q", cell, got)
		}
	}
	if got, want := written(t, sheet.WriterFormat{}, []string{`=HYPERLINK("x")`}), "\"'=HYPERLINK(\"\"x\"\")\"\r\n"; got != want {
		t.Errorf("written: got %q, want %q", got, want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAFailedWriteIsNotLost(t *testing.T) {
	t.Parallel()
	w := sheet.NewWriter(broken{}, sheet.WriterFormat{BOM: true})
	var err error
	for range 2000 {
		if err = w.Write(strings.Repeat("x", 100)); err != nil {
			break
		}
	}
	if err == nil || w.Flush() == nil {
		t.Errorf("got %v and then %v, want the failure from both", err, w.Flush())
	}
}
