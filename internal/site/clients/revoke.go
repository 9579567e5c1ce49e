package clients

import (
	"net/http"

	"petschaft/internal/cert"
	"petschaft/internal/pki"
	"petschaft/internal/site/keys"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

func (s *Section) AskRevoke(w http.ResponseWriter, r *http.Request) error {
	c, err := s.load(r)
	if err != nil {
		return err
	}
	if err := cert.MayRevoke(c); err != nil && !cert.MayRaise(c) && !cert.MayReport(c) {
		return err
	}
	return s.revokePage(w, r, c, pki.Unspecified, nil)
}

func (s *Section) Revoke(w http.ResponseWriter, r *http.Request) error {
	c, err := s.load(r)
	if err != nil {
		return err
	}
	why := page.TypedReason(r)
	err = s.Cert.Revoke(r.Context(), s.Doing(r), c.ID, why)
	if err != nil && page.Answerable(err) && (cert.MayRevoke(c) == nil || cert.MayRaise(c) || cert.MayReport(c)) {
		return s.revokePage(w, r, c, why, err)
	}
	if err != nil {
		return err
	}
	switch {
	case c.Revoked != nil:
		return s.Done(w, r, paths.ClientCertificate(c.ID), "cert.raised_done")
	case c.Revoking != nil:
		return s.Done(w, r, paths.ClientCertificate(c.ID), "cert.reported_done")
	}
	return s.RevokedDone(w, r, paths.ClientCertificate(c.ID), c.Earlier, c.External)
}

// revokePage asks why; failed is why the form came back.
func (s *Section) revokePage(w http.ResponseWriter, r *http.Request, c cert.Certificate, why pki.Reason, failed error) error {
	ctx, path := r.Context(), paths.ClientCertificate(c.ID)
	m := clientview.RevokeModel{
		Addresses: c.Emails, Reference: c.Reference, Ends: view.Ends(ctx, c.NotAfter, s.Now()),
		Dialog: view.DialogModel{
			Title: page.T(ctx, "cert.revoke_title"), What: []string{page.T(ctx, "cert.revoke_what")}, Final: page.T(ctx, "cert.revoke_final"),
			Action: path + "/revoke", Verb: page.T(ctx, "cert.revoke"), Danger: true, Cancel: path, Hidden: []view.Hidden{page.FormField()},
		},
		Reason: page.ReasonModel(ctx, cert.Reasons(c), why, failed),
	}
	if c.External {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "cert.revoke_external"))
	}
	if c.Earlier {
		m.Dialog.What = []string{page.T(ctx, "cert.revoke_foreign")}
		m.Dialog.Title, m.Dialog.Verb = page.T(ctx, "cert.note_revoked_title"), page.T(ctx, "cert.note_revoked")
	}
	if cert.MayRaise(c) || cert.MayReport(c) {
		m.Reason = keys.Raise(ctx, &m.Dialog, c.Revoking != nil, failed)
	}
	if !c.Mine {
		m.Holder = c.Holder
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "cert.revoke_told", "name", c.Holder))
	}
	others, err := s.Compromise.Others(ctx, s.Actor(r), c.ID)
	if err != nil {
		return err
	}
	m.Dialog.What = append(m.Dialog.What, keys.OthersWords(ctx, others)...)
	f, status := s.Frame(r, m.Dialog.Title, append(crumbs(ctx, c), view.Link{Label: c.Reference, Href: path})...), http.StatusOK
	f = page.Standing(f)
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, clientview.Revoke(f, m))
}
