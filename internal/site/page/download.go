package page

import (
	"net/http"
	"time"

	"petschaft/internal/sheet"
)

// Bounds of downloads: one lasts as long as its reader goes on taking, but a
// connection to the database is not lent for ever, nor are all of them.
const (
	LongestDownload  = 10 * time.Minute
	downloadPatience = 30 * time.Second
)

// Download is a file of cells on its way to a browser.
type Download struct {
	table
	out *Outlet
}

// table is what writes cells: one file, or one in parts.
type table interface {
	Write(cells ...string) error
	Flush() error
}

const csvKind = "text/csv; charset=utf-8"

// NewDownload begins a file as format says: "comma" for programs, "parts" an
// archive of files that an import takes, each, else semicolons and a byte order
// mark, which German Excel opens right. name is without its ending.
func NewDownload(w http.ResponseWriter, name, format string) *Download {
	out := &Outlet{to: w, name: name + ".csv", kind: csvKind}
	excel := sheet.WriterFormat{Separator: ';', BOM: true}
	switch format {
	case "comma":
		return &Download{sheet.NewWriter(out, sheet.WriterFormat{Separator: ','}), out}
	case "parts":
		out.name, out.kind = name+".zip", "application/zip"
		return &Download{sheet.NewParts(out, name, excel), out}
	}
	return &Download{sheet.NewWriter(out, excel), out}
}

// Sent ends a download that failed with err, or did not.
func (p *Page) Sent(r *http.Request, f *Download, err error) error {
	if err == nil {
		err = f.Flush()
	}
	return p.Ended(r, f.out, err)
}

// Outlet is where the bytes of a file leave. Nothing of the answer is decided
// before the first of them, so that a failure until then is told on a page.
type Outlet struct {
	to         http.ResponseWriter
	name, kind string
	began      bool
}

// NewOutlet is for a file of cells; name needs no quoting and is without its
// ending.
func NewOutlet(w http.ResponseWriter, name string) *Outlet {
	return &Outlet{to: w, name: name + ".csv", kind: csvKind}
}

func (o *Outlet) Write(b []byte) (int, error) {
	if !o.began {
		o.began = true
		h := o.to.Header()
		h.Set("Content-Type", o.kind)
		h.Set("Content-Disposition", `attachment; filename="`+o.name+`"`)
	}
	_ = http.NewResponseController(o.to).SetWriteDeadline(time.Now().Add(downloadPatience)) // where the connection can
	return o.to.Write(b)
}

// Ended ends what went out through o and failed with err, or did not. A browser
// takes a file that ends early for whole, unless its connection breaks.
func (p *Page) Ended(r *http.Request, o *Outlet, err error) error {
	if err == nil || !o.began {
		return err
	}
	p.Reference(r, err)
	panic(http.ErrAbortHandler)
}
