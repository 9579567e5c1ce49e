package sitetest

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"regexp"
	"testing"

	"petschaft/internal/trial"
)

const ImportsOfUni = "/email-domains/uni.example/imports"

// Csv sends a file with a name, as a browser does.
func (b *Browser) Csv(path, name, content string) Answer {
	b.Rig.T.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part := trial.Must(m.CreateFormFile("file", name))
	trial.Must(part.Write([]byte(content)))
	trial.Must(0, m.Close())
	req := trial.Must(http.NewRequest(http.MethodPost, b.Rig.At(path), &body))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.Send(req)
}

// Asked sends challenges for a row and returns the paths of its links.
func (r *Rig) Asked(path string, addresses ...string) []string {
	r.T.Helper()
	var last int64
	for _, m := range r.Sink.Mails() {
		last = max(last, m.ID)
	}
	r.As("nora").Post(path + "/challenges").Is(http.StatusSeeOther)
	var links []string
	for _, a := range addresses {
		links = append(links, r.Link(a, last))
	}
	return links
}

const RowsOf = "/email-domains/uni.example/rows"

// VersionOf is the hidden one of the edit form.
func VersionOf(t *testing.T, b *Browser, row string) string {
	t.Helper()
	m := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(b.Get(row + "/edit").Is(http.StatusOK).Content)
	if m == nil {
		t.Fatal("the edit form holds no version")
	}
	return m[1]
}
