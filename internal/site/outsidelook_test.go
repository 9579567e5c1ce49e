package site_test

import (
	"net/http"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/cert"
	"petschaft/internal/issuance"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// outer is a portal whose certificates come from outside, at once.
type outer struct {
	*sitetest.Rig
	outside *catest.Server
}

// certified is a certificate of somebody's that came from outside.
func (o outer) certified(sub, local string) cert.ID {
	o.T.Helper()
	return *trial.Must(o.Order.One(o.T.Context(), o.Actors["rita"], looked(o.Rig, sub, local))).Certificate
}

// asked has the authority asked to revoke, and to do what else was put off.
func (o outer) asked(of ...cert.ID) {
	o.T.Helper()
	for _, n := range of {
		trial.Must(0, o.Issuance.Revoke(o.T.Context(), int64(n)))
	}
}

// odd is an application for which something else came, and one that was taken back
// before its certificate came, which the authority will not revoke; it returns the
// number of that.
func (o outer) odd() cert.ID {
	o.T.Helper()
	o.outside.Next(catest.OtherName)
	looked(o.Rig, "bob", "bob.bach")
	late := o.late()
	o.outside.NextRevoke(catest.Refusing)
	o.asked(late)
	return late
}

// late is a certificate that came after ada had taken its application back.
func (o outer) late() (id cert.ID) {
	o.T.Helper()
	ctx := o.T.Context()
	o.outside.Next(catest.Pending)
	n := looked(o.Rig, "ada", "ada.spaet")
	trial.Must(0, o.Order.TakeBack(ctx, o.Actors["ada"], n))
	o.outside.Approve(int64(n))
	o.Clock.Advance(3 * time.Minute)
	trial.Must(0, o.Issuance.Look(ctx, issuance.Application, issuance.Number(n)))
	trial.Must(0, o.Pool.QueryRow(ctx, `select id from certificate where unwanted`).Scan(&id))
	return id
}

// TestCertificatesOfAnAuthorityOutsideInABrowser looks at what is being revoked, what
// came and was not asked for, what came too late, and what lasts.
func TestCertificatesOfAnAuthorityOutsideInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			var s *sight
			outside := catest.New(t)
			outside.Clock(func() time.Time { return s.Clock.Now() })
			s = newSight(t, lang, with(outside))
			chosen(s.Rig)
			o, rita := outer{s.Rig, outside}, s.Actors["rita"]
			late := o.odd()
			mine, server := o.certified("ada", "ada.adler"), placed(s.Rig, "www.uni.example")
			trial.Must(0, s.Cert.Revoke(t.Context(), s.Actors["ada"], mine, pki.Superseded))
			trial.Must(0, s.Cert.RevokeServer(t.Context(), s.Actors["nora"], server, pki.Superseded))
			outside.NextRevoke(catest.Pending, catest.Broken)
			o.asked(mine, trial.Must(s.Cert.Server(t.Context(), rita, server)).ID)
			outside.Next(catest.Person)
			trial.Must(0, s.Order.TakeBack(t.Context(), s.Actors["ada"], looked(s.Rig, "ada", "ada.lang")))
			s.Clock.Advance(issuance.LongWait) // before anybody signs in
			s.look("ada", "outside-revoking", paths.ClientCertificate(mine), http.StatusOK)
			s.look("ada", "outside-list", paths.ClientCertificates+"?which=all", http.StatusOK)
			s.look("ada", "outside-late", paths.ClientCertificate(late), http.StatusOK)
			s.look("nora", "outside-server", paths.Certificate(server), http.StatusOK)
			s.look("nora", "outside-servers", paths.Certificates+"?which=all", http.StatusOK)
			s.look("rita", "outside-unexpected", paths.Unexpected, http.StatusOK)
			unexpected := trial.Must(s.Cert.AllUnexpected(t.Context(), rita, 1))[0].ID
			s.look("rita", "outside-unexpected-revoke", paths.RevokeUnexpected(unexpected), http.StatusOK)
			s.look("rita", "outside-lasting", paths.OfficeWaits, http.StatusOK)
			s.look("rita", "outside-tasks", paths.Office, http.StatusOK)
		})
	}
}
