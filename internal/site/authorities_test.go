package site_test

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/pgtest"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestAuthoritiesAndListsAreForEverybody(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	trial.Must(0, r.Cert.SignOldLists(t.Context()))
	b := r.Anonymous()
	b.Get("/pki").Is(http.StatusOK).Has("Universität Beispiel Root CA", "Universität Beispiel Mail CA", "Universität Beispiel TLS CA", `href="/pki/mail.crl"`, "0 widerrufene Zertifikate")
	b.Get("/").Has(`href="/pki"`, `href="/terms"`)
	b.Get("/terms").Is(http.StatusOK).Has("Nutzungsbedingungen für Zertifikate")
	for _, name := range []string{"root", "mail", "tls"} {
		der := b.Get("/pki/" + name + ".crt").Is(http.StatusOK)
		c := trial.Must(x509.ParseCertificate([]byte(der.Content)))
		if same := sitetest.PemBlocks(t, b.Get("/pki/"+name+".pem").Content)[0]; !same.Equal(c) {
			t.Errorf("%s: PEM and DER differ", name)
		}
		list := b.Get("/pki/" + name + ".crl").Is(http.StatusOK)
		if err := trial.Must(x509.ParseRevocationList([]byte(list.Content))).CheckSignatureFrom(c); err != nil {
			t.Errorf("%s: the list is not the authority's: %v", name, err)
		}
		for a, kind := range map[*sitetest.Answer]string{&der: "application/pkix-cert", &list: "application/pkix-crl"} {
			if got := a.Header.Get("Content-Type"); got != kind || a.Header.Get("X-Content-Type-Options") != "nosniff" || len(a.Cookies()) > 0 {
				t.Errorf("%s: got %q with headers %v, want %s, nosniff and no cookie", a.Request.URL, got, a.Header, kind)
			}
		}
	}
	for _, path := range []string{"/pki/other.crt", "/pki/other.crl", "/pki/mail.key", "/pki/authority.pem"} {
		b.Get(path).Is(http.StatusNotFound)
	}
}

func TestAListIsCachedAndNamedByItsNumber(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	trial.Must(0, r.Cert.SignOldLists(t.Context()))
	b := r.As("ada")
	queries := pgtest.Queries(t, r.DB)
	first := b.Get("/pki/mail.crl").Is(http.StatusOK)
	if got := queries(); got != 1 {
		t.Errorf("got %d queries, want one: no session is looked up", got)
	}
	for header, want := range map[string]string{
		"ETag": `"1"`, "Cache-Control": "public, max-age=60", "Content-Disposition": `attachment; filename="mail.crl"`,
		"Last-Modified": r.Clock.Now().Format(http.TimeFormat), "Vary": "",
	} {
		if got := first.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	head := b.Ask(http.MethodHead, "/pki/mail.crl").Is(http.StatusOK)
	if head.Content != "" || head.ContentLength != int64(len(first.Content)) {
		t.Errorf("HEAD: got %d bytes and length %d, want none and %d", len(head.Content), head.ContentLength, len(first.Content))
	}
	again := func() sitetest.Answer {
		req := trial.Must(http.NewRequest(http.MethodGet, r.At("/pki/mail.crl"), nil))
		req.Header.Set("If-None-Match", `"1"`)
		return b.Send(req)
	}
	again().Is(http.StatusNotModified)
	trial.Must(0, r.Cert.SignList(t.Context(), "mail"))
	if got := again().Is(http.StatusOK).Header.Get("ETag"); got != `"2"` {
		t.Errorf("a new list: got ETag %q, want \"2\"", got)
	}
	r.Clock.Advance(8 * 24 * time.Hour)
	if got := b.Get("/pki/mail.crl").Header.Get("Cache-Control"); !strings.HasSuffix(got, "max-age=0") {
		t.Errorf("a list whose time is over: got %q, want it kept by nobody", got)
	}
}
