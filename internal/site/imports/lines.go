package imports

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
)

// linesShown is how many lines of a plan one page has.
const linesShown = 100

// countIDs word a count of lines, classIDs the chip that filters by it.
var (
	countIDs = map[imports.Class]string{
		imports.LineNew: "import.count_new", imports.LineChanged: "import.count_changed", imports.LineUnchanged: "import.count_unchanged",
		imports.LineSkipped: "import.count_skipped", imports.LineFaulty: "import.count_faulty",
	}
	classIDs = map[imports.Class]string{
		imports.LineNew: "import.class_new", imports.LineChanged: "import.class_changed", imports.LineUnchanged: "import.class_unchanged",
		imports.LineSkipped: "import.class_skipped", imports.LineFaulty: "import.class_faulty",
	}
	legendIDs = map[imports.Class]string{
		imports.LineNew: "import.legend_new", imports.LineChanged: "import.legend_changed", imports.LineUnchanged: "import.legend_unchanged",
		imports.LineSkipped: "import.legend_skipped", imports.LineFaulty: "import.legend_faulty",
	}
)

// lineCount is how many lines the plan has in all.
func lineCount(im imports.Import) (n int) {
	for _, c := range imports.Classes {
		n += im.Count(c)
	}
	return n
}

// shownClass is the group of lines that q asks for, else the first one that
// deserves a look.
func shownClass(im imports.Import, q url.Values) imports.Class {
	if c := imports.Class(q.Get("show")); slices.Contains(imports.Classes[:], c) {
		return c
	}
	for _, c := range [...]imports.Class{imports.LineFaulty, imports.LineChanged, imports.LineNew, imports.LineUnchanged} {
		if im.Count(c) > 0 {
			return c
		}
	}
	return imports.LineSkipped
}

// lineView is which lines of a plan are to be seen: those of a class, behind a
// line.
type lineView struct {
	class imports.Class
	after int
}

func lineList(im imports.Import, v lineView) page.List[lineView, int] {
	return page.List[lineView, int]{
		View: v, Base: importPath(im), Turn: func(v *lineView, after int) { v.after = after },
		Pairs: func(v lineView, add page.Add) {
			add("show", string(v.class), true)
			add("after", strconv.Itoa(v.after), v.after > 0)
		},
		Place: func(lineView) string { return "#lines" },
	}
}

// planLines fills m with one page of one group of lines.
func (s *Section) planLines(r *http.Request, im imports.Import, m *importview.PlanModel) error {
	ctx, q := r.Context(), r.URL.Query()
	c := shownClass(im, q)
	after, _ := strconv.Atoi(q.Get("after"))
	lines, err := s.Imports.Lines(ctx, im, c, max(0, after), linesShown+1)
	if err != nil {
		return err
	}
	list := lineList(im, lineView{c, after})
	m.Chips, m.Legend = classChips(ctx, im, list), legend(ctx, im, c)
	if c == imports.LineFaulty && im.Faulty > 0 {
		m.Faults = &view.ButtonModel{Label: page.T(ctx, "import.faults_file"), Href: importPath(im) + "/faults.csv"}
	}
	if len(lines) == 0 {
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "import.no_lines"), Text: page.T(ctx, "import.no_lines_text")}
		return nil
	}
	lines, next := page.Cut(lines, linesShown, func(l imports.Line) int { return l.Line })
	m.Pager = list.Pager(page.T(ctx, "import.shown", "shown", len(lines), "n", im.Count(c)), after > 0, 0, next)
	m.Table = linesTable(ctx, c)
	for _, l := range lines {
		m.Lines = append(m.Lines, planLine(ctx, im, l))
	}
	return nil
}

func legend(ctx context.Context, im imports.Import, c imports.Class) string {
	switch {
	case im.Applied != nil && c == imports.LineNew:
		return page.T(ctx, "import.legend_added")
	case im.Applied != nil && c == imports.LineChanged:
		return page.T(ctx, "import.legend_edited")
	}
	return page.T(ctx, legendIDs[c])
}

