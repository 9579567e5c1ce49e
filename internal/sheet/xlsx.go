package sheet

import (
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// book is an .xlsx as far as a sheet needs it.
type book struct {
	*archive
	texts texts
	dates []bool // by the style of a cell
	mac   bool   // days count from 1904
}

// xlsx writes the first sheet of an .xlsx to out.
func (a *archive) xlsx(out *rows) error {
	b := &book{archive: a}
	main := "xl/workbook.xml"
	if a.has("_rels/.rels") {
		parts, err := a.relations("")
		if err != nil {
			return err
		}
		for _, p := range parts {
			if strings.HasSuffix(p.kind, "/officeDocument") {
				main = p.name
			}
		}
	}
	if !a.has(main) {
		return errors.New("no workbook in the archive")
	}
	sheets, err := b.sheets(main)
	if err != nil {
		return err
	}
	parts, err := a.relations(main)
	if err != nil {
		return err
	}
	first := ""
	for _, id := range sheets {
		if p := parts[id]; first == "" && strings.HasSuffix(p.kind, "/worksheet") {
			first = p.name
		}
	}
	if first == "" {
		return errors.New("no sheet in the workbook")
	}
	for _, p := range parts {
		if err := b.shared(p); err != nil {
			return err
		}
	}
	return b.sheet(first, out)
}

// shared reads a part that sheets refer to. A book without it is read, too.
func (b *book) shared(p relation) error {
	switch {
	case !b.has(p.name):
	case strings.HasSuffix(p.kind, "/sharedStrings"):
		return b.readTexts(p.name)
	case strings.HasSuffix(p.kind, "/styles"):
		return b.readStyles(p.name)
	}
	return nil
}

// relation is what one part says of another.
type relation struct{ kind, name string }

// relations are those of the part called of, by their ids (ECMA-376-2, 6.5).
func (a *archive) relations(of string) (map[string]relation, error) {
	all := map[string]relation{}
	dir, name := path.Split(of)
	err := a.walk(dir+"_rels/"+name+".rels", func(t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "Relationship" {
			to := attr(e, "Target")
			if !strings.HasPrefix(to, "/") {
				to = path.Join(dir, to)
			}
			all[attr(e, "Id")] = relation{attr(e, "Type"), to}
		}
		return nil
	})
	return all, err
}

// sheets are the relations of the sheets, hidden ones last.
func (b *book) sheets(main string) (ids []string, err error) {
	var hidden []string
	err = b.walk(main, func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case e.Name.Local == "workbookPr":
			b.mac = yes(attr(e, "date1904"))
		case e.Name.Local == "sheet" && strings.HasSuffix(strings.ToLower(attr(e, "state")), "hidden"):
			hidden = append(hidden, attr(e, "id"))
		case e.Name.Local == "sheet":
			ids = append(ids, attr(e, "id"))
		}
		return nil
	})
	return append(ids, hidden...), err
}

func yes(s string) bool { return s == "1" || s == "true" || s == "on" }

// cell is one of a sheet as it is read.
type cell struct {
	column int
	kind   string // t, what its value is
	style  string
	text   content
}

// sheet writes the sheet in the part called name to out.
func (b *book) sheet(name string, out *rows) error {
	var c cell
	row, column := 0, -1
	in, phonetic, ended := false, false, false
	err := b.walk(name, func(t xml.Token) error {
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "row":
				if row, column = rowOf(attr(e, "r"), row+1), -1; row < 0 {
					return errors.New("a row without a number")
				}
			case "c":
				column = columnOf(attr(e, "r"), column+1)
				c = cell{column: column, kind: attr(e, "t"), style: attr(e, "s")}
			case "v", "t":
				in = !phonetic
			case "rPh":
				phonetic = true
			}
		case xml.CharData:
			if in {
				c.text.add(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "v", "t":
				in = false
			case "rPh":
				phonetic = false
			case "c":
				out.put(c.column, b.value(&c))
			case "row":
				return out.end(row)
			case "sheetData":
				ended = true
				return errStop
			}
		}
		return nil
	})
	if err == nil && !ended {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// rowOf is the number of a row, n where it has none; -1: it is none.
func rowOf(s string, n int) int {
	if s == "" {
		return n
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return -1
	}
	return n
}

// columnOf is the column in a reference like "AB12", the first being 0; n where
// there is none.
func columnOf(ref string, n int) int {
	column := 0
	for i := 0; i < len(ref) && i < 4 && 'A' <= ref[i]&^0x20 && ref[i]&^0x20 <= 'Z'; i++ {
		column = column*26 + int(ref[i]&^0x20-'A') + 1
	}
	if column == 0 {
		return n
	}
	return column - 1
}

// value is what a cell shows.
func (b *book) value(c *cell) string {
	s := c.text.take()
	switch c.kind {
	case "s":
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return ""
		}
		return b.texts.at(n)
	case "str", "inlineStr", "e":
		return unescaped(s)
	case "b":
		return map[bool]string{true: "TRUE", false: "FALSE"}[yes(strings.TrimSpace(s))]
	case "d": // ISO 8601
		return strings.TrimSuffix(s, "T00:00:00")
	}
	if n, err := strconv.Atoi(c.style); err == nil && n >= 0 && n < len(b.dates) && b.dates[n] {
		return b.date(s)
	}
	return number(s)
}
