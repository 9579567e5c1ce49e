package imports

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/sheet"
	"petschaft/internal/site/page"
	"petschaft/web/view"
	"petschaft/web/view/importview"
)

var encodingIDs = map[sheet.Encoding]string{
	sheet.UTF8: "import.encoding_utf8", sheet.Windows1252: "import.encoding_1252", sheet.UTF16LE: "import.encoding_16le", sheet.UTF16BE: "import.encoding_16be",
	sheet.MacRoman: "import.encoding_mac", sheet.CP850: "import.encoding_850",
}

var separatorIDs = map[rune]string{';': "import.separator_semicolon", ',': "import.separator_comma", '\t': "import.separator_tab"}

// Reading shows how the file was understood, or would be under what is
// chosen in the address.
func (s *Section) Reading(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	if err != nil {
		return err
	}
	if err := imports.MayPlan(im); err != nil {
		return err
	}
	return s.readingPage(w, r, im, r.URL.Query(), nil)
}

// readFormat is the format that v chooses, else the one that is known of im, and
// the line of the headings; 0: it is to be guessed. A workbook has one format.
func readFormat(im imports.Import, v url.Values) (sheet.Format, int) {
	f := im.Format()
	c := sheet.Format{Encoding: sheet.Encoding(v.Get("encoding")), Separator: separator(v.Get("separator"))}
	if f.Encoding != sheet.Workbook && c.Encoding != sheet.Workbook && c.Known() {
		f = c
	}
	line, err := strconv.Atoi(v.Get("header"))
	switch before := v.Get("was"); {
	case err != nil || line < 1:
		if line = 0; f == im.Format() {
			line = im.HeaderLine
		}
	case before != "" && before != was(f, line) && strings.HasSuffix(before, was(sheet.Format{}, line)):
		line = 0 // only the format was chosen anew
	}
	return f, line
}

func separator(s string) rune {
	for _, c := range s {
		return c
	}
	return 0
}

// was names the format and the line of headings that a form was filled for: its
// columns are of no use under others.
func was(f sheet.Format, line int) string {
	sep := ""
	if f.Separator != 0 {
		sep = string(f.Separator)
	}
	return string(f.Encoding) + sep + ":" + strconv.Itoa(line)
}

// readColumns are the fields that v chooses for the columns of p, nil where it
// was filled for another format.
func readColumns(v url.Values, f sheet.Format, p imports.Preview) []imports.Field {
	if v.Get("was") != was(f, p.HeaderLine) {
		return nil
	}
	columns := make([]imports.Field, len(p.Header))
	for i := range columns {
		columns[i] = imports.Field(v.Get("c" + strconv.Itoa(i)))
	}
	return columns
}

// readingPage shows the beginning of the file under what v chooses; failed is
// why no plan could be made of it.
func (s *Section) readingPage(w http.ResponseWriter, r *http.Request, im imports.Import, v url.Values, failed error) error {
	ctx := r.Context()
	format, line := readFormat(im, v)
	p, err := s.Imports.Preview(ctx, im, format, line)
	if err != nil {
		return err
	}
	columns := readColumns(v, format, p)
	if columns == nil {
		columns = p.Columns
		if format == im.Format() && p.HeaderLine == im.HeaderLine && len(im.Columns) == len(p.Header) {
			columns = im.Columns
		}
	}
	f := s.frame(r, im, page.T(ctx, "import.reading_title", "file", im.FileName))
	m := readingModel(ctx, im, format, p, columns)
	m.Head = view.HeadModel{Title: f.Title, Lead: page.T(ctx, "import.reading_lead")}
	status := http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
		m.Fails = page.Fails(ctx, failed)
	}
	return s.Show(w, r, status, importview.Reading(f, m))
}

func readingModel(ctx context.Context, im imports.Import, format sheet.Format, p imports.Preview, columns []imports.Field) importview.ReadingModel {
	base := importPath(im)
	m := importview.ReadingModel{
		Steps: stepsModel(ctx, 2), Action: base + "/plan", Preview: base + "/reading", Cancel: base + "/discard",
		Hidden:     []view.Hidden{{Name: "was", Value: was(format, p.HeaderLine)}},
		HeaderLine: strconv.Itoa(p.HeaderLine), HeaderLines: headerLines(ctx, p), Fields: fieldChoices(ctx),
	}
	if im.State == imports.Planned {
		m.Back = base
	}
	if format.Encoding != sheet.Workbook {
		m.Encoding, m.Separator = string(format.Encoding), string(format.Separator)
		m.Encodings, m.Separators = formatChoices(ctx)
	}
	for i, h := range p.Header {
		m.Columns = append(m.Columns, readColumn(p, i, h, columns[i]))
	}
	if im.Trouble != "" {
		m.Notices = append(m.Notices, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, im.Trouble)})
	}
	m.Notices = append(m.Notices, readingNotices(ctx, p, columns)...)
	return m
}

