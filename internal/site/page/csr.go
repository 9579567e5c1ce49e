package page

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/web/view"
)

// CSRForm is what was sent with the form. It may hold what never should have left
// its owner's machine, so it is shown again only by Shown.
type CSRForm struct {
	text  string // of the field
	file  []byte // instead of it, when one was chosen
	Terms string // the version that was accepted
}

// ReadCSRForm reads it from a form that a request is sent with.
func ReadCSRForm(r *http.Request) (CSRForm, error) {
	in := CSRForm{text: r.PostFormValue("csr")}
	if r.PostFormValue("terms") == "on" {
		in.Terms = r.PostFormValue("version")
	}
	f, _, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return in, nil
	}
	if err != nil {
		return in, &fault.Fault{Kind: fault.Invalid}
	}
	defer f.Close()
	if in.file, err = io.ReadAll(f); err != nil {
		return in, (&fault.Fault{Kind: fault.Invalid}).Because(err)
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

// KeyChoice asks where a key comes from; hint says what making it in the browser
// means, which a script offers. With wrong the request came back.
func KeyChoice(ctx context.Context, hint string, in CSRForm, value, wrong string) view.KeyModel {
	m := view.KeyModel{Key: view.FieldModel{Name: "key", Label: T(ctx, "apply.key_how"), Type: view.Radios, Value: value, Choices: []view.Choice{
		{Value: "browser", Label: T(ctx, "key.browser"), Hint: hint, Scripted: true},
		{Value: KeyCSR, Label: T(ctx, "apply.key_csr"), Hint: T(ctx, "apply.key_csr_hint")},
	}}}
	m.CSR = view.FieldModel{
		Name: "csr", Label: T(ctx, "apply.csr"), Hint: T(ctx, "apply.csr_hint"), Type: view.TextArea, Rows: "9", Mono: true,
		Value: in.Shown(), Error: wrong, Autocomplete: "off", Alternative: true,
	}
	m.File = view.FieldModel{Name: "file", Label: T(ctx, "apply.file"), Type: view.File, Accept: ".csr,.pem,.req,.der,.txt", Alternative: true}
	if len(in.file) > 0 {
		m.CSR.Error, m.File.Error = "", wrong
	}
	return m
}

// KeyKind asks for the kind of a key that is made in the browser.
func KeyKind(ctx context.Context, value, rsaHint, ecHint string) view.FieldModel {
	m := view.FieldModel{Name: "kind", Label: T(ctx, "key.kind"), Type: view.Radios, Value: value, Choices: []view.Choice{
		{Value: "rsa", Label: "RSA-3072", Hint: rsaHint}, {Value: "ec", Label: "EC P-256", Hint: ecHint},
	}}
	if value == "ec" {
		m.Choices[0], m.Choices[1] = m.Choices[1], m.Choices[0]
	}
	return m
}

// KeyCSR is the choice of a key for which somebody has a request.
const KeyCSR = "csr"
