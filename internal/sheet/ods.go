package sheet

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ods writes the first table of an .ods to out (ODF 1.2, part 1, chapter 9).
func (a *archive) ods(out *rows) error {
	t := &odsTable{out: out, line: 1, hidden: map[string]bool{}}
	err := a.walk("content.xml", func(token xml.Token) error {
		switch e := token.(type) {
		case xml.StartElement:
			return t.start(e)
		case xml.CharData:
			if t.paragraph > 0 && t.skip == 0 {
				t.text.add(e)
			}
		case xml.EndElement:
			return t.end(e)
		}
		return nil
	})
	switch {
	case err == nil && !t.spread:
		return errors.New("no sheets in the document")
	case err == nil && !t.ended:
		return io.ErrUnexpectedEOF
	}
	return err
}

// odsTable is a table as it is read. Depths are of elements below the table's
// own, which has 1; 0: not inside.
type odsTable struct {
	out    *rows
	hidden map[string]bool // styles of tables that nobody sees
	style  string          // the one that is read
	spread bool            // the body of a spreadsheet began
	ended  bool

	depth     int
	skip      int // depth of what is left out
	cell      int // depth of the cell
	paragraph int // depth of its paragraph

	line    int // of the row, or the first that it stands for
	again   int // lines that the row stands for
	column  int
	repeat  int  // columns that the cell stands for
	some    bool // a paragraph was before
	value   string
	isValue bool // value counts, not the text
	text    content
}

func (t *odsTable) start(e xml.StartElement) error {
	name := e.Name.Local
	if t.depth == 0 {
		t.before(e)
		return nil
	}
	t.depth++
	switch {
	case t.skip > 0:
	case t.paragraph > 0:
		t.inText(e)
	case t.cell > 0 && name == "p":
		if t.paragraph = t.depth; t.some {
			t.text.add([]byte("\n"))
		}
		t.some = true
	case t.cell > 0: // a drawing, a remark, a table in the cell
		t.skip = t.depth
	case name == "table-row":
		t.again, t.column = times(e, "number-rows-repeated", maxSheetRow), 0
	case name == "table-cell", name == "covered-table-cell":
		t.cell, t.some = t.depth, false
		t.repeat = times(e, "number-columns-repeated", 1<<14)
		t.value, t.isValue = odsValue(e)
	case name == "shapes", name == "forms":
		t.skip = t.depth
	}
	return nil
}

// before looks for the first table that is seen.
func (t *odsTable) before(e xml.StartElement) {
	switch e.Name.Local {
	case "style":
		t.style = attr(e, "name")
	case "table-properties":
		if attr(e, "display") == "false" && len(t.hidden) < MaxParts {
			t.hidden[t.style] = true
		}
	case "spreadsheet":
		t.spread = true
	case "table":
		if t.spread && !t.hidden[attr(e, "style-name")] {
			t.depth = 1
		}
	}
}

// inText is an element in a paragraph.
func (t *odsTable) inText(e xml.StartElement) {
	switch e.Name.Local {
	case "s":
		t.text.add([]byte(strings.Repeat(" ", times(e, "c", MaxField+1))))
	case "tab":
		t.text.add([]byte("\t"))
	case "line-break":
		t.text.add([]byte("\n"))
	case "annotation", "note", "ruby-text", "frame", "custom-shape":
		t.skip = t.depth
	}
}

func (t *odsTable) end(e xml.EndElement) error {
	if t.depth == 0 {
		return nil
	}
	at := t.depth
	t.depth--
	switch {
	case t.skip > 0:
		if t.skip == at {
			t.skip = 0
		}
	case t.paragraph > 0:
		if t.paragraph == at {
			t.paragraph = 0
		}
	case t.cell == at && at > 0:
		t.cell = 0
		t.put()
	case e.Name.Local == "table-row":
		return t.row()
	case t.depth == 0:
		t.ended = true
		return errStop
	}
	return nil
}

// put takes the cell into its row.
func (t *odsTable) put() {
	s := t.text.take()
	if t.isValue {
		s = t.value
	}
	if s != "" {
		for i := range min(t.repeat, MaxCells+1) {
			t.out.put(t.column+i, s)
		}
	}
	t.column += t.repeat
}

// row writes the row, as often as it is there.
func (t *odsTable) row() error {
	defer func() { t.line += t.again }()
	if blank(t.out.cells) {
		t.out.cells = t.out.cells[:0]
		return nil
	}
	cells := slices.Clone(t.out.cells)
	for i := range t.again {
		t.out.cells = append(t.out.cells[:0], cells...)
		if err := t.out.end(t.line + i); err != nil {
			return err
		}
	}
	return nil
}

// odsValue is the value of a cell where its text only shows it: numbers and
// dates. ok is false where the text counts.
func odsValue(e xml.StartElement) (s string, ok bool) {
	switch attr(e, "value-type") {
	case "float":
		return number(attr(e, "value")), true
	case "date":
		day, time, _ := strings.Cut(attr(e, "date-value"), "T")
		if time, _, _ = strings.Cut(time, "."); time == "" || time == "00:00:00" {
			return day, true
		}
		return day + " " + time, true
	case "boolean":
		return strings.ToUpper(attr(e, "boolean-value")), true
	}
	return "", false
}

// times is how often something stands there, at least once, at most so often.
func times(e xml.StartElement, name string, most int) int {
	n, err := strconv.Atoi(attr(e, name))
	if err != nil {
		n = 1
	}
	return min(max(n, 1), most)
}
