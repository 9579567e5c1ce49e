package site

import (
	"context"
	"net/http"
	"strconv"

	"petschaft/internal/cert"
	"petschaft/internal/pki"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/serverview"
)

func (s *Site) askRevokeServer(w http.ResponseWriter, r *http.Request) error {
	c, err := s.loadServer(r)
	if err != nil {
		return err
	}
	if err := cert.MayRevokeServer(c); err != nil {
		return err
	}
	return s.revokeServerPage(w, r, c, pki.Unspecified, nil)
}

func (s *Site) revokeServer(w http.ResponseWriter, r *http.Request) error {
	c, err := s.loadServer(r)
	if err != nil {
		return err
	}
	why := noReason
	if n, err := strconv.Atoi(r.PostFormValue("reason")); err == nil {
		why = pki.Reason(n)
	}
	err = s.Cert.RevokeServer(r.Context(), s.doing(r), c.Reference, why)
	if err != nil && answerable(err) && cert.MayRevokeServer(c) == nil {
		return s.revokeServerPage(w, r, c, why, err)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, paths.Certificate(c.Reference), revokedDone(c.Earlier))
}

// revokeServerPage asks why; failed is why the form came back.
func (s *Site) revokeServerPage(w http.ResponseWriter, r *http.Request, c cert.ServerCertificate, why pki.Reason, failed error) error {
	ctx, path := r.Context(), paths.Certificate(c.Reference)
	bad, whole := wrong(ctx, failed)
	m := serverview.RevokeModel{
		Names: spelledNames(c.Names), Organisation: c.OrganisationName, Reference: c.Reference, Ends: view.Day(ctx, c.NotAfter, s.Now()),
		Dialog: view.DialogModel{
			Title: t(ctx, "cert.revoke_title"), What: []string{t(ctx, "server.revoke_what")}, Final: t(ctx, "cert.revoke_final"),
			Action: path + "/revoke", Verb: t(ctx, "cert.revoke"), Danger: true, Cancel: path, Hidden: []view.Hidden{formName()},
		},
		Reason: view.FieldModel{Name: "reason", Label: t(ctx, "cert.revoke_reason"), Type: view.Radios, Value: strconv.Itoa(int(why)), Error: bad["reason"]},
	}
	if c.Earlier {
		m.Dialog.What = []string{t(ctx, "cert.revoke_foreign")}
	}
	if c.ReplacedBy == nil && !c.Earlier && c.Valid(s.Now()) {
		m.Dialog.What = append(m.Dialog.What, t(ctx, "server.revoke_first"))
	}
	for _, f := range cert.ServerReasons(c) {
		f = ofServer(f)
		m.Reason.Choices = append(m.Reason.Choices, view.Choice{Value: strconv.Itoa(int(f.Reason)), Label: t(ctx, f.ID), Hint: t(ctx, f.Help)})
	}
	m.Fails = view.Fails(m.Reason)
	if whole != "" {
		m.Fails = append(m.Fails, view.Fail{Text: whole})
	}
	f, status := s.frame(r, m.Dialog.Title, append(serverCrumbs(ctx, c), view.Link{Label: c.Reference, Href: path})...), http.StatusOK
	f = standing(f)
	if failed != nil {
		f, status = s.refused(w, f, failed)
	}
	return s.show(w, r, status, serverview.Revoke(f, m))
}

// ofServer words a reason as it is with servers, where it speaks of mailboxes
// otherwise.
func ofServer(f pki.ReasonFacts) pki.ReasonFacts {
	switch f.Reason {
	case pki.AffiliationChanged:
		f.ID, f.Help = "server.reason_affiliation", "server.reason_affiliation_help"
	case pki.CessationOfOperation:
		f.ID, f.Help = "server.reason_cessation", "server.reason_cessation_help"
	}
	return f
}

// serverReason words why a server certificate was revoked, empty when it was not.
func serverReason(ctx context.Context, c cert.ServerCertificate) string {
	if c.Reason == nil {
		return ""
	}
	f, known := pki.Reason(*c.Reason).Facts()
	if !known {
		return strconv.Itoa(int(*c.Reason))
	}
	return t(ctx, ofServer(f).ID)
}
