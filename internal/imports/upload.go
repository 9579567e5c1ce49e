package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/sheet"
	"petschaft/internal/text"
)

// chunk is in what pieces a file is kept.
const chunk = 256 << 10

// Upload keeps the file that r holds for the domain called name, in pieces as
// they come, and recognises its format and columns. A file over
// sheet.MaxBytes is fault.TooLarge, one too many ErrOpen or ErrSpace; one that came
// whole takes the place of the oldest that nobody applied, if there are too many.
func (b *Book) Upload(ctx context.Context, by person.Actor, name, fileName string, r io.Reader) (ID, error) {
	d, err := b.Mailbox.Editable(ctx, b.DB, by, name)
	if err != nil {
		return 0, err
	}
	now := b.Now()
	f := received{name: readFileName(fileName)}
	err = b.upload(ctx, now, by, d, &f, r, func(tx pgx.Tx) error { return b.keepReceived(ctx, tx, now, by, d, f) })
	if err != nil {
		return 0, err
	}
	return f.id, nil
}

// received is a file that came whole.
type received struct {
	id      ID
	name    string
	wish    Wish
	size    int
	format  sheet.Format
	line    int // of the header
	header  []string
	records int
}

// upload receives a file and lets end do the rest in one transaction. Without
// that nobody sees the import, and nothing stays of it.
func (b *Book) upload(ctx context.Context, now time.Time, by person.Actor, d org.EmailDomain, f *received, r io.Reader, end func(tx pgx.Tx) error) error {
	if err := b.reserve(ctx, now, by, d, f); err != nil {
		return err
	}
	err := b.receive(ctx, r, f)
	if err == nil {
		err = b.DB.Tx(ctx, end)
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
	var sniffer sheet.Sniffer
	workbook := false
	err := b.pieces(ctx, f.id, r, func(place int, piece []byte) error {
		if place == 0 {
			if why := sheet.Foreign(piece[:min(len(piece), sheet.HeadBytes)]); why != "" {
				var bad fault.Fields
				bad.Add("file", why)
				return bad.Err()
			}
			workbook = sheet.IsWorkbook(piece)
		}
		f.size += len(piece)
		_, err := sniffer.Write(piece)
		return err
	})
	if err != nil {
		return err
	}
	f.format = sniffer.Format(f.wish.Encoding)
	if workbook {
		f.format = sheet.Format{Encoding: sheet.Workbook, Separator: ';'}
		if err := b.unpack(ctx, f.id, f.size); err != nil {
			return err
		}
	} else if f.wish.Separator != 0 {
		f.format.Separator = f.wish.Separator
	}
	if f.line, f.header, err = b.recognise(ctx, f.id, f.format, f.wish.HeaderLine); err != nil {
		return err
	}
	below := sheet.NewReader(&file{ctx: ctx, q: b.DB, id: f.id}, f.format)
	_, _ = below.Header(f.line) // what is wrong with it is said of the columns
	if f.records, err = count(below); err != nil {
		return fmt.Errorf("count records: %w", err)
	}
	return nil
}

// keepReceived is the step from which on people see the import.
func (b *Book) keepReceived(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, d org.EmailDomain, f received) error {
	_, err := tx.Exec(ctx, `update import set state = 'uploaded', since = @now, bytes = @bytes, encoding = @encoding, separator = @separator,
			header_line = @line, header = @header, columns = @columns, records = @records where id = @id`,
		pgx.NamedArgs{
			"id": f.id, "now": now, "bytes": f.size, "encoding": f.format.Encoding, "separator": string(f.format.Separator), "line": f.line,
			"header": f.header, "columns": guessColumns(f.header), "records": f.records,
		})
	if err != nil {
		return fmt.Errorf("end upload: %w", err)
	}
	if err := b.makeRoom(ctx, tx, now, by, d, f.id); err != nil {
		return err
	}
	return b.note(ctx, tx, now, by.Who(), "mailbox.import_uploaded", audit.Detail{"file": f.name, "import": f.id}, f.id.Thing(), d.ID.Thing())
}

// pieces keeps what comes from r, after look has seen it.
func (b *Book) pieces(ctx context.Context, id ID, r io.Reader, look func(place int, piece []byte) error) error {
	piece, size := make([]byte, chunk), 0
	for place := 0; ; place++ {
		n, err := io.ReadFull(r, piece)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("receive file: %w", err)
		}
		if size += n; size > sheet.MaxBytes {
			return fault.New(fault.TooLarge, "sheet.too_many_bytes", "max", sheet.MaxBytes>>20)
		}
		if err := look(place, piece[:n]); err != nil {
			return err
		}
		if n > 0 {
			if err := b.keep(ctx, id, place, piece[:n]); err != nil {
				return err
			}
		}
		if n < chunk {
			return nil
		}
	}
}

func (b *Book) keep(ctx context.Context, id ID, place int, piece []byte) error {
	if _, err := b.DB.Exec(ctx, `insert into import_chunk (import, place, bytes) values ($1, $2, $3)`, id, place, piece); err != nil {
		return fmt.Errorf("keep file: %w", err)
	}
	return nil
}

// count is how many records r still has, readable or not.
func count(r *sheet.Reader) (int, error) {
	for n := 0; ; n++ {
		_, err := r.Read()
		if _, one := errors.AsType[*sheet.LineError](err); err == nil || one {
			continue
		}
		if err == io.EOF {
			return n, nil
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
