package earlier

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"petschaft/internal/earlier"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
	"petschaft/web/view/officeview"
)

// mostSent bounds the form that carries certificates from before the portal:
// files, and what is between them.
const mostSent = earlier.MostBytes + 1<<20

var errLarge = fault.New(fault.TooLarge, "cert.import.too_large", "max", earlier.MostBytes>>20)

func (s *Section) Start(w http.ResponseWriter, r *http.Request) error {
	return s.startPage(w, r, nil)
}

// startPage asks for files; failed is why those before were refused. A browser
// lets no page choose a file, so they must be chosen anew.
func (s *Section) startPage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx := r.Context()
	imports, err := s.Earlier.Imports(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	m := officeview.EarlierModel{
		Head:   view.HeadModel{Title: page.T(ctx, "earlier.title"), Lead: page.T(ctx, "earlier.lead")},
		Form:   view.FormModel{Action: paths.OfficeEarlier, Upload: true, Submit: view.ButtonModel{Label: page.T(ctx, "earlier.check")}},
		Pasted: r.PostFormValue("pasted"), MostMegabytes: earlier.MostBytes >> 20, MostCertificates: earlier.MostCertificates, Columns: columns(ctx),
	}
	m.Errors, m.Whole = page.Wrong(ctx, failed)
	if _, err := pki.EarlierFile([]byte(m.Pasted)); errors.Is(err, pki.ErrEarlierPrivateKey) {
		m.Pasted = "" // it is not sent back
	}
	for _, i := range imports {
		m.Imports = append(m.Imports, officeview.EarlierImport{
			Href: paths.OfficeEarlierImport(i.ID), Title: page.T(ctx, "earlier.number", "number", strconv.Itoa(int(i.ID))), At: view.Ago(ctx, i.Created, s.Now()), By: i.By,
			Counts: page.T(ctx, "earlier.counts", "applied", i.Applied, "lines", i.Lines),
		})
	}
	f, status := s.OfficeFrame(r, m.Head.Title), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, officeview.Earlier(f, m))
}

func columns(ctx context.Context) []importview.ImportColumn {
	return []importview.ImportColumn{
		{Heading: page.T(ctx, "earlier.column_fingerprint"), Means: page.T(ctx, "earlier.column_fingerprint_text")},
		{Heading: page.T(ctx, "earlier.column_serial"), Means: page.T(ctx, "earlier.column_serial_text")},
		{Heading: page.T(ctx, "earlier.column_address"), Means: page.T(ctx, "earlier.column_address_text")},
		{Heading: page.T(ctx, "earlier.column_holder"), Means: page.T(ctx, "earlier.column_holder_text")},
		{Heading: page.T(ctx, "earlier.column_organisation"), Means: page.T(ctx, "earlier.column_organisation_text")},
	}
}

// Upload keeps the files and goes on to the plan. Its route lets officers only
// in, before anything of the files is read.
func (s *Section) Upload(w http.ResponseWriter, r *http.Request) error {
	if err := s.ReadFiles(r, mostSent, errLarge); err != nil {
		return err
	}
	files, owners, err := filesOf(r)
	if err != nil {
		return err
	}
	n, err := s.Earlier.Upload(r.Context(), s.Actor(r), files, owners)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		return s.startPage(w, r, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeEarlierImport(n), "")
}

// filesOf are what a form carries; its files lie in memory.
func filesOf(r *http.Request) (files []earlier.File, owners []byte, err error) {
	if pasted := r.PostFormValue("pasted"); strings.TrimSpace(pasted) != "" {
		files = append(files, earlier.File{Name: page.T(r.Context(), "earlier.pasted"), Content: []byte(pasted)})
	}
	if r.MultipartForm == nil {
		return files, nil, nil
	}
	for _, h := range r.MultipartForm.File["files"] {
		content, err := contentOf(h)
		if err != nil {
			return nil, nil, err
		}
		if h.Filename != "" && len(content) > 0 {
			files = append(files, earlier.File{Name: h.Filename, Content: content})
		}
	}
	for _, h := range r.MultipartForm.File["owners"] {
		if owners, err = contentOf(h); err != nil {
			return nil, nil, err
		}
	}
	return files, owners, nil
}

func contentOf(h *multipart.FileHeader) ([]byte, error) {
	f, err := h.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
