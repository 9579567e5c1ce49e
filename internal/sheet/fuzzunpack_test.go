package sheet_test

import (
	"bytes"
	"maps"
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/sheet"
)

// unpackAny unpacks what may be no workbook, and reads what came of it.
func unpackAny(t *testing.T, book []byte) {
	t.Helper()
	var text bytes.Buffer
	err := sheet.Unpack(&text, bytes.NewReader(book), int64(len(book)))
	if err != nil {
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
			t.Fatalf("got %v, want a fault for the person", err)
		}
		return
	}
	recs, _, err := readAll(t, &text, sheet.Format{Encoding: sheet.Workbook})
	if err != nil {
		t.Fatalf("got %v, want the end of the sheet", err)
	}
	last := 0
	for _, r := range recs {
		if r.Line <= last || len(r.Cells) > sheet.MaxCells {
			t.Fatalf("row %d behind row %d has %d cells", r.Line, last, len(r.Cells))
		}
		last = r.Line
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(sample(f, "excel.xlsx"))
	f.Add(sample(f, "list.ods"))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, book []byte) { unpackAny(t, book) })
}

// FuzzXLSX takes the parts of a book from three texts.
func FuzzXLSX(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" s="1"><v>46460.5</v></c></row><row><c t="inlineStr"><is><t>_x0041__x_</t></is></c></row>`,
		`<sst><si><t>a</t></si><si><r><t>b</t></r><rPh><t>c</t></rPh></si></sst>`, `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yy"/></numFmts><cellXfs><xf numFmtId="1"/><xf numFmtId="164"/></cellXfs></styleSheet>`)
	f.Add(`<row r="9"/><row r="1048576"><c r="XFD1" t="b"><v>1</v></c><c><v>1E400</v></c></row>`, `<!-- < --><sst><![CDATA[<]]>`, `<?x < ?><cellXfs>`)
	f.Fuzz(func(t *testing.T, rows, texts, styles string) {
		parts := xlsx(rows, nil)
		maps.Copy(parts, map[string]string{"xl/sharedStrings.xml": texts, "xl/styles.xml": styles})
		unpackAny(t, zipped(t, parts))
	})
}

func FuzzODS(f *testing.F) {
	f.Add(`<table:table><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3"><text:p>a<text:s text:c="2"/></text:p></table:table-cell></table:table-row></table:table>`)
	f.Add(`<table:table><table:shapes><p/></table:shapes><table:table-row><table:table-cell office:value-type="date" office:date-value="2027-03-14T"><office:annotation><p>x</p></office:annotation></table:table-cell></table:table-row></table:table>`)
	f.Fuzz(func(t *testing.T, tables string) { unpackAny(t, zipped(t, ods(tables))) })
}
