package servers

import (
	"context"
	"net/http"
	"strconv"

	"petschaft/internal/cert"
	"petschaft/internal/pki"
	"petschaft/internal/site/keys"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/serverview"
)

func (s *Section) AskRevoke(w http.ResponseWriter, r *http.Request) error {
	c, err := s.load(r)
	if err != nil {
		return err
	}
	if err := cert.MayRevokeServer(c); err != nil && !cert.MayRaiseServer(c) && !cert.MayReportServer(c) {
		return s.Meanwhile(w, r, err, c.ID.ServerThing(), view.Link{Label: page.T(r.Context(), "order.to_certificate"), Href: paths.Certificate(c.Reference)})
	}
	return s.revokePage(w, r, c, pki.Unspecified, nil)
}

func (s *Section) Revoke(w http.ResponseWriter, r *http.Request) error {
	c, err := s.load(r)
	if err != nil {
		return err
	}
	why := page.TypedReason(r)
	err = s.Cert.RevokeServer(r.Context(), s.Doing(r), c.Reference, why)
	if err != nil && page.Answerable(err) && (cert.MayRevokeServer(c) == nil || cert.MayRaiseServer(c) || cert.MayReportServer(c)) {
		return s.revokePage(w, r, c, why, err)
	}
	if err != nil {
		return s.Meanwhile(w, r, err, c.ID.ServerThing(), view.Link{Label: page.T(r.Context(), "order.to_certificate"), Href: paths.Certificate(c.Reference)})
	}
	switch {
	case c.Revoked != nil:
		return s.Done(w, r, paths.Certificate(c.Reference), "cert.raised_done")
	case c.Revoking != nil:
		return s.Done(w, r, paths.Certificate(c.Reference), "cert.reported_done")
	}
	return s.RevokedDone(w, r, paths.Certificate(c.Reference), c.Earlier, c.External)
}

// revokePage asks why; failed is why the form came back.
func (s *Section) revokePage(w http.ResponseWriter, r *http.Request, c cert.ServerCertificate, why pki.Reason, failed error) error {
	ctx, path := r.Context(), paths.Certificate(c.Reference)
	m := serverview.RevokeModel{
		Names: page.Spelled(c.Names), Organisation: c.OrganisationName, Reference: c.Reference, Ends: view.Ends(ctx, c.NotAfter, s.Now()),
		Dialog: view.DialogModel{
			Title: page.T(ctx, "cert.revoke_title"), What: []string{page.T(ctx, "server.revoke_what")}, Final: page.T(ctx, "cert.revoke_final"),
			Action: path + "/revoke", Verb: page.T(ctx, "cert.revoke"), Danger: true, Cancel: path, Hidden: []view.Hidden{page.FormField()},
		},
		Reason: page.ReasonModel(ctx, serverReasons(c), why, failed),
	}
	if c.External {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "cert.revoke_external"))
	}
	if c.Earlier {
		m.Dialog.What = []string{page.T(ctx, "cert.revoke_foreign")}
		m.Dialog.Title, m.Dialog.Verb = page.T(ctx, "cert.note_revoked_title"), page.T(ctx, "cert.note_revoked")
	}
	if c.ReplacedBy == nil && !c.Earlier && c.Valid(s.Now()) {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "server.revoke_first"))
	}
	if cert.MayRaiseServer(c) || cert.MayReportServer(c) {
		m.Reason = keys.Raise(ctx, &m.Dialog, c.Revoking != nil, failed)
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
	return s.Show(w, r, status, serverview.Revoke(f, m))
}

// serverReasons are those that the reader of c may give.
func serverReasons(c cert.ServerCertificate) []pki.ReasonFacts {
	return OfServers(cert.ServerReasons(c))
}

// OfServers words reasons as they are with servers.
func OfServers(reasons []pki.ReasonFacts) (all []pki.ReasonFacts) {
	for _, f := range reasons {
		all = append(all, ofServer(f))
	}
	return all
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

// reasonOf words why a server certificate was revoked, empty when it was not.
func reasonOf(ctx context.Context, c cert.ServerCertificate) string {
	switch {
	case c.Reason == nil:
		return ""
	case c.Unwanted:
		return page.T(ctx, "cert.late_reason")
	}
	f, known := pki.Reason(*c.Reason).Facts()
	if !known {
		return strconv.Itoa(int(*c.Reason))
	}
	return page.T(ctx, ofServer(f).ID)
}
