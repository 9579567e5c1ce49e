package imports

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/internal/sheet"
)

// file reads an uploaded file, one piece at a time.
type file struct {
	ctx   context.Context
	q     postgres.Querier
	id    ID
	place int
	piece []byte
}

func (f *file) Read(p []byte) (int, error) {
	if len(f.piece) == 0 {
		piece, err := pieceOf(f.ctx, f.q, f.id, f.place)
		if fault.Is(err, fault.Missing) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		f.piece = piece
		f.place++
	}
	n := copy(p, f.piece)
	f.piece = f.piece[n:]
	return n, nil
}

// pieceOf is one piece of a file, fault.Missing where there is none.
func pieceOf(ctx context.Context, q postgres.Querier, id ID, place int) ([]byte, error) {
	rows, err := q.Query(ctx, `select bytes from import_chunk where import = $1 and place = $2`, id, place)
	if err != nil {
		return nil, err
	}
	piece, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte])
	return piece, postgres.Fault(err)
}

// unpack puts the first sheet of an uploaded workbook in the place of its bytes.
// One workbook at a time is unpacked in a process, so that what it takes of
// memory is taken once.
func (b *Book) unpack(ctx context.Context, id ID, size int) error {
	b.unpacking.Lock()
	defer b.unpacking.Unlock()
	out := &unpacked{book: b, ctx: ctx, id: id, next: make([]byte, 0, chunk)}
	if err := sheet.Unpack(out, &pieces{ctx: ctx, q: b.DB, id: id, size: int64(size), place: -1}, int64(size)); err != nil {
		return fmt.Errorf("unpack workbook: %w", inFile(err))
	}
	if err := out.flush(); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `delete from import_chunk where import = $1 and place >= 0`, id); err != nil {
			return fmt.Errorf("forget workbook: %w", err)
		}
		if _, err := tx.Exec(ctx, `update import_chunk set place = -1 - place where import = $1`, id); err != nil {
			return fmt.Errorf("keep sheet: %w", err)
		}
		return nil
	})
}

// inFile is what is wrong with a file, beside its field.
func inFile(err error) error {
	f := fault.Of(err)
	if f.Kind != fault.Invalid {
		return err
	}
	var bad fault.Fields
	bad.Add("file", f.ID, f.Args...)
	return bad.Err()
}

// pieces reads an uploaded file anywhere. It holds one piece.
type pieces struct {
	ctx   context.Context
	q     postgres.Querier
	id    ID
	size  int64
	place int
	piece []byte
}

func (f *pieces) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		if at >= f.size {
			return n, io.EOF
		}
		if place := int(at / chunk); place != f.place {
			if f.piece, err = pieceOf(f.ctx, f.q, f.id, place); err != nil {
				return n, err
			}
			f.place = place
		}
		m := copy(p[n:], f.piece[at%chunk:])
		n, at = n+m, at+int64(m)
	}
	return n, nil
}

// unpacked keeps what is written in pieces below those of the workbook.
type unpacked struct {
	book  *Book
	ctx   context.Context
	id    ID
	place int
	next  []byte
}

func (u *unpacked) Write(p []byte) (int, error) {
	for n := 0; n < len(p); {
		m := min(len(p)-n, chunk-len(u.next))
		u.next = append(u.next, p[n:n+m]...)
		n += m
		if len(u.next) == chunk {
			if err := u.flush(); err != nil {
				return n, err
			}
		}
	}
	return len(p), nil
}

func (u *unpacked) flush() error {
	if len(u.next) == 0 {
		return nil
	}
	err := u.book.keep(u.ctx, u.id, -1-u.place, u.next)
	u.place, u.next = u.place+1, u.next[:0]
	return err
}
