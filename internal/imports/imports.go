// Package imports takes a contact's file of address rows in: uploaded, read as
// somebody says, planned line by line, applied whole or not at all, and taken
// back as far as nobody touched its rows since. It never sends a mail, never
// makes an exception from what editing by hand allows, and never deletes or
// deactivates a row because a file lacks it.
package imports

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/sheet"
)

// Book keeps imports and works on them.
type Book struct {
	DB      *postgres.DB
	Mailbox *mailbox.Book
	Queue   *queue.Queue
	Now     func() time.Time

	unpacking sync.Mutex
	underWay  underWay
}

// ID is the number of an import.
type ID int64

// Thing is the import as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "import", ID: int64(id)} }

// State is where an import stands:
//
//	uploaded ── Plan ──▶ planning ──▶ planned ── Apply ──▶ applying ──▶ applied ── Undo ──▶ undoing ──▶ undone
//	    │                    ▲         │  ▲                    │
//	    │                    └─ Plan ──┤  └─ rows changed ─────┘
//	    └───────── Discard ────────────┴──▶ discarded
//
// What a job does ends in the state before it when it cannot be done; Trouble
// says why.
type State string

const (
	Uploaded  State = "uploaded"
	Planning  State = "planning"
	Planned   State = "planned"
	Applying  State = "applying"
	Applied   State = "applied"
	Undoing   State = "undoing"
	Undone    State = "undone"
	Discarded State = "discarded"
)

// Working tells whether a job has the import in hand.
func (s State) Working() bool { return s == Planning || s == Applying || s == Undoing }

// Field is what a column of the file holds; empty: a column that is not read.
type Field string

const (
	FieldLast      Field = "last"
	FieldFirst     Field = "first"
	FieldName      Field = "name"
	FieldPrimary   Field = "primary"
	FieldAlias1    Field = "alias1"
	FieldAlias2    Field = "alias2"
	FieldAliases   Field = "aliases"
	FieldProxies   Field = "proxies" // as Exchange writes them: "SMTP:" before the primary, "smtp:" before the others
	FieldKind      Field = "kind"
	FieldApplicant Field = "applicant"
	FieldComment   Field = "comment"
)

// Fields are all of them, in the order of the template.
var Fields = [...]Field{
	FieldLast, FieldFirst, FieldName, FieldPrimary, FieldAlias1, FieldAlias2, FieldAliases, FieldProxies, FieldKind, FieldApplicant, FieldComment,
}

// Class is what the plan says of a line.
type Class string

const (
	LineNew       Class = "new"
	LineChanged   Class = "changed"
	LineUnchanged Class = "unchanged"
	LineSkipped   Class = "skipped" // a mailbox type that the portal does not look after
	LineFaulty    Class = "faulty"
)

// Classes are all of them, in the order of the chips.
var Classes = [...]Class{LineNew, LineChanged, LineUnchanged, LineSkipped, LineFaulty}

// Import is an uploaded file and what became of it. It sends no mail.
type Import struct {
	ID            ID
	Domain        org.ID
	DomainName    org.Domain
	Account       person.ID
	AccountName   string
	FileName      string
	Bytes         int64
	Created       time.Time
	State         State
	Since         time.Time // of the state
	Trouble       string    // message id: why what was ordered last could not be done
	Encoding      sheet.Encoding
	Separator     string
	HeaderLine    int // of the file, 0: the first that is not blank
	Header        []string
	Columns       []Field // one for each heading
	Records       int     // lines below the header, at the upload
	Done          int     // lines read so far while planning
	New           int
	Changed       int
	Unchanged     int
	Skipped       int
	Faulty        int
	Missing       int // active rows of the domain that the file lacks; none where it Tells nothing
	Existing      int // rows of the domain when the plan was made
	Planned       *time.Time
	Applied       *time.Time
	AppliedBy     *person.ID
	AppliedByName *string
	Undone        *time.Time
	UndoneByName  *string
	Stays         int // lines that could not be undone
	org.Standing
}

// Format is how the file is read.
func (im Import) Format() sheet.Format {
	f := sheet.Format{Encoding: im.Encoding}
	for _, r := range im.Separator {
		f.Separator = r
	}
	return f
}

// Recognised is how the file is read unless somebody chooses otherwise.
func (im Import) Recognised() Reading {
	return Reading{Format: im.Format(), HeaderLine: im.HeaderLine, Columns: im.Columns}
}

// Count is how many lines of class c the plan has.
func (im Import) Count(c Class) int {
	return map[Class]int{
		LineNew: im.New, LineChanged: im.Changed, LineUnchanged: im.Unchanged, LineSkipped: im.Skipped, LineFaulty: im.Faulty,
	}[c]
}

const readColumns = `m.id, m.domain, d.name as domain_name, m.account, m.file_name, m.bytes, m.created, m.state, m.since, m.trouble,
	m.encoding, m.separator, m.header_line, m.header, m.columns, m.records, m.done, m.new, m.changed, m.unchanged, m.skipped, m.faulty, m.missing, m.existing,
	m.planned, m.applied, m.applied_by, m.undone, m.stays,
	(select a.label from account a where a.id = m.account) as account_name,
	(select a.label from account a where a.id = m.applied_by) as applied_by_name,
	(select a.label from account a where a.id = m.undone_by) as undone_by_name,
	` + org.IsContact + ` as contact, @officer::boolean as officer`

// One returns the import id of the domain called name, if by may see it.
func (b *Book) One(ctx context.Context, by person.Actor, name string, id ID) (Import, error) {
	return loadImport(ctx, b.DB, by, name, id)
}

func loadImport(ctx context.Context, q postgres.Querier, by person.Actor, name string, id ID) (Import, error) {
	rows, err := q.Query(ctx, `select `+readColumns+` from import m join email_domain d on d.id = m.domain
		where m.id = @id and d.name = @name and m.state <> 'uploading'`, org.Scope(by, pgx.NamedArgs{"id": id, "name": name}))
	if err != nil {
		return Import{}, fmt.Errorf("read import %d: %w", id, err)
	}
	im, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Import])
	if err != nil {
		return Import{}, fmt.Errorf("read import %d: %w", id, postgres.Fault(err))
	}
	if !im.Sees() {
		return Import{}, fault.New(fault.Missing, "fault.missing")
	}
	return im, nil
}

// OfDomain returns the imports of the domain called name, newest first, older
// than before (0: from the newest), at most limit.
func (b *Book) OfDomain(ctx context.Context, by person.Actor, name string, before ID, limit int) ([]Import, error) {
	d, err := b.Mailbox.Org.Domain(ctx, by, name)
	if err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+readColumns+` from import m join email_domain d on d.id = m.domain
		where m.domain = @domain and m.state <> 'uploading' and (@before = 0::bigint or m.id < @before) order by m.id desc limit @limit`,
		org.Scope(by, pgx.NamedArgs{"domain": d.ID, "before": before, "limit": limit}))
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Import])
}
