package page

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"petschaft/internal/postgres"
	"petschaft/internal/sheet"
)

// Bounds of a file that a person fetches. It is written whole before its first
// byte leaves, so that no connection to the database waits for the line of whoever
// reads it; and it leaves as fast as a slow line takes it, or not at all.
const (
	// LongestWriting is how long the database may take for it.
	LongestWriting = 2 * time.Minute

	longestSending = 10 * time.Minute
	patience       = 30 * time.Second // beside what its size takes at the least rate
	leastRate      = 64 << 10         // bytes in a second
)

// File is what a person fetches.
type File struct {
	Name  string // needs no quoting
	Kind  string
	Write func(ctx context.Context, to io.Writer) error
}

// Send writes f and sends it to whoever is signed in: one file at a time for each
// account. Asking again while it is written begins anew; while it is under way, or
// while too many others are written, it is a fault.
func (p *Page) Send(w http.ResponseWriter, r *http.Request, f File) error {
	h := w.Header()
	told := func() {
		h.Set("Content-Type", f.Kind)
		h.Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	}
	if r.Method == http.MethodHead {
		told()
		return nil
	}
	t, err := p.downloads.enter(r.Context(), p.Actor(r).Account, p.Now)
	if err != nil {
		return err
	}
	defer t.leave()
	err = t.judge(f.Write(postgres.Slow(t.ctx, LongestWriting), &t.spool))
	if err != nil {
		return err
	}
	told()
	h.Set("Content-Length", strconv.FormatInt(t.spool.size, 10))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendingTime(t.spool.size))) // where the connection can
	whole, err := t.spool.content()
	if err != nil {
		return err
	}
	if n, err := io.Copy(w, whole); err != nil && n < t.spool.size {
		return nil //nolint:nilerr // the reader went away or was too slow, and sees by the length that it lacks something
	}
	return nil
}

// sendingTime is how long a file of size bytes may be under way.
func sendingTime(size int64) time.Duration {
	return min(longestSending, patience+time.Duration(size/leastRate)*time.Second)
}

// Cells is a file of cells.
type Cells interface {
	Write(cells ...string) error
	Flush() error
}

// CSV is the kind of a file of cells.
const CSV = "text/csv; charset=utf-8"

// CellFile is a file of cells that rows writes, as format says: "comma" for
// programs, "parts" an archive of files that an import takes, each, else
// semicolons and a byte order mark, which German Excel opens right. name is
// without its ending.
func CellFile(name, format string, rows func(ctx context.Context, f Cells) error) File {
	begin := func(to io.Writer) Cells { return sheet.NewWriter(to, sheet.WriterFormat{Separator: ';', BOM: true}) }
	file := File{Name: name + ".csv", Kind: CSV}
	switch format {
	case "comma":
		begin = func(to io.Writer) Cells { return sheet.NewWriter(to, sheet.WriterFormat{Separator: ','}) }
	case "parts":
		file.Name, file.Kind = name+".zip", "application/zip"
		begin = func(to io.Writer) Cells {
			return sheet.NewParts(to, name, sheet.WriterFormat{Separator: ';', BOM: true})
		}
	}
	file.Write = func(ctx context.Context, to io.Writer) error {
		f := begin(to)
		if err := rows(ctx, f); err != nil {
			return err
		}
		return f.Flush()
	}
	return file
}
