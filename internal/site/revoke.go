package site

import (
	"net/http"
	"strconv"

	"petschaft/internal/cert"
	"petschaft/internal/pki"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

// noReason is what a form without a choice means; no reason has this number.
const noReason pki.Reason = -1

func (s *Site) askRevoke(w http.ResponseWriter, r *http.Request) error {
	c, err := s.loadCertificate(r)
	if err != nil {
		return err
	}
	if err := cert.MayRevoke(c); err != nil {
		return err
	}
	return s.revokePage(w, r, c, pki.Unspecified, nil)
}

func (s *Site) revoke(w http.ResponseWriter, r *http.Request) error {
	c, err := s.loadCertificate(r)
	if err != nil {
		return err
	}
	why := noReason
	if n, err := strconv.Atoi(r.PostFormValue("reason")); err == nil {
		why = pki.Reason(n)
	}
	err = s.Cert.Revoke(r.Context(), s.doing(r), c.ID, why)
	if err != nil && answerable(err) && cert.MayRevoke(c) == nil {
		return s.revokePage(w, r, c, why, err)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, paths.ClientCertificate(c.ID), revokedDone(c.Earlier))
}

// revokedDone says what happens now.
func revokedDone(earlier bool) string {
	if earlier {
		return "cert.revoked_noted"
	}
	return "cert.revoked_done"
}

// revokePage asks why; failed is why the form came back.
func (s *Site) revokePage(w http.ResponseWriter, r *http.Request, c cert.Certificate, why pki.Reason, failed error) error {
	ctx, path := r.Context(), paths.ClientCertificate(c.ID)
	bad, whole := wrong(ctx, failed)
	m := clientview.RevokeModel{
		Addresses: c.Emails, Reference: c.Reference, Ends: view.Day(ctx, c.NotAfter, s.Now()),
		Dialog: view.DialogModel{
			Title: t(ctx, "cert.revoke_title"), What: []string{t(ctx, "cert.revoke_what")}, Final: t(ctx, "cert.revoke_final"),
			Action: path + "/revoke", Verb: t(ctx, "cert.revoke"), Danger: true, Cancel: path, Hidden: []view.Hidden{formName()},
		},
		Reason: view.FieldModel{Name: "reason", Label: t(ctx, "cert.revoke_reason"), Type: view.Radios, Value: strconv.Itoa(int(why)), Error: bad["reason"]},
	}
	if c.Earlier {
		m.Dialog.What = []string{t(ctx, "cert.revoke_foreign")}
	}
	if !c.Mine {
		m.Holder = c.Holder
		m.Dialog.What = append(m.Dialog.What, t(ctx, "cert.revoke_told", "name", c.Holder))
	}
	for _, f := range cert.Reasons(c) {
		m.Reason.Choices = append(m.Reason.Choices, view.Choice{Value: strconv.Itoa(int(f.Reason)), Label: t(ctx, f.ID), Hint: t(ctx, f.Help)})
	}
	m.Fails = view.Fails(m.Reason)
	if whole != "" {
		m.Fails = append(m.Fails, view.Fail{Text: whole})
	}
	f, status := s.frame(r, m.Dialog.Title, append(certificateCrumbs(ctx, c), view.Link{Label: c.Reference, Href: path})...), http.StatusOK
	f = standing(f)
	if failed != nil {
		f, status = s.refused(w, f, failed)
	}
	return s.show(w, r, status, clientview.Revoke(f, m))
}
