package page

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"strings"

	"petschaft/internal/pki"
	"petschaft/web/view"
)

// CSRForm is what was sent with the form. It may hold what never should have left
// its owner's machine, so it is shown again only by Shown.
type CSRForm struct {
	text  string // of the field
	file  []byte // instead of it, when one was chosen
	Terms string // the version that was accepted
	kind  string // of a key that is made in the browser
}

// ReadCSRForm reads it from a form that a request is sent with.
func ReadCSRForm(r *http.Request) (CSRForm, error) {
	in := CSRForm{text: r.PostFormValue("csr"), kind: r.PostFormValue("kind")}
	if r.PostFormValue("terms") == "on" {
		in.Terms = r.PostFormValue("version")
	}
	f, _, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return in, nil
	}
	if err != nil {
		return in, ErrUnreadable.Because(err)
	}
	defer f.Close()
	if in.file, err = io.ReadAll(f); err != nil {
		return in, ErrUnreadable.Because(err)
	}
	return in, nil
}

// CSR is the request: the file when one was chosen.
func (in CSRForm) CSR() string {
	if len(in.file) > 0 {
		return string(in.file)
	}
	return in.text
}

// Shown is what stands in the field when the form comes back: what was typed,
// or the good request of a file, since browsers forget files. A private key is
// never sent back.
func (in CSRForm) Shown() string {
	text := in.text
	if _, err := pki.ReadCSR(in.file); len(in.file) > 0 && err == nil {
		text = string(in.file)
		if !strings.Contains(text, "-----BEGIN") {
			text = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: in.file}))
		}
	}
	if _, err := pki.ReadCSR([]byte(text)); errors.Is(err, pki.ErrPrivateKey) {
		return ""
	}
	return text
}

// mostIgnored bounds the message that names what was left out.
const mostIgnored = 8

// Ignored says what of a request will not be in its certificate.
func Ignored(ctx context.Context, ignored []pki.Dropped) (words []string) {
	for _, d := range ignored[:min(len(ignored), mostIgnored)] {
		words = append(words, T(ctx, d.ID, d.Args...))
	}
	if len(ignored) > mostIgnored {
		words = append(words, "…")
	}
	return words
}

// KeyModel asks where a key comes from; with wrong the request came back.
func (in CSRForm) KeyModel(from, wrong string) view.KeyModel {
	return view.KeyModel{From: from, Chosen: in.kind, CSR: in.Shown(), InFile: len(in.file) > 0, Error: wrong}
}

// KeyCSR is the choice of a key for which somebody has a request.
const KeyCSR = "csr"
