package site_test

import (
	"net/http"
	"testing"
)

// TestServerCertificatesInABrowser looks at lists, at certificates in every state
// and at what officers see of them.
func TestServerCertificatesInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	w := s.Shelve()
	for name, path := range map[string]string{
		"list": "/certificates", "ending": "/certificates?which=ending", "all": "/certificates?which=all&sort=name&desc=1", "search": "/certificates?q=shop",
		"no-hit": "/certificates?q=xyz", "only": "/certificates?organisation=1&which=over", "valid": "/certificates/" + w.Valid, "soon": "/certificates/" + w.Soon,
		"expired": "/certificates/" + w.Expired, "revoked": "/certificates/" + w.Revoked, "replaced": "/certificates/" + w.Replaced,
		"renewing": "/certificates/" + w.Renewing, "revoke": "/certificates/" + w.Valid + "/revoke",
	} {
		s.look("nora", "server-"+name, path, http.StatusOK)
	}
	for name, path := range map[string]string{
		"office": "/office/server-certificates?which=all", "officer": "/certificates/" + w.Soon, "officer-revoke": "/certificates/" + w.Soon + "/revoke",
	} {
		s.look("rita", "server-"+name, path, http.StatusOK)
	}
	s.look("sven", "server-none", "/certificates?which=ending", http.StatusOK)
	s.look("niko", "server-closed", "/certificates", http.StatusForbidden)
	s.look("nora", "server-foreign", "/certificates/"+w.Foreign, http.StatusNotFound)
	nora := s.page("nora")
	nora.Goto(s.At("/certificates/" + w.Valid))
	nora.Toggle("nginx")
	nora.Toggle("Apache")
	s.judge(nora, "server-snippet", http.StatusOK)
	nora.Has("ssl_certificate")
}
