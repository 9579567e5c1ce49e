package sheet_test

import (
	"strings"
	"testing"

	"petschaft/internal/sheet"
)

func TestWhatIsNoTableIsSaidSo(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR":       "sheet.foreign",
		"\x1f\x8b\x08\x00\x00\x00\x00\x00":          "sheet.foreign",
		"%PDF-1.7\n":                                "sheet.foreign",
		"\ufeff<!DOCTYPE html><html><body>":         "sheet.foreign",
		"\r\n  <HTML xmlns:x='excel'>":              "sheet.foreign",
		"<?xml version=\"1.0\"?>":                   "sheet.foreign",
		`{"kind":"personal"}`:                       "sheet.foreign",
		"MZ\x90\x00\x03\x00\x00\x00\x04\x00":        "sheet.foreign",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00":      "sheet.old_workbook",
		"":                                          "",
		"PK;b\n":                                    "",
		"<a@uni.example>;Name\n":                    "",
		"BMail;Name\nOTTO;x\n":                      "",
		"a;b\nc;d\x1a\x1a\x1a\x1a\x1a\x1a":          "",
		"a;b\x00\n" + strings.Repeat("c;d\n", 10):   "",
		"\xff\xfea\x00;\x00b\x00":                   "",
		"a\x00;\x00b\x00\n\x00":                     "",
		"#TYPE Selected.System.Object\n\"a\",\"b\"": "",
	} {
		if got := sheet.Foreign([]byte(head)); got != want {
			t.Errorf("%.30q: got %q, want %q", head, got, want)
		}
		if sheet.IsWorkbook([]byte(head)) {
			t.Errorf("%.30q: taken for a workbook", head)
		}
	}
	for _, name := range []string{"excel.xlsx", "list.ods", "network-export.csv", "faults-german-headers.csv", "excel-utf16.csv", "25-ctrlz.csv"} {
		if got := sheet.Foreign(sample(t, name)); got != "" {
			t.Errorf("%s: got %q, want it taken for a table", name, got)
		}
	}
}
