package office

import (
	"context"
	"net/http"

	"petschaft/internal/cert"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/keys"
	"petschaft/internal/site/page"
	"petschaft/internal/site/servers"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
	"petschaft/web/view/officeview"
	"petschaft/web/view/serverview"
)

// Unexpected lists what authorities made that nobody asked for, and what they refused
// to revoke.
func (s *Section) Unexpected(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	all, err := s.Cert.AllUnexpected(ctx, by, page.MostFailures)
	if err != nil {
		return err
	}
	refused, err := s.Cert.AllUnrevoked(ctx, by, page.MostFailures)
	if err != nil {
		return err
	}
	var m officeview.UnexpectedModel
	for _, u := range all {
		m.Lines = append(m.Lines, s.unexpectedLine(ctx, u))
	}
	for _, u := range refused {
		m.Refused = append(m.Refused, officeview.UnrevokedLine{
			Reference: u.Reference, Href: unrevokedHref(u), For: u.For, Authority: page.AuthorityName(ctx, u.Authority), Said: u.Said, At: view.Ago(ctx, u.At, s.Now()),
		})
	}
	return s.Show(w, r, http.StatusOK, officeview.Unexpected(s.unexpectedFrame(r, page.T(ctx, "unexpected.title")), m))
}

func (s *Section) unexpectedFrame(r *http.Request, title string, crumbs ...view.Link) view.Frame {
	return s.OfficeFrame(r, title, crumbs...)
}

// unrevokedHref is where a certificate is that its authority will not revoke; what is
// nobody's stands on the page itself.
func unrevokedHref(u cert.Unrevoked) string {
	switch {
	case u.Nobodys:
		return ""
	case u.Server:
		return paths.Certificate(u.Reference)
	}
	return paths.ClientCertificate(u.ID)
}

func (s *Section) unexpectedLine(ctx context.Context, u cert.Unexpected) officeview.UnexpectedLine {
	now := s.Now()
	l := officeview.UnexpectedLine{
		Reference: u.Reference, Serial: pki.Colons(u.Serial), For: u.For, Came: view.Ago(ctx, u.Came, now), State: s.unexpectedState(ctx, u),
		Authority: page.AuthorityName(ctx, u.Authority), File: paths.UnexpectedFile(u.ID),
	}
	for _, d := range u.Differences {
		l.Differences = append(l.Differences, officeview.DifferenceLine{What: page.T(ctx, d.Code), Wanted: page.OrNothing(ctx, d.Wanted), Came: page.OrNothing(ctx, d.Came)})
	}
	switch {
	case cert.MayRevokeUnexpected(u) == nil:
		l.Action = &view.ButtonModel{Label: page.T(ctx, "cert.revoke_short"), About: u.Reference, Href: paths.RevokeUnexpected(u.ID), Kind: view.Danger}
	case cert.MayReportUnexpected(u):
		l.Action = &view.ButtonModel{Label: page.T(ctx, "cert.raise"), About: u.Reference, Href: paths.RevokeUnexpected(u.ID)}
	}
	return l
}

// UnexpectedFile is the certificate, for officers to show it to its authority.
func (s *Section) UnexpectedFile(w http.ResponseWriter, r *http.Request) error {
	u, err := s.unexpectedOne(r)
	if err != nil {
		return err
	}
	return page.Attach(w, "application/x-pem-file", u.Reference+".pem", pki.PEM(u.DER))
}

func (s *Section) unexpectedState(ctx context.Context, u cert.Unexpected) view.StateModel {
	if u.Open(s.Now()) { // which is nothing good
		return view.StateModel{Kind: view.Warn, Word: page.T(ctx, "unexpected.still")}
	}
	return s.CertificateState(ctx, cert.Certificate{Revoked: u.Revoked, Revoking: u.Revoking, NotBefore: u.Came, NotAfter: u.NotAfter})
}

func (s *Section) unexpectedOne(r *http.Request) (cert.Unexpected, error) {
	n, err := page.Number[cert.ID](r, "certificate")
	if err != nil {
		return cert.Unexpected{}, err
	}
	return s.Cert.Unexpected(r.Context(), s.Actor(r), n)
}

