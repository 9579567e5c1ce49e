package site_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"petschaft/internal/cert"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// asked is ada's certificate with questions about it.
type asked struct {
	r         *sitetest.Rig
	id        cert.ID
	c         *x509.Certificate
	authority *x509.Certificate
}

func newAsked(r *sitetest.Rig) asked {
	r.T.Helper()
	trial.Must(0, r.Cert.RefreshResponses(r.T.Context()))
	id := r.Certified("ada", r.LinkRow("ada", "ada"))
	c := trial.Must(r.Cert.One(r.T.Context(), r.Actors["ada"], id))
	return asked{r, id, trial.Must(x509.ParseCertificate(c.DER)), trial.Must(x509.ParseCertificate(r.CA.Chain("mail")[0]))}
}

// question asks about c, in DER.
func (a asked) question(c *x509.Certificate, hash crypto.Hash) []byte {
	return trial.Must(ocsp.CreateRequest(c, a.authority, &ocsp.RequestOptions{Hash: hash}))
}

func (a asked) post(der []byte, kind string) sitetest.Answer {
	a.r.T.Helper()
	req := trial.Must(http.NewRequest(http.MethodPost, a.r.At("/pki/ocsp/mail"), bytes.NewReader(der)))
	req.Header.Set("Content-Type", kind)
	return a.r.Anonymous().Send(req)
}

// ocspPath is where der is asked by GET; what follows is between slashes and dots.
func ocspPath(der []byte) string {
	return "/pki/ocsp/mail/" + url.PathEscape(base64.StdEncoding.EncodeToString(der))
}

// read checks who signed an answer.
func (a asked) read(got sitetest.Answer) *ocsp.Response {
	a.r.T.Helper()
	got.Is(http.StatusOK)
	if kind := got.Header.Get("Content-Type"); kind != "application/ocsp-response" || got.Header.Get("X-Content-Type-Options") != "nosniff" || len(got.Cookies()) > 0 {
		a.r.T.Errorf("got %q with headers %v, want an OCSP response, nosniff and no cookie", kind, got.Header)
	}
	read, err := ocsp.ParseResponse([]byte(got.Content), a.authority)
	if err != nil {
		a.r.T.Fatalf("%s %s: %v", got.Request.Method, got.Request.URL, err)
	}
	return read
}

func (a asked) revoke() {
	a.r.T.Helper()
	trial.Must(0, a.r.Cert.Revoke(a.r.T.Context(), a.r.Actors["ada"], a.id, pki.KeyCompromise))
	trial.Must(0, a.r.Cert.Announce(a.r.T.Context(), "mail"))
}

func TestWhetherACertificateCountsIsAnsweredToEverybody(t *testing.T) {
	t.Parallel()
	a := newAsked(sitetest.New(t))
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		der := a.question(a.c, hash)
		for _, got := range []sitetest.Answer{a.post(der, "application/ocsp-request"), a.r.Anonymous().Get(ocspPath(der))} {
			if read := a.read(got); read.Status != ocsp.Good || read.IssuerHash != hash {
				t.Errorf("%s: got status %d by %v, want good by %v", got.Request.Method, read.Status, read.IssuerHash, hash)
			}
		}
	}
	a.revoke()
	a.r.Clock.Advance(30 * time.Second)
	if read := a.read(a.r.Anonymous().Get(ocspPath(a.question(a.c, crypto.SHA1)))); read.Status != ocsp.Revoked || read.RevocationReason != ocsp.KeyCompromise {
		t.Errorf("got status %d for %d, want revoked at once", read.Status, read.RevocationReason)
	}
	if got, want := a.c.OCSPServer, a.r.Base+"/pki/ocsp/mail"; len(got) != 1 || got[0] != want {
		t.Errorf("the certificate says to ask %v, want %s", got, want)
	}
	a.r.Anonymous().Get("/pki").Has(a.r.Base + "/pki/ocsp/mail").Lacks("/pki/ocsp/root")
}

