package site

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/postgres"
	"petschaft/internal/sheet"
	"petschaft/web/locale"
)

// exportHref is the address of the file with all that v shows.
func exportHref(base string, v mailbox.View) string {
	return viewHref(base+"/export.csv", mailbox.View{Status: v.Status, Doubtful: v.Doubtful, Text: v.Text})
}

// exportRows sends what the table shows, not only its page, as a file.
func (s *Site) exportRows(w http.ResponseWriter, r *http.Request) error {
	ctx, by, q := r.Context(), s.actor(r), r.URL.Query()
	v, err := exportView(q)
	if err != nil {
		return err
	}
	d, err := s.Org.Domain(ctx, by, chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	if !s.exports.enter() {
		return fault.New(fault.Unavailable, "export.busy")
	}
	defer s.exports.leave()
	ctx = postgres.Slow(ctx, longestDownload)
	words, f := newFileWords(ctx), newDownload(w, string(d.Name), q.Get("format"))
	err = f.Write(append(words.columns(), t(ctx, "rows.status"), t(ctx, "export.linked"), t(ctx, "export.end"), t(ctx, "export.doubtful"))...)
	if err == nil && r.Method != http.MethodHead {
		err = s.Mailbox.Export(ctx, by, string(d.Name), v, func(x mailbox.Exported) error { return f.Write(words.cells(x)...) })
	}
	return s.sent(r, f, err)
}

// exportView reads which rows are wanted: those that a table shows, or single
// ones.
func exportView(q url.Values) (mailbox.View, error) {
	v := readView(q)
	if q.Get("all") == "1" { // of the table, whatever is ticked in it
		return v, nil
	}
	for _, row := range q["row"] {
		n, err := strconv.ParseInt(row, 10, 64)
		if err != nil {
			return v, fault.New(fault.Missing, "")
		}
		v.IDs = append(v.IDs, mailbox.ID(n))
	}
	return v, nil
}

// importTemplate sends a file to fill in: the columns, and two examples.
func (s *Site) importTemplate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	d, err := s.Org.Domain(ctx, s.actor(r), chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	f := newDownload(w, string(d.Name)+"-template", r.URL.Query().Get("format"))
	for _, cells := range examples(ctx, d) {
		err = errors.Join(err, f.Write(cells...))
	}
	return s.sent(r, f, err)
}

// examples are the columns of an import and two rows as d could have them.
func examples(ctx context.Context, d org.EmailDomain) [][]string {
	words, at := newFileWords(ctx), "@"+string(d.Name)
	lines := [][]string{
		words.columns(),
		{t(ctx, "export.example_person"), "erika.muster" + at, "e.muster" + at, "", words.kinds[mailbox.Personal], "", t(ctx, "export.example_comment")},
		{t(ctx, "export.example_office"), "sekretariat" + at, "", "", words.kinds[mailbox.Functional], "erika.muster" + at, ""},
	}
	if d.Validation == org.ByMailbox { // it has no functional rows
		lines[2] = []string{t(ctx, "export.example_other"), "max.beispiel" + at, "", "", words.kinds[mailbox.Personal], "", ""}
	}
	return lines
}

// fileWords are the words of a file in one language.
type fileWords struct {
	reader   *locale.Reader
	kinds    map[mailbox.Kind]string
	statuses map[mailbox.Status]string
	doubtful string
	line     []string // one row's cells, used again for the next
}

func newFileWords(ctx context.Context) *fileWords {
	f := &fileWords{
		reader: locale.From(ctx), statuses: map[mailbox.Status]string{}, doubtful: t(ctx, "export.doubtful_yes"),
		kinds: map[mailbox.Kind]string{mailbox.Personal: kindWords(ctx, mailbox.Personal), mailbox.Functional: kindWords(ctx, mailbox.Functional)},
	}
	for _, st := range mailbox.Statuses {
		f.statuses[st] = t(ctx, statusIDs[st])
	}
	return f
}

// columns are the headings that an import understands, in either language.
func (f *fileWords) columns() []string {
	ids := [...]string{"export.name", "export.primary", "export.alias_1", "export.alias_2", "export.kind", "export.applicant", "export.comment"}
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = f.reader.T(id)
	}
	return words
}

// cells are a row below the columns and what only an export tells. They are
// good until it is called again.
func (f *fileWords) cells(x mailbox.Exported) []string {
	ends, doubtful := "", ""
	if x.Doubtful {
		doubtful = f.doubtful
	}
	if x.CertificateEnd != nil {
		ends = f.reader.ISODate(*x.CertificateEnd)
	}
	f.line = append(f.line[:0], x.Name, string(x.Primary), string(x.Aliases[0]), string(x.Aliases[1]), f.kinds[x.Kind], string(x.Applicant), x.Comment,
		f.statuses[x.Status], x.Linked, ends, doubtful)
	return f.line
}

// Bounds of downloads: one lasts as long as its reader goes on taking, but a
// connection to the database is not lent for ever, nor are all of them.
const (
	longestDownload  = 10 * time.Minute
	downloadPatience = 30 * time.Second
	mostExports      = 4
)

// gate lets mostExports through at a time.
type gate struct{ inside atomic.Int32 }

func (g *gate) enter() bool {
	if g.inside.Add(1) > mostExports {
		g.leave()
		return false
	}
	return true
}

func (g *gate) leave() { g.inside.Add(-1) }

// download is a file of cells on its way to a browser. Nothing of the answer is
// decided before the first bytes leave, so that a failure until then is told on
// a page.
type download struct {
	table
	to    http.ResponseWriter
	name  string
	kind  string // media type, empty: of a text
	began bool
}

// table is what writes cells: one file, or one in parts.
type table interface {
	Write(cells ...string) error
	Flush() error
}

// newDownload begins a file as format says: "comma" for programs, "parts" an
// archive of files that an import takes, each, else semicolons and a byte order
// mark, which German Excel opens right. name is without its ending.
func newDownload(w http.ResponseWriter, name, format string) *download {
	f := &download{to: w, name: name + ".csv"}
	excel := sheet.WriterFormat{Separator: ';', BOM: true}
	switch format {
	case "comma":
		f.table = sheet.NewWriter((*outlet)(f), sheet.WriterFormat{Separator: ','})
	case "parts":
		f.name, f.kind = name+".zip", "application/zip"
		f.table = sheet.NewParts((*outlet)(f), name, excel)
	default:
		f.table = sheet.NewWriter((*outlet)(f), excel)
	}
	return f
}

// outlet is where a download's bytes leave.
type outlet download

func (o *outlet) Write(b []byte) (int, error) {
	if !o.began {
		o.began = true
		h := o.to.Header()
		h.Set("Content-Type", cmp.Or(o.kind, "text/csv; charset=utf-8"))
		h.Set("Content-Disposition", `attachment; filename="`+o.name+`"`)
	}
	_ = http.NewResponseController(o.to).SetWriteDeadline(time.Now().Add(downloadPatience)) // where the connection can
	return o.to.Write(b)
}

// sent ends a download that failed with err, or did not. A browser takes a file
// that ends early for whole, unless its connection breaks.
func (s *Site) sent(r *http.Request, f *download, err error) error {
	if err == nil {
		err = f.Flush()
	}
	if err == nil || !f.began {
		return err
	}
	s.reference(r, err)
	panic(http.ErrAbortHandler)
}
