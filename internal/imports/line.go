package imports

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/postgres"
	"petschaft/internal/sheet"
)

// Line is a line of the file as the plan understands it.
type Line struct {
	Line      int        // of the file, the first is 1
	Class     Class      // what the plan says of it
	Row       mailbox.ID // the row it is about, 0 where there is none; that of a new line is there once applied
	Kind      mailbox.Kind
	Name      string
	Primary   string // of a faulty line: as it stands there
	Aliases   []org.Address
	Applicant org.Address
	Comment   string
	Cells     []Cell        // what a changed line changes
	Faults    []fault.Field // Name is a Field or, for the whole line, empty
	Hints     []fault.Field
	Stays     string // message id: why it cannot be undone
}

// Cell is a value that a line changes. Field is one of name, aliases, kind,
// applicant and comment.
type Cell struct {
	Field Field
	Old   string
	New   string
}

// storedLine is a line as import_line holds it, with what an unchanged line
// leaves to its row.
type storedLine struct {
	Line            int
	Class           Class
	RowID           mailbox.ID
	Kind            mailbox.Kind
	Name            string
	Primary         org.Address
	Aliases         []org.Address
	Applicant       org.Address
	Comment         string
	BeforeKind      mailbox.Kind
	BeforeName      string
	BeforeAliases   []org.Address
	BeforeApplicant org.Address
	BeforeComment   string
	Faults          []byte
	Hints           []byte
	Cells           []string
	Stays           string
}

const storedColumns = `l.line, l.class, coalesce(l.row_id, 0) as row_id, coalesce(l.kind, r.kind, '') as kind, coalesce(l.name, r.name, '') as name,
	coalesce(l.primary_address, r.primary_address, '') as primary, coalesce(l.aliases, r.aliases, '{}') as aliases,
	coalesce(l.applicant, r.applicant, '') as applicant, coalesce(l.comment, r.comment, '') as comment,
	coalesce(l.before_kind, '') as before_kind, coalesce(l.before_name, '') as before_name, coalesce(l.before_aliases, '{}') as before_aliases,
	coalesce(l.before_applicant, '') as before_applicant, coalesce(l.before_comment, '') as before_comment, l.faults, l.hints, l.cells, l.stays`

const storedTables = `import_line l left join address_row r on l.class = 'unchanged' and r.id = l.row_id`

// storedLines returns the lines of a class behind the line after.
func storedLines(ctx context.Context, q postgres.Querier, id ID, c Class, after, limit int) ([]storedLine, error) {
	rows, err := q.Query(ctx, `select `+storedColumns+` from `+storedTables+`
		where l.import = @import and l.class = @class and l.line > @after order by l.line limit @limit`,
		pgx.NamedArgs{"import": id, "class": c, "after": after, "limit": limit})
	return collectLines(id, rows, err)
}

func collectLines(id ID, rows pgx.Rows, err error) ([]storedLine, error) {
	if err == nil {
		var all []storedLine
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[storedLine]); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("read lines of import %d: %w", id, err)
}

func (l storedLine) after() mailbox.Draft {
	return mailbox.Draft{Kind: l.Kind, Name: l.Name, Primary: l.Primary, Aliases: l.Aliases, Applicant: l.Applicant, Comment: l.Comment}
}

func (l storedLine) before() mailbox.Row {
	return mailbox.Row{Kind: l.BeforeKind, Name: l.BeforeName, Aliases: l.BeforeAliases, Applicant: l.BeforeApplicant, Comment: l.BeforeComment}
}

