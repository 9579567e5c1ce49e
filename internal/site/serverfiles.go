package site

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/web/view"
)

// serverFormat is a kind of file that a server certificate is fetched as.
type serverFormat struct {
	path    string // last part of its address
	ending  string // of the file's name, behind reference and name
	kind    string // media type
	label   string
	content func(chain [][]byte) ([]byte, error) // of leaf, issuing authorities, root
}

// files of a chain, in the order of the page. The chain was built and checked
// from the certificate up to the root.
var serverFormats = [...]serverFormat{
	{"certificate.pem", ".pem", "application/x-pem-file", "cert.download_pem", func(c [][]byte) ([]byte, error) { return pki.PEM(c[0]), nil }},
	{"x509chain.pem", "-x509chain.pem", "application/pem-certificate-chain", "cert.download_chain", func(c [][]byte) ([]byte, error) { return pki.PEM(c...), nil }},
	{"fullchain.pem", "-fullchain.pem", "application/pem-certificate-chain", "server.download_fullchain", func(c [][]byte) ([]byte, error) { return pki.PEM(c[:len(c)-1]...), nil }},
	{"issuers.pem", "-issuers.pem", "application/pem-certificate-chain", "server.download_issuers", func(c [][]byte) ([]byte, error) { return pki.PEM(c[1:]...), nil }},
	{"certificate.cer", ".cer", "application/pkix-cert", "server.download_der", func(c [][]byte) ([]byte, error) { return c[0], nil }},
	{"certificate.p7b", ".p7b", "application/x-pkcs7-certificates", "server.download_pkcs7", func(c [][]byte) ([]byte, error) { return pki.PKCS7(c...) }},
}

// fileBase is how the names of the files of a certificate begin: reference and name, in
// characters that every file system takes.
func fileBase(reference, commonName string) string {
	const longest = 180
	name := strings.Replace(commonName, "*", "wildcard", 1)
	return reference + "-" + name[:min(len(name), longest)]
}

func serverDownloads(ctx context.Context, c cert.ServerCertificate) (all []view.DownloadModel) {
	for _, f := range serverFormats {
		all = append(all, view.DownloadModel{Label: t(ctx, f.label), File: fileBase(c.Reference, c.CommonName) + f.ending, Href: serverPath(c.Reference) + "/" + f.path})
	}
	return all
}

// serverFile sends a certificate in one of the formats.
func (s *Site) serverFile(w http.ResponseWriter, r *http.Request) error {
	wanted := chi.URLParam(r, "file")
	for _, f := range serverFormats {
		if f.path != wanted {
			continue
		}
		c, err := s.Cert.ServerFile(r.Context(), s.actor(r), serverReference(r))
		if err != nil {
			return err
		}
		chain, err := s.Chains.Chain(c.DER)
		if err != nil {
			return fault.New(fault.Unavailable, "cert.no_chain").Because(err)
		}
		content, err := f.content(chain)
		if err != nil {
			return err
		}
		return attach(w, f.kind, fileBase(c.Reference, c.CommonName)+f.ending, content)
	}
	return fault.New(fault.Missing, "")
}