func (s *Section) AskRevokeUnexpected(w http.ResponseWriter, r *http.Request) error {
	u, err := s.unexpectedOne(r)
	if err != nil {
		return err
	}
	if err := cert.MayRevokeUnexpected(u); err != nil && !cert.MayReportUnexpected(u) {
		return err
	}
	return s.revokeUnexpectedPage(w, r, u, pki.Unspecified, nil)
}

func (s *Section) RevokeUnexpected(w http.ResponseWriter, r *http.Request) error {
	u, err := s.unexpectedOne(r)
	if err != nil {
		return err
	}
	why := page.TypedReason(r)
	err = s.Cert.RevokeUnexpected(r.Context(), s.Doing(r), u.ID, why)
	if err != nil && page.Answerable(err) && (cert.MayRevokeUnexpected(u) == nil || cert.MayReportUnexpected(u)) {
		return s.revokeUnexpectedPage(w, r, u, why, err)
	}
	if err != nil {
		return err
	}
	if u.Revoking != nil {
		return s.Done(w, r, paths.Unexpected, "cert.reported_done")
	}
	return s.RevokedDone(w, r, paths.Unexpected, false, u.External)
}

// revokeUnexpectedPage asks why, by what it was for: a server or a person; failed is why
// the form came back.
func (s *Section) revokeUnexpectedPage(w http.ResponseWriter, r *http.Request, u cert.Unexpected, why pki.Reason, failed error) error {
	ctx := r.Context()
	reasons, ends := pki.Reasons(true), view.Ends(ctx, u.NotAfter, s.Now())
	if u.Server {
		reasons = servers.OfServers(reasons)
	}
	reason := page.ReasonModel(ctx, reasons, why, failed)
	dialog := view.DialogModel{
		Title: page.T(ctx, "cert.revoke_title"), What: []string{page.T(ctx, "unexpected.revoke_what")}, Final: page.T(ctx, "cert.revoke_final"),
		Action: paths.RevokeUnexpected(u.ID), Verb: page.T(ctx, "cert.revoke"), Danger: true, Cancel: paths.Unexpected, Hidden: []view.Hidden{page.FormField()},
	}
	if u.External {
		dialog.What = append(dialog.What, page.T(ctx, "unexpected.revoke_outside", "authority", u.Authority))
	}
	if cert.MayReportUnexpected(u) {
		reason = keys.Raise(ctx, &dialog, true, failed)
	}
	f, status := s.unexpectedFrame(r, dialog.Title, view.Link{Label: page.T(ctx, "unexpected.title"), Href: paths.Unexpected}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	p, _ := pki.ParseKept(u.DER) // what is unreadable names nothing
	if u.Server {
		return s.Show(w, r, status, serverview.Revoke(f, serverview.RevokeModel{
			Names: page.Spelled(p.DNS), Organisation: u.For, Reference: u.Reference, Ends: ends, Dialog: dialog, Reason: reason,
		}))
	}
	return s.Show(w, r, status, clientview.Revoke(f, clientview.RevokeModel{
		MeantFor: u.For, Addresses: append(p.Emails, page.Spelled(p.DNS)...), Reference: u.Reference, Ends: ends, Dialog: dialog, Reason: reason,
	}))
}

// unexpectedTasks is the task of officers to look at what came and was not asked for,
// and at what was not revoked.
func (s *Section) unexpectedTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	all, err := s.Cert.AllUnexpected(ctx, by, page.MostFailures)
	if err != nil {
		return nil, err
	}
	refused, err := s.Cert.AllUnrevoked(ctx, by, page.MostFailures)
	if err != nil {
		return nil, err
	}
	n, look := 0, view.Link{Label: page.T(ctx, "start.look"), Href: paths.Unexpected}
	for _, u := range all {
		if u.Open(s.Now()) {
			n++
		}
	}
	var tasks []view.Task
	if n > 0 {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: page.T(ctx, "unexpected.task", "n", n), Link: look})
	}
	if len(refused) > 0 {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: page.T(ctx, "unexpected.refused_task", "n", len(refused)), Link: look})
	}
	return tasks, nil
}
