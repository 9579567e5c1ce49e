package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/sheet"
	"petschaft/internal/text"
)

// chunk is in what pieces a file is kept.
const chunk = 256 << 10

// previewRows is how many rows a preview shows.
const previewRows = 10

// Reading is how a file is to be understood: Columns has one Field for each
// heading.
type Reading struct {
	Format  sheet.Format
	Columns []Field
}

// Preview is the beginning of a file read in some format.
type Preview struct {
	Header  []string
	Columns []Field // as guessed from the header
	Rows    [][]string
}

// Upload keeps the file that r holds for the domain called name, in pieces as
// they come, and recognises its format and columns. A file over
// sheet.MaxBytes is fault.TooLarge.
func (b *Book) Upload(ctx context.Context, by person.Actor, name, fileName string, r io.Reader) (id ImportID, err error) {
	d, err := b.editable(ctx, b.DB, by, name)
	if err != nil {
		return 0, err
	}
	return id, b.upload(ctx, by, d, fileName, r, func(tx pgx.Tx, f received) error {
		id = f.id
		return b.keepReceived(ctx, tx, by, d, f)
	})
}

// received is a file that came whole.
type received struct {
	id      ImportID
	name    string
	size    int
	format  sheet.Format
	header  []string
	records int
}

// upload receives a file and lets end do the rest in one transaction. Without
// that nobody sees the import, and nothing stays of it.
func (b *Book) upload(ctx context.Context, by person.Actor, d org.EmailDomain, name string, r io.Reader, end func(tx pgx.Tx, f received) error) error {
	f := received{name: readFileName(name)}
	err := b.DB.QueryRow(ctx, `insert into import (domain, account, file_name, created, since) values ($1, $2, $3, $4, $4) returning id`,
		d.ID, by.Account, f.name, b.Now()).Scan(&f.id)
	if err != nil {
		return fmt.Errorf("begin upload: %w", err)
	}
	err = b.receive(ctx, r, &f)
	if err == nil {
		err = b.DB.Tx(ctx, func(tx pgx.Tx) error { return end(tx, f) })
	}
	if err != nil { // a commit whose answer was lost may have ended it
		_, gone := b.DB.Exec(context.WithoutCancel(ctx), `delete from import where id = $1 and state = 'uploading'`, f.id)
		return errors.Join(err, gone)
	}
	return nil
}

// receive stores the file piece by piece, each for itself: a slow sender holds
// no transaction.
func (b *Book) receive(ctx context.Context, r io.Reader, f *received) error {
	var head []byte
	piece := make([]byte, chunk)
	for place := 0; ; place++ {
		n, err := io.ReadFull(r, piece)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("receive file: %w", err)
		}
		if f.size += n; f.size > sheet.MaxBytes {
			return fault.New(fault.TooLarge, "sheet.too_many_bytes", "max", sheet.MaxBytes>>20)
		}
		if place == 0 {
			head = bytes.Clone(piece[:min(n, sheet.HeadBytes)])
		}
		if n > 0 {
			if _, err := b.DB.Exec(ctx, `insert into import_chunk (import, place, bytes) values ($1, $2, $3)`, f.id, place, piece[:n]); err != nil {
				return fmt.Errorf("keep file: %w", err)
			}
		}
		if n < chunk {
			break
		}
	}
	var err error
	if f.format, f.header, err = recognise(head); err != nil {
		return err
	}
	if f.records, err = count(sheet.NewReader(&file{ctx: ctx, q: b.DB, id: f.id}, f.format)); err != nil {
		return fmt.Errorf("count records: %w", err)
	}
	return nil
}