// TestAnAnswerIsCachedForAMinute, by its bytes and until it is another one.
func TestAnAnswerIsCachedForAMinute(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.Clock.Advance(time.Minute - time.Duration(r.Clock.Now().Second())*time.Second) // answers begin with a minute
	a := newAsked(r)
	b, at := a.r.As("ada"), ocspPath(a.question(a.c, crypto.SHA1))
	queries := pgtest.Queries(t, a.r.DB)
	first := b.Get(at).Is(http.StatusOK)
	b.Get(at)
	if got := queries(); got != 1 {
		t.Errorf("got %d queries for two questions, want one: no session is looked up", got)
	}
	for header, want := range map[string]string{
		"Cache-Control": "public, max-age=60, no-transform, must-revalidate", "Last-Modified": a.r.Clock.Now().Format(http.TimeFormat),
		"Expires": a.r.Clock.Now().Add(time.Minute).Format(http.TimeFormat), "Content-Length": strconv.Itoa(len(first.Content)),
		"Vary": "", "Set-Cookie": "", // it is the same for everybody
	} {
		if got := first.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	again := func() sitetest.Answer {
		req := trial.Must(http.NewRequest(http.MethodGet, a.r.At(at), nil))
		req.Header.Set("If-None-Match", first.Header.Get("ETag"))
		return b.Send(req)
	}
	again().Is(http.StatusNotModified)
	if posted := a.post(a.question(a.c, crypto.SHA1), "application/ocsp-request"); posted.Content != first.Content {
		t.Error("a POST is answered with other bytes than a GET, want the same")
	}
	a.revoke()
	a.r.Clock.Advance(30 * time.Second)
	again().Is(http.StatusOK)
	since := trial.Must(http.NewRequest(http.MethodGet, a.r.At(at), nil)) // both answers are of one minute
	since.Header.Set("If-Modified-Since", first.Header.Get("Last-Modified"))
	if read := a.read(b.Send(since)); read.Status != ocsp.Revoked {
		t.Errorf("asked whether it changed since its date: got status %d, want revoked", read.Status)
	}
	a.r.Clock.Advance(24*time.Hour - time.Minute)
	if got := b.Get(at).Header.Get("Cache-Control"); !strings.HasPrefix(got, "public, max-age=30,") {
		t.Errorf("half a minute before its end: got %q, want it kept no longer", got)
	}
}

func TestWhatCannotBeAnsweredIsSaidAsProgramsExpect(t *testing.T) {
	t.Parallel()
	a := newAsked(sitetest.New(t))
	der, never := a.question(a.c, crypto.SHA1), *a.c
	never.SerialNumber = a.authority.SerialNumber
	others := trial.Must(ocsp.CreateRequest(a.c, trial.Must(x509.ParseCertificate(a.r.CA.Chain("tls")[0])), nil))
	tooLarge := make([]byte, 17<<10)
	for name, c := range map[string]struct {
		got  sitetest.Answer
		want ocsp.ResponseStatus
	}{
		"a serial that was never issued":        {a.post(a.question(&never, crypto.SHA1), "application/ocsp-request"), ocsp.Unauthorized},
		"another authority's certificate":       {a.post(others, "application/ocsp-request"), ocsp.Unauthorized},
		"digests nobody signed for":             {a.post(a.question(a.c, crypto.SHA512), "application/ocsp-request"), ocsp.Unauthorized},
		"half a question":                       {a.post(der[:20], "application/ocsp-request"), ocsp.Malformed},
		"nothing":                               {a.post(nil, "application/ocsp-request"), ocsp.Malformed},
		"no base64":                             {a.r.Anonymous().Get("/pki/ocsp/mail/Sperrliste!"), ocsp.Malformed},
		"no question in base64":                 {a.r.Anonymous().Get("/pki/ocsp/mail/AAAA"), ocsp.Malformed},
		"a question about none, by GET":         {a.r.Anonymous().Get(ocspPath(a.question(&never, crypto.SHA256))), ocsp.Unauthorized},
		"a certificate of the root's, by GET":   {a.r.Anonymous().Get(ocspPath(trial.Must(ocsp.CreateRequest(a.authority, a.authority, nil)))), ocsp.Unauthorized},
		"a question that was cut off, with GET": {a.r.Anonymous().Get(ocspPath(der[:40])), ocsp.Malformed},
	} {
		_, err := ocsp.ParseResponse([]byte(c.got.Is(http.StatusOK).Content), nil)
		if e, ok := err.(ocsp.ResponseError); !ok || e.Status != c.want || c.got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %v kept %q, want %v and nothing kept", name, err, c.got.Header.Get("Cache-Control"), c.want)
		}
	}
	a.post(tooLarge, "application/ocsp-request").Is(http.StatusRequestEntityTooLarge)
	a.r.Anonymous().Get(ocspPath(tooLarge)).Is(http.StatusRequestEntityTooLarge)
	a.post(der, "text/plain").Is(http.StatusUnsupportedMediaType)
	a.r.Anonymous().Get(strings.Replace(ocspPath(der), "mail", "root", 1)).Is(http.StatusNotFound)
	a.r.Clock.Advance(25 * time.Hour) // the job was away
	if _, err := ocsp.ParseResponse([]byte(a.post(der, "application/ocsp-request").Content), nil); err != (ocsp.ResponseError{Status: ocsp.TryLater}) {
		t.Errorf("an answer that is overdue: got %v, want to try later", err)
	}
}

