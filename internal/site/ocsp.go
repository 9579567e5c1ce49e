package site

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/intake"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
)

const (
	responseFresh = time.Minute // how long a response may be kept by others, as with lists
	questionTime  = 10 * time.Second
	mostQuestion  = intake.MostStranger // bytes: a question about one certificate has some 80, signed and with a chain some thousand
)

// askByPost answers a question in the body (RFC 6960, A.1).
func (s *Site) askByPost(w http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/ocsp-request" {
		http.Error(w, http.StatusText(http.StatusUnsupportedMediaType), http.StatusUnsupportedMediaType)
		return nil
	}
	_, err := s.addressee(r)
	if err == nil {
		err = intake.Admit(r, intake.Terms{Most: mostQuestion, Within: questionTime, Question: true})
	}
	if err != nil {
		return err
	}
	der, err := io.ReadAll(r.Body)
	if fault.Is(err, fault.Internal) {
		err = fault.New(fault.Invalid, "").Because(err)
	}
	if err != nil {
		return err
	}
	return s.respond(w, r, der)
}

// addressee is the authority that is asked.
func (s *Site) addressee(r *http.Request) (page.Authority, error) {
	name := chi.URLParam(r, "authority")
	i := slices.IndexFunc(s.ca, func(a page.Authority) bool { return a.Name == name && a.Addressee != nil })
	if i < 0 {
		return page.Authority{}, fault.New(fault.Missing, "")
	}
	return s.ca[i], nil
}

// askByGet answers a question in the path: base64, perhaps with its slashes
// escaped (RFC 5019, 5).
func (s *Site) askByGet(w http.ResponseWriter, r *http.Request) error {
	text := chi.URLParam(r, "*")
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	if len(text) > base64.StdEncoding.EncodedLen(mostQuestion) {
		return fault.New(fault.TooLarge, "")
	}
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		der = nil // not to be read either
	}
	return s.respond(w, r, der)
}

// respond sends what was signed before about the certificate that der asks for.
// What cannot be answered is said as a status of its own, with 200, as programs
// expect (RFC 6960, 2.3).
func (s *Site) respond(w http.ResponseWriter, r *http.Request, der []byte) error {
	a, err := s.addressee(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	q, err := pki.ParseQuestion(der)
	if err != nil {
		return respondError(w, pki.Malformed)
	}
	if len(q.Serial) == 0 || !a.Addressee.Means(q) {
		return respondError(w, pki.Unauthorized)
	}
	response, err := s.cert.Response(r.Context(), a.Name, q)
	switch {
	case fault.Is(err, fault.Missing):
		return respondError(w, pki.Unauthorized)
	case fault.Is(err, fault.Unavailable) && !postgres.Away(err):
		return respondError(w, pki.TryLater)
	case err != nil:
		return err
	}
	s.sendResponse(w, r, response)
	return nil
}

func respondError(w http.ResponseWriter, der []byte) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(der)))
	_, err := w.Write(der)
	if err != nil {
		return nil //nolint:nilerr // the reader went away; there is nobody to tell
	}
	return nil
}

// sendResponse sends it with what lets others keep it (RFC 5019, 6.2): for less
// time than it is good, so that a revocation is seen soon. Two responses of
// one minute bear the same date, so only the tag tells whether it is another one.
func (s *Site) sendResponse(w http.ResponseWriter, r *http.Request, response cert.Response) {
	fresh, h := min(responseFresh, response.NextUpdate.Sub(s.Now())), w.Header()
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(fresh.Seconds()))+", no-transform, must-revalidate")
	h.Set("Expires", s.Now().Add(fresh).UTC().Format(http.TimeFormat))
	h.Set("ETag", response.Tag)
	h.Set("Last-Modified", response.ThisUpdate.UTC().Format(http.TimeFormat))
	if r.Method == http.MethodGet && r.Header.Get("If-None-Match") != "" {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(response.DER))
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(response.DER)))
	_, _ = w.Write(response.DER) // who went away needs no answer
}
