package servers

import (
	"net/http"

	"petschaft/internal/cert"
	"petschaft/internal/site/clients"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

// Evidence is the evidence of a server's certificate, as a page.
func (s *Section) Evidence(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := s.load(r)
	if err != nil {
		return err
	}
	e, err := s.Cert.ServerEvidence(ctx, s.Actor(r), c.Reference)
	if err != nil {
		return err
	}
	crumbs := append(crumbs(ctx, c), view.Link{Label: cert.Spelled(c.CommonName), Href: paths.Certificate(c.Reference)})
	m := clients.EvidenceModel(ctx, e, paths.Certificate(c.Reference))
	return s.Show(w, r, http.StatusOK, clientview.Evidence(page.Standing(s.Frame(r, m.Head.Title, crumbs...)), m))
}

// EvidenceFile is the same as a file.
func (s *Section) EvidenceFile(w http.ResponseWriter, r *http.Request) error {
	reference := Reference(r)
	e, err := s.Cert.ServerEvidence(r.Context(), s.Actor(r), reference)
	if err != nil {
		return err
	}
	return clients.AttachEvidence(w, reference, e)
}