// TestOpenSSLAndCurlAreAnswered: what administrators have at hand.
func TestOpenSSLAndCurlAreAnswered(t *testing.T) {
	t.Parallel()
	a := newAsked(sitetest.New(t))
	dir, chain := t.TempDir(), a.r.CA.Chain("mail")
	for name, data := range map[string][]byte{"leaf": pki.PEM(a.c.Raw), "mail": pki.PEM(chain[0]), "root": pki.PEM(chain[1]), "none": nil} {
		trial.Must(0, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	run := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	now := strconv.FormatInt(a.r.Clock.Now().Unix(), 10)
	check := []string{"ocsp", "-issuer", "mail", "-cert", "leaf", "-CAfile", "root", "-verify_other", "mail", "-attime", now, "-validity_period", "9999999999"}
	list := a.r.At("/pki/mail.crl")
	trial.Must(0, a.r.Cert.SignOldLists(t.Context()))
	for _, want := range []string{"good", "revoked"} {
		out := run("openssl", append(check, "-url", a.r.At("/pki/ocsp/mail"), "-no_nonce", "-reqout", "question")...) // by POST
		if !strings.Contains(out, "Response verify OK") || !strings.Contains(out, "leaf: "+want) {
			t.Errorf("openssl ocsp says\n%s\nwant %s, verified", out, want)
		}
		question := trial.Must(os.ReadFile(filepath.Join(dir, "question")))
		run("curl", "-sSf", "-o", "answer", a.r.At("/pki/ocsp/mail/"+base64.StdEncoding.EncodeToString(question))) // slashes as they are
		if out := run("openssl", append(check, "-respin", "answer", "-no_nonce")...); !strings.Contains(out, "Response verify OK") || !strings.Contains(out, "leaf: "+want) {
			t.Errorf("openssl says of what curl got\n%s\nwant %s, verified", out, want)
		}
		run("curl", "-sSf", "-o", "list", "-D", "head", list)
		if out := run("openssl", "crl", "-inform", "DER", "-in", "list", "-CAfile", "mail", "-noout", "-text"); !strings.Contains(out, "verify OK") ||
			strings.Contains(out, "Key Compromise") != (want == "revoked") {
			t.Errorf("openssl crl says\n%s\nwant the certificate in it: %s", out, want)
		}
		tag := head(t, string(trial.Must(os.ReadFile(filepath.Join(dir, "head")))), "ETag")
		if status := run("curl", "-s", "-o", "none", "-w", "%{http_code}", "-H", "If-None-Match: "+tag, list); status != "304" {
			t.Errorf("curl asks for the list it has: got %s, want 304", status)
		}
		if want == "good" {
			a.revoke()
			a.r.Clock.Advance(30 * time.Second)
		}
	}
}

func head(t *testing.T, all, name string) string {
	t.Helper()
	for line := range strings.SplitSeq(all, "\r\n") {
		if value, ok := strings.CutPrefix(strings.ToLower(line), strings.ToLower(name)+": "); ok {
			return value
		}
	}
	t.Fatalf("there is no %s in\n%s", name, all)
	return ""
}

// TestEveryReplicaAnswersWithTheSameBytes, also about a certificate that another
// one issued.
func TestEveryReplicaAnswersWithTheSameBytes(t *testing.T) {
	t.Parallel()
	a := newAsked(sitetest.New(t))
	trial.Must(0, a.r.Cert.SignOldLists(t.Context()))
	r := a.r
	beside := trial.Must(portal.Open(t.Context(), r.Config(r.Pool.Config().ConnString()), slog.New(slog.DiscardHandler), r.Clock.Now))
	t.Cleanup(beside.Close)
	second := httptest.NewServer(beside.Handler)
	t.Cleanup(second.Close)
	for _, at := range []string{ocspPath(a.question(a.c, crypto.SHA1)), "/pki/mail.crl"} {
		res := trial.Must(http.Get(second.URL + at))
		got := trial.Must(io.ReadAll(res.Body))
		res.Body.Close()
		if want := a.r.Anonymous().Get(at); string(got) != want.Content || res.Header.Get("ETag") != want.Header.Get("ETag") {
			t.Errorf("%s: two processes send other bytes or tags, want the same", at)
		}
	}
}
