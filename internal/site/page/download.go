package page

import (
	"cmp"
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

// Download is a file of cells on its way to a browser. Nothing of the answer is
// decided before the first bytes leave, so that a failure until then is told on
// a page.
type Download struct {
	table
	To    http.ResponseWriter
	Name  string
	kind  string // media type, empty: of a text
	Began bool
}

// table is what writes cells: one file, or one in parts.
type table interface {
	Write(cells ...string) error
	Flush() error
}

// NewDownload begins a file as format says: "comma" for programs, "parts" an
// archive of files that an import takes, each, else semicolons and a byte order
// mark, which German Excel opens right. name is without its ending.
func NewDownload(w http.ResponseWriter, name, format string) *Download {
	f := &Download{To: w, Name: name + ".csv"}
	excel := sheet.WriterFormat{Separator: ';', BOM: true}
	switch format {
	case "comma":
		f.table = sheet.NewWriter((*Outlet)(f), sheet.WriterFormat{Separator: ','})
	case "parts":
		f.Name, f.kind = name+".zip", "application/zip"
		f.table = sheet.NewParts((*Outlet)(f), name, excel)
	default:
		f.table = sheet.NewWriter((*Outlet)(f), excel)
	}
	return f
}

// Outlet is where a download's bytes leave.
type Outlet Download

func (o *Outlet) Write(b []byte) (int, error) {
	if !o.Began {
		o.Began = true
		h := o.To.Header()
		h.Set("Content-Type", cmp.Or(o.kind, "text/csv; charset=utf-8"))
		h.Set("Content-Disposition", `attachment; filename="`+o.Name+`"`)
	}
	_ = http.NewResponseController(o.To).SetWriteDeadline(time.Now().Add(downloadPatience)) // where the connection can
	return o.To.Write(b)
}

// Sent ends a download that failed with err, or did not. A browser takes a file
// that ends early for whole, unless its connection breaks.
func (p *Page) Sent(r *http.Request, f *Download, err error) error {
	if err == nil {
		err = f.Flush()
	}
	if err == nil || !f.Began {
		return err
	}
	p.Reference(r, err)
	panic(http.ErrAbortHandler)
}