// keepReceived is the step from which on people see the import.
func (b *Book) keepReceived(ctx context.Context, tx pgx.Tx, by person.Actor, d org.EmailDomain, f received) error {
	_, err := tx.Exec(ctx, `update import set state = 'uploaded', since = @now, bytes = @bytes, encoding = @encoding, separator = @separator,
			header = @header, columns = @columns, records = @records where id = @id`,
		pgx.NamedArgs{
			"id": f.id, "now": b.Now(), "bytes": f.size, "encoding": f.format.Encoding, "separator": string(f.format.Separator), "header": f.header,
			"columns": guessColumns(f.header), "records": f.records,
		})
	if err != nil {
		return fmt.Errorf("end upload: %w", err)
	}
	return b.note(ctx, tx, by.Who(), "mailbox.import_uploaded", audit.Detail{"file": f.name, "import": f.id}, f.id.Thing(), d.ID.Thing())
}

// count is how many records there are below the header, readable or not.
func count(r *sheet.Reader) (int, error) {
	for n := -1; ; n++ {
		_, err := r.Read()
		if _, one := errors.AsType[*sheet.LineError](err); err == nil || one {
			continue
		}
		if err == io.EOF {
			return max(0, n), nil
		}
		return 0, err
	}
}

// readFileName is the name of a file without its folders, for people only.
func readFileName(s string) string {
	s = text.Line(s[strings.LastIndexAny(s, `/\`)+1:])
	for len(s) > 255 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// recognise tells the format and the header of a file by its first bytes.
func recognise(head []byte) (f sheet.Format, header []string, err error) {
	var bad fault.Fields
	for _, workbook := range [...]string{"PK\x03\x04", "\xd0\xcf\x11\xe0", "%PDF"} {
		if bytes.HasPrefix(head, []byte(workbook)) {
			bad.Add("file", "mailbox.import.workbook")
			return f, nil, bad.Err()
		}
	}
	f = sheet.Sniff(head)
	header, err = readHeader(sheet.NewReader(bytes.NewReader(head), f))
	if err == io.EOF {
		bad.Add("file", "mailbox.import.empty")
		return f, nil, bad.Err()
	}
	if wrong, ok := errors.AsType[*sheet.LineError](err); ok { // another format may read it
		return f, []string{text.Line(wrong.Text)}, nil
	}
	return f, header, err
}

func readHeader(r *sheet.Reader) ([]string, error) {
	rec, err := r.Read()
	header := make([]string, len(rec.Cells))
	for i, c := range rec.Cells {
		header[i] = text.Line(c)
	}
	return header, err
}

// Preview returns the first rows of the file under the format f.
func (b *Book) Preview(ctx context.Context, im Import, f sheet.Format) (Preview, error) {
	r := sheet.NewReader(&file{ctx: ctx, q: b.DB, id: im.ID}, f)
	header, err := readHeader(r)
	p := Preview{Header: header, Columns: guessColumns(header)}
	for err == nil && len(p.Rows) < previewRows {
		var rec sheet.Record
		rec, err = r.Read()
		if wrong, ok := errors.AsType[*sheet.LineError](err); ok {
			rec.Cells, err = []string{wrong.Text}, nil
		}
		if err == nil {
			p.Rows = append(p.Rows, rec.Cells)
		}
	}
	if wrong, ok := errors.AsType[*sheet.LineError](err); ok {
		return Preview{Header: []string{text.Line(wrong.Text)}, Columns: []Field{""}}, nil
	}
	if err != nil && err != io.EOF {
		return Preview{}, fmt.Errorf("preview import %d: %w", im.ID, err)
	}
	return p, nil
}

// file reads an uploaded file, one piece at a time.
type file struct {
	ctx   context.Context
	q     org.Querier
	id    ImportID
	place int
	piece []byte
}

func (f *file) Read(p []byte) (int, error) {
	if len(f.piece) == 0 {
		rows, err := f.q.Query(f.ctx, `select bytes from import_chunk where import = $1 and place = $2`, f.id, f.place)
		if err != nil {
			return 0, err
		}
		f.piece, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte])
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, postgres.Fault(err)
		}
		f.place++
	}
	n := copy(p, f.piece)
	f.piece = f.piece[n:]
	return n, nil
}