// shown is the line as pages see it.
func (l storedLine) shown() (Line, error) {
	out := Line{
		Line: l.Line, Class: l.Class, Row: l.RowID, Kind: l.Kind, Name: l.Name, Primary: string(l.Primary), Aliases: l.Aliases,
		Applicant: l.Applicant, Comment: l.Comment, Stays: staysWords[l.Stays],
	}
	if l.Class == LineChanged {
		changed := mailbox.Differences(l.before(), l.after())
		for _, f := range [...]Field{FieldName, FieldAliases, FieldKind, FieldApplicant, FieldComment} {
			if pair, ok := changed[string(f)].([2]string); ok {
				out.Cells = append(out.Cells, Cell{f, pair[0], pair[1]})
			}
		}
	}
	var err error
	if out.Faults, err = readFields(l.Faults); err != nil {
		return Line{}, fmt.Errorf("read faults of line %d: %w", l.Line, err)
	}
	if out.Hints, err = readFields(l.Hints); err != nil {
		return Line{}, fmt.Errorf("read hints of line %d: %w", l.Line, err)
	}
	return out, nil
}

// readFields reads what store wrote; numbers come back as int64.
func readFields(j []byte) ([]fault.Field, error) {
	if j == nil {
		return nil, nil
	}
	var all []fault.Field
	d := json.NewDecoder(bytes.NewReader(j))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return nil, err
	}
	for _, f := range all {
		for i, a := range f.Args {
			if n, ok := a.(json.Number); ok {
				f.Args[i], _ = n.Int64()
			}
		}
	}
	return all, nil
}

func showLines(all []storedLine, err error) ([]Line, error) {
	lines := make([]Line, 0, len(all))
	for _, s := range all {
		l, wrong := s.shown()
		if wrong != nil {
			return nil, wrong
		}
		lines = append(lines, l)
	}
	return lines, err
}

// Lines returns the lines of class c behind the line after, in the order of the
// file, at most limit.
func (b *Book) Lines(ctx context.Context, im Import, c Class, after, limit int) ([]Line, error) {
	return showLines(storedLines(ctx, b.DB, im.ID, c, after, limit))
}

// MissingRows returns the active rows of the domain that the file lacks, behind
// the row after, at most limit.
func (b *Book) MissingRows(ctx context.Context, im Import, after mailbox.ID, limit int) ([]mailbox.Row, error) {
	lacked := mailbox.Query{
		SQL:  `r.active and r.id not in (select l.row_id from import_line l where l.import = @import and l.row_id is not null)`,
		Args: pgx.NamedArgs{"import": im.ID},
	}
	missing, err := b.Mailbox.Among(ctx, b.DB, im.Domain, lacked, after, limit)
	if err != nil {
		return nil, fmt.Errorf("look for rows that import %d lacks: %w", im.ID, err)
	}
	for i := range missing {
		missing[i].Standing = im.Standing
	}
	return missing, nil
}

// WriteFaults writes the faulty lines to w as they stand in the file, with a
// column headed why that says what is wrong with each in the words of word.
func (b *Book) WriteFaults(ctx context.Context, im Import, w io.Writer, why string, word func(fault.Field) string) error {
	out := sheet.NewWriter(w, sheet.WriterFormat{Separator: ';', BOM: true})
	if err := out.Write(append(im.Header[:len(im.Header):len(im.Header)], why)...); err != nil {
		return fmt.Errorf("write faults: %w", err)
	}
	for after := 0; ; {
		lines, err := storedLines(ctx, b.DB, im.ID, LineFaulty, after, planBatch)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			return out.Flush()
		}
		after = lines[len(lines)-1].Line
		for _, l := range lines {
			if err := out.Write(l.withReason(len(im.Header), word)...); err != nil {
				return fmt.Errorf("write faults: %w", err)
			}
		}
	}
}

// withReason are the cells of a faulty line, as many as there are headings, and
// what is wrong with it.
func (l storedLine) withReason(width int, word func(fault.Field) string) []string {
	cells := make([]string, width+1)
	copy(cells[:width], l.Cells)
	faults, _ := readFields(l.Faults)
	for i, f := range faults {
		if i > 0 {
			cells[width] += " "
		}
		cells[width] += word(f)
	}
	return cells
}
