package sheet_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"petschaft/internal/sheet"
	"petschaft/internal/trial"
)

// filed are the records of each file of an archive, which must all be readable.
func filed(t *testing.T, archive []byte) (n []int) {
	t.Helper()
	z := trial.Must(zip.NewReader(bytes.NewReader(archive), int64(len(archive))))
	for _, f := range z.File {
		content := trial.Must(io.ReadAll(trial.Must(f.Open())))
		recs, wrong, err := readAll(t, bytes.NewReader(content), sheet.Sniff(content))
		if err != nil || len(wrong) > 0 || recs[0].Cells[0] != "Name" {
			t.Fatalf("%s: got %v and %v, want a file with its heading", f.Name, wrong, err)
		}
		n = append(n, len(recs)-1)
	}
	return n
}

func TestATableOfAnySizeIsWrittenInPartsThatCanBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cell string
		rows int
		want []int // records of the parts, 0: as many as fit
	}{
		"nothing":        {"x", 0, []int{0}},
		"a full part":    {"x", sheet.MaxRows, []int{sheet.MaxRows}},
		"a record more":  {"x", sheet.MaxRows + 1, []int{sheet.MaxRows, 1}},
		"too many bytes": {strings.Repeat("x", 1000), 50_000, []int{0, 0, 0}},
	} {
		var b bytes.Buffer
		p := sheet.NewParts(&b, "uni.example", sheet.WriterFormat{Separator: ';', BOM: true})
		trial.Must(0, p.Write("Name", "Kommentar"))
		for range c.rows {
			trial.Must(0, p.Write(c.cell, "y"))
		}
		trial.Must(0, p.Flush())
		got, all := filed(t, b.Bytes()), 0
		for i, n := range got {
			if all += n; i < len(c.want) && c.want[i] != 0 && n != c.want[i] {
				t.Errorf("%s: part %d has %d records, want %d", name, i+1, n, c.want[i])
			}
		}
		if len(got) != len(c.want) || all != c.rows {
			t.Errorf("%s: got %v, want %d parts and %d records", name, got, len(c.want), c.rows)
		}
	}
}
