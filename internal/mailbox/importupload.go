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
func (b *Book) Upload(ctx context.Context, by person.Actor, name, fileName string, r io.Reader) (ImportID, error) {
	d, err := b.Org.Domain(ctx, by, name)
	if err != nil {
		return 0, err
	}
	if err := MayEditRows(d.Standing); err != nil {
		return 0, err
	}
	fileName = readFileName(fileName)
	var id ImportID
	err = b.DB.QueryRow(ctx, `insert into import (domain, account, file_name, created, since) values ($1, $2, $3, $4, $4) returning id`,
		d.ID, by.Account, fileName, b.Now()).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("begin upload: %w", err)
	}
	if err := b.receive(ctx, by, d, id, fileName, r); err != nil {
		_, gone := b.DB.Exec(context.WithoutCancel(ctx), `delete from import where id = $1`, id)
		return 0, errors.Join(err, gone)
	}
	return id, nil
}

// receive stores the file piece by piece, each for itself: a slow sender holds
// no transaction. Until the last step nobody sees the import.
func (b *Book) receive(ctx context.Context, by person.Actor, d org.EmailDomain, id ImportID, fileName string, r io.Reader) error {
	var head []byte
	piece, size := make([]byte, chunk), 0
	for place := 0; ; place++ {
		n, err := io.ReadFull(r, piece)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("receive file: %w", err)
		}
		if size += n; size > sheet.MaxBytes {
			return fault.New(fault.TooLarge, "sheet.too_many_bytes", "max", sheet.MaxBytes>>20)
		}
		if place == 0 {
			head = bytes.Clone(piece[:min(n, sheet.HeadBytes)])
		}
		if n > 0 {
			if _, err := b.DB.Exec(ctx, `insert into import_chunk (import, place, bytes) values ($1, $2, $3)`, id, place, piece[:n]); err != nil {
				return fmt.Errorf("keep file: %w", err)
			}
		}
		if n < chunk {
			break
		}
	}
	f, header, err := recognise(head)
	if err != nil {
		return err
	}
	records, err := count(sheet.NewReader(&file{ctx: ctx, q: b.DB, id: id}, f))
	if err != nil {
		return fmt.Errorf("count records: %w", err)
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update import set state = 'uploaded', since = @now, bytes = @bytes, encoding = @encoding, separator = @separator,
				header = @header, columns = @columns, records = @records where id = @id`,
			pgx.NamedArgs{
				"id": id, "now": b.Now(), "bytes": size, "encoding": f.Encoding, "separator": string(f.Separator), "header": header,
				"columns": guessColumns(header), "records": records,
			})
		if err != nil {
			return fmt.Errorf("end upload: %w", err)
		}
		return b.note(ctx, tx, by.Who(), "mailbox.import_uploaded", audit.Detail{"file": fileName, "import": id}, id.Thing(), d.ID.Thing())
	})
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
