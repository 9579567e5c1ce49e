package site_test

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/pgtest"
)

func TestAuthoritiesAndListsAreForEverybody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must(0, r.Cert.SignOldLists(t.Context()))
	b := r.anonymous()
	b.get("/pki").status(http.StatusOK).has("Universität Beispiel Root CA", "Universität Beispiel Mail CA", "Universität Beispiel TLS CA", `href="/pki/mail.crl"`, "0 widerrufene Zertifikate")
	b.get("/").has(`href="/pki"`, `href="/terms"`)
	b.get("/terms").status(http.StatusOK).has("Nutzungsbedingungen für Zertifikate")
	for _, name := range []string{"root", "mail", "tls"} {
		der := b.get("/pki/" + name + ".crt").status(http.StatusOK)
		c := must(x509.ParseCertificate([]byte(der.body)))
		if same := pemBlocks(t, b.get("/pki/"+name+".pem").body)[0]; !same.Equal(c) {
			t.Errorf("%s: PEM and DER differ", name)
		}
		list := b.get("/pki/" + name + ".crl").status(http.StatusOK)
		if err := must(x509.ParseRevocationList([]byte(list.body))).CheckSignatureFrom(c); err != nil {
			t.Errorf("%s: the list is not the authority's: %v", name, err)
		}
		for a, kind := range map[*answer]string{&der: "application/pkix-cert", &list: "application/pkix-crl"} {
			if got := a.Header.Get("Content-Type"); got != kind || a.Header.Get("X-Content-Type-Options") != "nosniff" || len(a.Cookies()) > 0 {
				t.Errorf("%s: got %q with headers %v, want %s, nosniff and no cookie", a.Request.URL, got, a.Header, kind)
			}
		}
	}
	for _, path := range []string{"/pki/other.crt", "/pki/other.crl", "/pki/mail.key", "/pki/authority.pem"} {
		b.get(path).status(http.StatusNotFound)
	}
}

func TestAListIsCachedAndNamedByItsNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must(0, r.Cert.SignOldLists(t.Context()))
	b := r.as("ada")
	queries := pgtest.Queries(t, r.DB)
	first := b.get("/pki/mail.crl").status(http.StatusOK)
	if got := queries(); got != 1 {
		t.Errorf("got %d queries, want one: no session is looked up", got)
	}
	for header, want := range map[string]string{
		"ETag": `"1"`, "Cache-Control": "public, max-age=60", "Content-Disposition": `attachment; filename="mail.crl"`,
		"Last-Modified": r.clock.Now().Format(http.TimeFormat), "Vary": "",
	} {
		if got := first.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	head := b.ask(http.MethodHead, "/pki/mail.crl").status(http.StatusOK)
	if head.body != "" || head.ContentLength != int64(len(first.body)) {
		t.Errorf("HEAD: got %d bytes and length %d, want none and %d", len(head.body), head.ContentLength, len(first.body))
	}
	again := func() answer {
		req := must(http.NewRequest(http.MethodGet, r.at("/pki/mail.crl"), nil))
		req.Header.Set("If-None-Match", `"1"`)
		return b.send(req)
	}
	again().status(http.StatusNotModified)
	must(0, r.Cert.SignList(t.Context(), "mail"))
	if got := again().status(http.StatusOK).Header.Get("ETag"); got != `"2"` {
		t.Errorf("a new list: got ETag %q, want \"2\"", got)
	}
	r.clock.Advance(8 * 24 * time.Hour)
	if got := b.get("/pki/mail.crl").Header.Get("Cache-Control"); !strings.HasSuffix(got, "max-age=0") {
		t.Errorf("a list whose time is over: got %q, want it kept by nobody", got)
	}
}
