package imports

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/sheet"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
)

const (
	// maxDrained bounds what is read of an upload that is too large. A browser
	// shows no answer before it has sent everything.
	maxDrained = 4 * sheet.MaxBytes
	// UploadTime is how long a file may take on a slow line.
	UploadTime = 10 * time.Minute
)

// Streams tells whether the page at p reads its body piece by piece.
func Streams(p string) bool { return page.Matches("/email-domains/*/imports", p) }

// Upload keeps the file and goes on to how it was understood.
func (s *Section) Upload(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	d, err := s.Org.Domain(ctx, by, chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	if err := mailbox.MayEditRows(d.Standing); err != nil {
		return err
	}
	name, file, err := uploaded(w, r)
	if fault.Is(err, fault.Unavailable) {
		return err
	}
	if err != nil {
		return s.listPage(w, r, d, err)
	}
	im, err := s.Imports.Upload(ctx, by, string(d.Name), name, file)
	if err != nil && (page.Answerable(err) || fault.Is(err, fault.TooLarge)) {
		_, _ = io.Copy(io.Discard, r.Body)
		return s.listPage(w, r, d, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.EmailDomain(d.Name)+"/imports/"+page.ID(im), "")
}

// uploaded is the name and the content of the file in r, which is read as it
// comes.
func uploaded(w http.ResponseWriter, r *http.Request) (name string, file io.Reader, err error) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(UploadTime + time.Minute))
	if err := page.Stream(r, maxDrained, UploadTime); err != nil {
		return "", nil, err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return "", nil, fault.New(fault.Invalid, "import.file_none").Because(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, fault.New(fault.Invalid, "import.file_none")
		}
		if err != nil {
			return "", nil, fault.New(fault.Invalid, "import.file_cut").Because(err)
		}
		if part.FormName() != "file" {
			continue
		}
		if part.FileName() == "" { // the form was sent without choosing one
			return "", nil, fault.New(fault.Invalid, "import.file_none")
		}
		if !text.Valid(part.FileName()) {
			return "", nil, text.ErrForm
		}
		return part.FileName(), part, nil
	}
}

// uploadModel is the form with the file, again when failed is not nil. A browser
// lets no page choose a file, so that the file must be chosen anew.
func uploadModel(ctx context.Context, action string, failed error) *importview.UploadModel {
	m := &importview.UploadModel{
		Form:     view.FormModel{Action: action, Upload: true, Submit: view.ButtonModel{Label: page.T(ctx, "import.upload")}},
		MaxBytes: sheet.MaxBytes, MaxRows: sheet.MaxRows, MostOpen: imports.MostOpen,
	}
	fields, whole := page.Wrong(ctx, failed)
	if fault.Is(failed, fault.Conflict) {
		m.Whole = whole // another file would fare no better
	} else {
		m.Error = whole
	}
	for _, words := range fields {
		m.Error = words
	}
	return m
}
