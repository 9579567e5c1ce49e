package site

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

const (
	listFresh        = time.Minute // how long a revocation list may be kept by others: a revocation is to be seen soon
	certificateFresh = time.Hour
)

// authorities is the public page of certificates and revocation lists.
func (s *Site) authorities(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var all []portalview.AuthorityModel
	for _, a := range s.ca {
		m, err := s.authorityModel(ctx, a)
		if err != nil {
			return err
		}
		all = append(all, m)
	}
	return s.Show(w, r, http.StatusOK, portalview.Authorities(s.Frame(r, page.T(ctx, "authority.title")), all))
}

func (s *Site) authorityModel(ctx context.Context, a page.Authority) (portalview.AuthorityModel, error) {
	c, err := pki.ParseCertificate(a.DER)
	if err != nil {
		return portalview.AuthorityModel{}, fmt.Errorf("authority %s: %w", a.Name, err)
	}
	path := paths.Authority(a.Name)
	m := portalview.AuthorityModel{
		Name: authorityWords(ctx, a.Name), Subject: c.Subject, Ends: view.Ends(ctx, c.NotAfter, s.Now()), Fingerprint: c.Fingerprints().SHA256,
		Files: []view.Link{{Label: a.Name + ".pem", Href: path + ".pem"}, {Label: a.Name + ".crt", Href: path + ".crt"}},
	}
	if a.Addressee != nil {
		m.OCSP = a.OCSPURL
	}
	l, err := s.newestList(ctx, a.Name)
	if fault.Is(err, fault.Missing) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	m.List = &portalview.ListModel{
		File: view.Link{Label: a.Name + ".crl", Href: path + ".crl"}, Number: page.T(ctx, "authority.number", "number", locale.From(ctx).Number(l.Number)),
		Entries: page.T(ctx, "authority.entries", "n", l.Entries), This: view.At(ctx, l.ThisUpdate, s.Now()), Next: view.At(ctx, l.NextUpdate, s.Now()),
	}
	return m, nil
}

func authorityWords(ctx context.Context, name string) string {
	switch name {
	case "root":
		return page.T(ctx, "authority.root")
	case "mail":
		return page.T(ctx, "authority.mail")
	case "tls":
		return page.T(ctx, "authority.tls")
	}
	return name
}

// file serves h to programs: without a session, and without a page when it
// fails.
func (s *Site) file(h page.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		f := postgres.Told(err)
		if f.Kind == fault.Internal || postgres.Away(f) {
			s.Reference(r, err)
		}
		status := s.Status(w, f)
		http.Error(w, http.StatusText(status), status)
	}
}

func (s *Site) authorityFile(kind, ending string, content func(der []byte) []byte) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		name := chi.URLParam(r, "authority")
		for _, a := range s.ca {
			if a.Name == name {
				keepFor(w, certificateFresh)
				return page.Attach(w, kind, name+ending, content(a.DER))
			}
		}
		return fault.New(fault.Missing, "")
	}
}

// newestList is the revocation list to show and to serve.
func (s *Site) newestList(ctx context.Context, name string) (cert.List, error) {
	if name == "root" {
		l, elsewhere, err := s.rootList(ctx)
		if err != nil || elsewhere {
			return cert.List{Number: l.Number, DER: l.DER, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate}, err
		}
	}
	return s.cert.Newest(ctx, name)
}

// revocationList serves the newest list of an authority. Its number names it: a
// new one is another.
func (s *Site) revocationList(w http.ResponseWriter, r *http.Request) error {
	name := chi.URLParam(r, "authority")
	l, err := s.newestList(r.Context(), name)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pkix-crl")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.crl"`)
	h.Set("ETag", listTag(l))
	keepFor(w, min(listFresh, max(0, l.NextUpdate.Sub(s.Now()))))
	http.ServeContent(w, r, "", l.ThisUpdate, bytes.NewReader(l.DER))
	return nil
}

func listTag(l cert.List) string { return `"` + strconv.FormatInt(l.Number, 10) + `"` }

// keepFor lets everybody keep the answer for a time.
func keepFor(w http.ResponseWriter, d time.Duration) {
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(d.Seconds())))
}

// files are the certificates and lists of the authorities.
func (s *Site) files(r chi.Router) {
	r.Get("/pki/{authority}.crt", s.file(s.authorityFile("application/pkix-cert", ".crt", func(der []byte) []byte { return der })))
	r.Get("/pki/{authority}.pem", s.file(s.authorityFile("application/x-pem-file", ".pem", func(der []byte) []byte { return pki.PEM(der) })))
	r.Get("/pki/{authority}.crl", s.file(s.revocationList))
	r.Get("/pki/ocsp/{authority}/*", s.file(s.askByGet))
	r.Post("/pki/ocsp/{authority}", s.file(s.askByPost))
}