func formatChoices(ctx context.Context) (encodings, separators []view.Choice) {
	for _, e := range sheet.Encodings {
		encodings = append(encodings, view.Choice{Value: string(e), Label: page.T(ctx, encodingIDs[e])})
	}
	for _, c := range sheet.Separators {
		separators = append(separators, view.Choice{Value: string(c), Label: page.T(ctx, separatorIDs[c])})
	}
	return encodings, separators
}

func fieldChoices(ctx context.Context) (cs []view.Choice) {
	for _, f := range imports.Fields {
		cs = append(cs, view.Choice{Value: string(f), Label: page.T(ctx, fieldIDs[f])})
	}
	return cs
}

// headerLines are the first lines, on one of which the headings stand.
func headerLines(ctx context.Context, p imports.Preview) (cs []view.Choice) {
	known := false
	for _, rec := range p.Top {
		known = known || rec.Line == p.HeaderLine
		cs = append(cs, headerLine(ctx, rec.Line, rec.Cells))
	}
	if !known { // a program chose one further below
		cs = append(cs, headerLine(ctx, p.HeaderLine, p.Header))
	}
	return cs
}

func headerLine(ctx context.Context, line int, cells []string) view.Choice {
	const most = 48
	text := []rune(strings.Join(strings.Fields(strings.Join(cells, " · ")), " "))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return view.Choice{Value: strconv.Itoa(line), Label: page.T(ctx, "import.header_choice", "line", line, "text", string(text))}
}

func readColumn(p imports.Preview, i int, heading string, is imports.Field) importview.ReadColumn {
	return importview.ReadColumn{
		Heading: heading, Place: strconv.Itoa(i + 1), Name: "c" + strconv.Itoa(i), Field: string(is), Samples: samples(p.Rows, i),
	}
}

// samples are the first values of a column that differ.
func samples(rows [][]string, column int) (values []string) {
	for _, row := range rows {
		if len(values) < 3 && column < len(row) && row[column] != "" && !slices.Contains(values, row[column]) {
			values = append(values, row[column])
		}
	}
	return values
}

// readingNotices say what a plan of these columns will lack.
func readingNotices(ctx context.Context, p imports.Preview, columns []imports.Field) (ns []view.NoticeModel) {
	has := func(f imports.Field) bool { return slices.Contains(columns, f) }
	if misread(p.Rows, columns) {
		ns = append(ns, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "import.looks_misread")})
	}
	if !has(imports.FieldPrimary) && !has(imports.FieldProxies) {
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "import.lacks_primary")}}
	}
	if !has(imports.FieldName) && !has(imports.FieldLast) {
		ns = append(ns, view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "import.lacks_name")})
	}
	if !has(imports.FieldKind) {
		ns = append(ns, view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "import.lacks_kind")})
	}
	return ns
}

// misread tells whether a name of the preview looks as if it came in another
// encoding.
func misread(rows [][]string, columns []imports.Field) bool {
	for _, row := range rows {
		for i, c := range columns {
			name := c == imports.FieldName || c == imports.FieldLast || c == imports.FieldFirst
			if name && i < len(row) && sheet.Misread(row[i]) {
				return true
			}
		}
	}
	return false
}

// Plan orders the plan. Where the format was changed in the same step,
// its columns are shown first.
func (s *Section) Plan(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	if err != nil {
		return err
	}
	v := r.PostForm
	if page.Unsent(r.Context()) && v.Has("was") && imports.MayPlan(im) == nil {
		return s.readingPage(w, r, im, v, nil)
	}
	rd := im.Recognised()
	format, line := readFormat(im, v)
	switch p, err := s.Imports.Preview(r.Context(), im, format, line); {
	case imports.MayPlan(im) != nil:
	case err != nil:
		return err
	case v.Has("was") && v.Get("was") != was(format, p.HeaderLine):
		q := url.Values{"encoding": {string(format.Encoding)}, "separator": {string(format.Separator)}, "header": {strconv.Itoa(p.HeaderLine)}}
		return s.Done(w, r, importPath(im)+"/reading?"+q.Encode(), "import.format_changed")
	case v.Has("was"):
		rd = imports.Reading{Format: format, HeaderLine: p.HeaderLine, Columns: readColumns(v, format, p)}
	}
	err = s.Imports.Plan(r.Context(), s.Actor(r), string(im.DomainName), im.ID, rd)
	if fault.Is(err, fault.Invalid) {
		return s.readingPage(w, r, im, v, err)
	}
	if err != nil {
		look := view.Link{Label: im.FileName, Href: importPath(im)}
		return s.Meanwhile(w, r, err, im.ID.Thing(), look, chosenColumns(r.Context(), v)...)
	}
	return s.Done(w, r, importPath(im), "")
}

// chosenColumns are the fields that v chooses, column by column, for a page that
// does not know the file any more.
func chosenColumns(ctx context.Context, v url.Values) (all []view.TypedModel) {
	for i := 0; v.Has("c" + strconv.Itoa(i)); i++ {
		name := "c" + strconv.Itoa(i)
		if id, known := fieldIDs[imports.Field(v.Get(name))]; known {
			all = append(all, view.TypedModel{Name: name, Label: page.T(ctx, "import.column", "place", i+1), Text: page.T(ctx, id)})
		}
	}
	return all
}