func classChips(ctx context.Context, im imports.Import, list page.List[lineView, int]) (chips []view.Chip) {
	for _, c := range imports.Classes {
		chip := list.Chip(page.T(ctx, classIDs[c]), c == list.View.class, func(v *lineView) { v.class = c })
		chip.Count = locale.From(ctx).Number(int64(im.Count(c)))
		chips = append(chips, chip)
	}
	return chips
}

var whatIDs = map[imports.Class]string{
	imports.LineNew: "import.what_new", imports.LineChanged: "import.what_changed", imports.LineUnchanged: "import.what_unchanged",
	imports.LineSkipped: "import.what_skipped", imports.LineFaulty: "import.what_faulty",
}

func linesTable(ctx context.Context, c imports.Class) view.TableModel {
	return view.TableModel{Caption: page.T(ctx, classIDs[c]), Columns: []view.Column{
		{Label: page.T(ctx, "import.line"), Tight: true}, {Label: page.T(ctx, "rows.name")}, {Label: page.T(ctx, "row.primary")}, {Label: page.T(ctx, whatIDs[c])},
	}}
}

func planLine(ctx context.Context, im imports.Import, l imports.Line) importview.PlanLine {
	p := importview.PlanLine{Line: strconv.Itoa(l.Line), Name: l.Name, Primary: l.Primary}
	if l.Row != 0 && (l.Class != imports.LineNew || im.State == imports.Applied) {
		p.Href = paths.Row(im.DomainName, l.Row)
	}
	switch l.Class {
	case imports.LineNew, imports.LineUnchanged:
		p.Kind, p.Aliases, p.Applicant, p.Comment = page.RowKind(ctx, l.Kind), page.Addresses(l.Aliases), string(l.Applicant), l.Comment
	case imports.LineSkipped:
		p.Kind = string(l.Kind)
	}
	for _, c := range l.Cells {
		p.Cells = append(p.Cells, planCell(ctx, c))
	}
	for _, f := range l.Faults {
		p.Faults = append(p.Faults, fieldWords(ctx, f))
	}
	p.Taken = page.InTheWay(ctx, fault.Fields(l.Faults).Err())
	for _, h := range l.Hints {
		p.Hints = append(p.Hints, page.T(ctx, h.ID, h.Args...))
	}
	return p
}

// planCell words a changed value: mailbox types in the reader's language.
func planCell(ctx context.Context, c imports.Cell) importview.PlanCell {
	if c.Field == imports.FieldKind {
		c.Old, c.New = page.RowKind(ctx, mailbox.Kind(c.Old)), page.RowKind(ctx, mailbox.Kind(c.New))
	}
	return importview.PlanCell{Label: page.T(ctx, fieldIDs[c.Field]), Old: c.Old, New: c.New}
}

// fieldWords says what is wrong, after the name of the column it is wrong in.
func fieldWords(ctx context.Context, f fault.Field) string {
	words := page.T(ctx, f.ID, f.Args...)
	if name, ok := fieldIDs[imports.Field(f.Name)]; ok {
		return page.T(ctx, name) + ": " + words
	}
	return words
}

// Faults are the faulty lines as a file, with a column that says why.
func (s *Section) Faults(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	im, err := s.load(r)
	if err != nil {
		return err
	}
	if im.Faulty == 0 || im.State == imports.Discarded {
		return fault.New(fault.Missing, "import.no_faults")
	}
	return s.Send(w, r, page.File{
		Name: plain(strings.TrimSuffix(im.FileName, ".csv")) + "-" + page.T(ctx, "import.faults_name") + ".csv", Kind: page.CSV,
		Write: func(ctx context.Context, to io.Writer) error {
			return s.Imports.WriteFaults(ctx, im, to, page.T(ctx, "import.why"), func(f fault.Field) string { return fieldWords(ctx, f) })
		},
	})
}

// plain is a name that needs no quoting in a header: what a person called a
// file may hold anything.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}
