package office

import (
	"context"
	"net/http"

	"petschaft/internal/cert"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/keys"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
	"petschaft/web/view/officeview"
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
			Reference: u.Reference, Href: unrevokedHref(u), For: u.For, Said: u.Said, At: view.Ago(ctx, u.At, s.Now()),
		})
	}
	return s.Show(w, r, http.StatusOK, officeview.Unexpected(s.unexpectedFrame(r, page.T(ctx, "unexpected.title")), m))
}

func (s *Section) unexpectedFrame(r *http.Request, title string) view.Frame {
	return s.OfficeFrame(r, title)
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
	}
	for _, d := range u.Differences {
		l.Differences = append(l.Differences, officeview.DifferenceLine{What: page.T(ctx, d.Code), Wanted: page.OrNothing(ctx, d.Wanted), Came: page.OrNothing(ctx, d.Came)})
	}
	if cert.MayRevokeUnexpected(u) == nil || cert.MayReportUnexpected(u) {
		l.Revoke = paths.RevokeUnexpected(u.ID)
	}
	return l
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

// revokeUnexpectedPage asks why; failed is why the form came back.
func (s *Section) revokeUnexpectedPage(w http.ResponseWriter, r *http.Request, u cert.Unexpected, why pki.Reason, failed error) error {
	ctx := r.Context()
	m := clientview.RevokeModel{
		Holder: u.For, Reference: u.Reference, Ends: view.Ends(ctx, u.NotAfter, s.Now()),
		Dialog: view.DialogModel{
			Title: page.T(ctx, "cert.revoke_title"), What: []string{page.T(ctx, "unexpected.revoke_what")}, Final: page.T(ctx, "cert.revoke_final"),
			Action: paths.RevokeUnexpected(u.ID), Verb: page.T(ctx, "cert.revoke"), Danger: true, Cancel: paths.Unexpected, Hidden: []view.Hidden{page.FormField()},
		},
		Reason: page.ReasonModel(ctx, pki.Reasons(true), why, failed),
	}
	if cert.MayReportUnexpected(u) {
		m.Reason = keys.Raise(ctx, &m.Dialog, true, failed)
	}
	if p, err := pki.ParseKept(u.DER); err == nil {
		m.Addresses = append(p.Emails, page.Spelled(p.DNS)...)
	}
	f, status := s.unexpectedFrame(r, m.Dialog.Title), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, clientview.Revoke(f, m))
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
