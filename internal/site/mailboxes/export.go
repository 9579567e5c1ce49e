package mailboxes

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
)

// exportHref is the address of the file with all that v shows.
func exportHref(base string, v mailbox.View) string {
	return rowHref(base+"/export.csv", mailbox.View{Status: v.Status, Doubtful: v.Doubtful, Text: v.Text})
}

// Export sends what the table shows, not only its page, as a file.
func (s *Section) Export(w http.ResponseWriter, r *http.Request) error {
	ctx, by, q := r.Context(), s.Actor(r), r.URL.Query()
	v, err := exportView(q)
	if err != nil {
		return err
	}
	d, err := s.Org.Domain(ctx, by, chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	words := newFileWords(ctx)
	return s.Send(w, r, page.CellFile(string(d.Name), q.Get("format"), func(ctx context.Context, f page.Cells) error {
		err := f.Write(append(words.columns(), page.T(ctx, "rows.status"), page.T(ctx, "export.linked"), page.T(ctx, "export.end"), page.T(ctx, "export.doubtful"))...)
		if err != nil {
			return err
		}
		return s.Mailbox.Export(ctx, by, string(d.Name), v, func(x mailbox.Exported) error { return f.Write(words.cells(x)...) })
	}))
}

// exportView reads which rows are wanted: those that a table shows, or single
// ones.
func exportView(q url.Values) (mailbox.View, error) {
	v := ReadView(q)
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

// Template sends a file to fill in: the columns, and two examples.
func (s *Section) Template(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	d, err := s.Org.Domain(ctx, s.Actor(r), chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	f := page.CellFile(string(d.Name)+"-template", r.URL.Query().Get("format"), func(_ context.Context, f page.Cells) (err error) {
		for _, cells := range examples(ctx, d) {
			err = errors.Join(err, f.Write(cells...))
		}
		return err
	})
	var content bytes.Buffer
	if err := f.Write(ctx, &content); err != nil {
		return err
	}
	return page.Attach(w, f.Kind, f.Name, content.Bytes())
}

// examples are the columns of an import and two rows as d could have them.
func examples(ctx context.Context, d org.EmailDomain) [][]string {
	words, at := newFileWords(ctx), "@"+string(d.Name)
	lines := [][]string{
		words.columns(),
		{page.T(ctx, "export.example_person"), "erika.muster" + at, "e.muster" + at, "", words.kinds[mailbox.Personal], "", page.T(ctx, "export.example_comment")},
		{page.T(ctx, "export.example_office"), "sekretariat" + at, "", "", words.kinds[mailbox.Functional], "erika.muster" + at, ""},
	}
	if d.Validation == org.ByMailbox { // it has no functional rows
		lines[2] = []string{page.T(ctx, "export.example_other"), "max.beispiel" + at, "", "", words.kinds[mailbox.Personal], "", ""}
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
		reader: locale.From(ctx), statuses: map[mailbox.Status]string{}, doubtful: page.T(ctx, "export.doubtful_yes"),
		kinds: map[mailbox.Kind]string{mailbox.Personal: page.RowKind(ctx, mailbox.Personal), mailbox.Functional: page.RowKind(ctx, mailbox.Functional)},
	}
	for _, st := range mailbox.Statuses {
		f.statuses[st] = page.T(ctx, statusIDs[st])
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
