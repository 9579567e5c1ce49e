package servers

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// formatLabels are the names of the files of a certificate on its page.
var formatLabels = map[string]string{
	"certificate.pem": "cert.download_pem",
	"x509chain.pem":   "cert.download_chain",
	"fullchain.pem":   "server.download_fullchain",
	"issuers.pem":     "server.download_issuers",
	"certificate.cer": "server.download_der",
	"certificate.p7b": "server.download_pkcs7",
}

func downloads(ctx context.Context, c cert.ServerCertificate) (all []view.DownloadModel) {
	for _, f := range pki.Formats() {
		if !c.Offered() || f.Above && c.Elsewhere() && len(c.Chain) == 0 {
			continue
		}
		all = append(all, view.DownloadModel{Label: page.T(ctx, formatLabels[f.Name]), File: cert.FileBase(c.Reference, c.CommonName) + f.Ending, Href: paths.Certificate(c.Reference) + "/" + f.Name})
	}
	return all
}

// File sends a certificate in one of the formats.
func (s *Section) File(w http.ResponseWriter, r *http.Request) error {
	f, known := pki.FormatCalled(chi.URLParam(r, "file"))
	if !known {
		return fault.New(fault.Missing, "")
	}
	name, content, err := s.Cert.ServerFile(r.Context(), s.Actor(r), Reference(r), f, s.Chains)
	if err != nil {
		return err
	}
	return page.Attach(w, f.Kind, name, content)
}
