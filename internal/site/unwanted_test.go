package site_test

import (
	"net/http"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/cert"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// atOnce is a portal for whose certificates an authority outside is asked, which
// answers at once.
func atOnce(t *testing.T) outer {
	t.Helper()
	var r *sitetest.Rig
	outside := catest.New(t)
	outside.Clock(func() time.Time { return r.Clock.Now() })
	r = sitetest.New(t, with(outside))
	chosen(r)
	return outer{r, outside}
}

// TestWhatNobodyWantedIsShownAndNotOffered where its authority will not revoke it: its
// holder reads not to use it, and only officers get its files.
func TestWhatNobodyWantedIsShownAndNotOffered(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	late := o.odd()
	path, ada := paths.ClientCertificate(late), o.As("ada")
	ada.Get(path).Is(http.StatusOK).Has("nicht verwenden", "das Portal bietet es nicht an", path+"/revoke").Lacks(path+"/certificate.pem", path+"/chain.pem", "Herunterladen")
	for _, file := range []string{"/certificate.pem", "/chain.pem"} {
		ada.Get(path + file).Is(http.StatusNotFound)
		o.As("rita").Get(path + file).Is(http.StatusOK)
	}
	reference := trial.Must(o.Cert.One(t.Context(), o.Actors["ada"], late)).Reference
	ada.Get(paths.ClientCertificates).Lacks(reference)
	ada.Get(paths.ClientCertificates+"?which=over").Has(reference, "nicht verwenden")
	ada.Get("/").Lacks(reference)
	o.As("rita").Get(paths.Unexpected).Has(reference, "Abgelehnte Widerrufe")
}

// TestWhatCameTooLateSaysSo while it is revoked and afterwards: its holder read that
// the mailbox is gone, and nothing of why.
func TestWhatCameTooLateSaysSo(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	late := o.late()
	path, ada := paths.ClientCertificate(late), o.As("ada")
	ada.Get(path).Is(http.StatusOK).Has("wird widerrufen", "kam zu spät oder doppelt")
	o.asked(late)
	ada.Get(path).Is(http.StatusOK).Has("widerrufen", "Es kam zu spät oder doppelt").Lacks("wird widerrufen", "Das Postfach gibt es nicht mehr")
}

// TestWhatIsBeingRevokedIsNotSaidToBeAskedForOnceItIsRevoked: the authority may be
// faster than the page.
func TestWhatIsBeingRevokedIsNotSaidToBeAskedForOnceItIsRevoked(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	slow, fast := o.certified("ada", "ada.adler"), o.certified("ada", "ada.schnell")
	ada, said := o.As("ada"), sitetest.German("cert.revoking_done")
	revoke := func(n cert.ID) sitetest.Answer {
		return ada.Post(paths.ClientCertificate(n)+"/revoke", "reason", "4").Is(http.StatusSeeOther)
	}
	revoke(slow).Follow().Has(said, "wird widerrufen")
	begun := revoke(fast)
	o.asked(fast)
	begun.Follow().Has("widerrufen").Lacks(said)
}

// TestAKeyIsReportedOnAFormThatWasOpenBefore somebody else had the certificate revoked.
func TestAKeyIsReportedOnAFormThatWasOpenBefore(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	n := o.certified("ada", "ada.adler")
	ada := o.As("ada")
	ada.Get(paths.ClientCertificate(n) + "/revoke").Is(http.StatusOK)
	trial.Must(0, o.Cert.Revoke(t.Context(), o.Actors["rita"], n, pki.Superseded))
	ada.Post(paths.ClientCertificate(n)+"/revoke", "reason", "1").Is(http.StatusSeeOther).Follow().Has("wird widerrufen")
	o.asked(n)
	if why, is := o.outside.Revoked(trial.Must(o.Cert.One(t.Context(), o.Actors["ada"], n)).DER); !is || why != pki.KeyCompromise {
		t.Errorf("the authority revoked it: %v for %d, want it told of the key", is, why)
	}
	o.As("rita").Get(paths.OfficeAudit).Has("als kompromittiert gemeldet")
}
