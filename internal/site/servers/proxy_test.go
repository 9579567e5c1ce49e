package servers_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"petschaft/internal/lane"
	"petschaft/internal/sheet"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestPeerNginxStandsBeforeThePortal as docs/operations.md has it: files pass as
// large as the portal takes them, and what is too large is refused in its words.
func TestPeerNginxStandsBeforeThePortal(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "nginx")
	r, dir, port, plain := sitetest.New(t), t.TempDir(), freePort(), freePort()
	sitetest.Says(t, dir, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=portal.uni.example", "-keyout", "key.pem", "-out", "fullchain.pem")
	host := strings.TrimPrefix(r.Base, "http://")
	conf := strings.NewReplacer(
		"listen 443", "listen 127.0.0.1:"+port, "listen 80", "listen 127.0.0.1:"+plain, "/etc/ssl/portal", dir,
		"127.0.0.1:8080", host, "Host $host", "Host "+host, "Host portal.uni.example", "Host "+host,
	).Replace(trial.Paper(t, "docs/operations.md", "portal.conf"))
	startNginx(t, filepath.Clean(dir), conf, port)

	client := *r.As("nora").Client
	client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	ask := func(method, address string, body io.Reader, kind string) (int, string) {
		t.Helper()
		req := trial.Must(http.NewRequest(method, address, body))
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Accept-Language", "de")
		req.Header.Set("Content-Type", kind)
		res := trial.Must(client.Do(req))
		defer res.Body.Close()
		return res.StatusCode, string(trial.Must(io.ReadAll(res.Body)))
	}
	at := "https://127.0.0.1:" + port
	if status, page := ask(http.MethodGet, at+"/email-domains", nil, ""); status != http.StatusOK || !strings.Contains(page, "uni.example") {
		t.Errorf("a page: got %d", status)
	}
	for size, want := range map[int]int{3 << 20: http.StatusSeeOther, sheet.MaxBytes + 1<<20: http.StatusRequestEntityTooLarge} {
		line := "Muster, Max;max.muster@uni.example\r\n"
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		trial.Must(io.WriteString(trial.Must(m.CreateFormFile("file", "a.csv")), "Anzeigename;E-Mail\r\n"+strings.Repeat(line, size/len(line))))
		trial.Must(0, m.Close())
		status, page := ask(http.MethodPost, at+sitetest.ImportsOfUni, &body, m.FormDataContentType())
		if status != want || strings.Contains(page, "<center>nginx") || want == http.StatusRequestEntityTooLarge && !strings.Contains(page, "20 MiB") {
			t.Errorf("a file of %d bytes: got %d, want %d in the portal's words: %.200q", size, status, want, page)
		}
	}
	if status, page := ask(http.MethodGet, "http://127.0.0.1:"+plain+"/pki/mail.pem", nil, ""); status != http.StatusOK || !strings.HasPrefix(page, "-----BEGIN CERTIFICATE-----") {
		t.Errorf("an authority without TLS: got %d", status)
	}
	if status, page := ask(http.MethodGet, "http://127.0.0.1:"+plain+"/pki/ocsp/mail/MA//", nil, ""); status != http.StatusOK || strings.Contains(page, "<center>nginx") {
		t.Errorf("a question with slashes: got %d, want the portal's answer", status)
	}
	if status, _ := ask(http.MethodGet, "http://127.0.0.1:"+plain+"/email-domains", nil, ""); status != http.StatusNotFound {
		t.Errorf("a page without TLS: got %d, want 404", status)
	}
}
