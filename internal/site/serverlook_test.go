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
	w := s.shelve()
	for name, path := range map[string]string{
		"list": "/certificates", "ending": "/certificates?which=ending", "all": "/certificates?which=all&sort=name&desc=1", "search": "/certificates?q=shop",
		"no-hit": "/certificates?q=xyz", "only": "/certificates?organisation=1&which=over", "valid": "/certificates/" + w.valid, "soon": "/certificates/" + w.soon,
		"expired": "/certificates/" + w.expired, "revoked": "/certificates/" + w.revoked, "replaced": "/certificates/" + w.replaced,
		"renewing": "/certificates/" + w.renewing, "revoke": "/certificates/" + w.valid + "/revoke",
	} {
		s.look("nora", "server-"+name, path, http.StatusOK)
	}
	for name, path := range map[string]string{
		"office": "/office/server-certificates?which=all", "officer": "/certificates/" + w.soon, "officer-revoke": "/certificates/" + w.soon + "/revoke",
	} {
		s.look("rita", "server-"+name, path, http.StatusOK)
	}
	s.look("sven", "server-none", "/certificates?which=ending", http.StatusOK)
	s.look("niko", "server-closed", "/certificates", http.StatusForbidden)
	s.look("nora", "server-foreign", "/certificates/"+w.foreign, http.StatusNotFound)
	nora := s.page("nora")
	nora.Goto(s.at("/certificates/" + w.valid))
	nora.Toggle("nginx")
	nora.Toggle("Apache")
	s.judge(nora, "server-snippet", http.StatusOK)
	nora.Has("ssl_certificate")
}
