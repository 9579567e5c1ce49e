package office

import (
	"context"
	"net/http"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/clients"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// Certificates lists the newest certificates, or those that were found.
func (s *Section) Certificates(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m := officeview.CertificatesModel{Query: strings.TrimSpace(r.URL.Query().Get("q")), Certificates: view.CertificatesModel{
		Caption: page.T(ctx, "office.certificates"), Holders: true,
	}}
	found, more, err := s.searchCertificates(ctx, s.Actor(r), m.Query)
	if err != nil {
		return err
	}
	m.More = more && m.Query != ""
	for _, c := range found {
		l := s.CertificateLine(ctx, c)
		l.HolderHref = paths.OfficePerson(c.Account)
		m.Certificates.Lines = append(m.Certificates.Lines, l)
	}
	return s.Show(w, r, http.StatusOK, officeview.Certificates(s.OfficeFrame(r, page.T(ctx, "office.certificates")), m))
}

// searchCertificates takes what looks like a reference number for one, however
// it was typed; what that does not find may be a word all the same.
func (s *Section) searchCertificates(ctx context.Context, by person.Actor, sought string) (found []cert.Certificate, more bool, err error) {
	if reference, ok := text.ParseReference(sought); ok {
		if found, more, err = s.Cert.Search(ctx, by, reference); err != nil || len(found) > 0 {
			return found, more, err
		}
	}
	return s.Cert.Search(ctx, by, sought)
}

// Applications lists what an authority did not fulfil.
func (s *Section) Applications(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	failed, err := s.Order.Failures(ctx, s.Actor(r), page.MostFailures)
	if err != nil {
		return err
	}
	var rows []officeview.FailedApplication
	for _, a := range failed {
		row := officeview.FailedApplication{
			Reference: a.Reference, Href: paths.Application(a.ID), Applicant: a.Applicant, ApplicantHref: paths.OfficePerson(a.Account),
			Addresses: clients.AddressesOf(a, nil), Reason: clients.FailedWords(ctx, s.Actor(r), a), Retry: paths.OfficeApplication(a.ID) + "/retry",
		}
		for _, f := range a.Findings {
			row.Rules = append(row.Rules, page.FindingWords(ctx, f))
		}
		if a.Ended != nil {
			row.Since = view.Ago(ctx, *a.Ended, s.Now())
		}
		rows = append(rows, row)
	}
	return s.Show(w, r, http.StatusOK, officeview.Applications(s.OfficeFrame(r, page.T(ctx, "office.applications")), rows))
}

func (s *Section) RetryApplication(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[order.ID](r, "application")
	if err != nil {
		return err
	}
	if err := s.Order.Retry(r.Context(), s.Actor(r), n); err != nil {
		return s.Meanwhile(w, r, err, n.Thing(), view.Link{Label: page.T(r.Context(), "mine.look"), Href: paths.Application(n)})
	}
	return s.Done(w, r, paths.OfficeApplications, "office.retried")
}

// failedApplications is the task of officers to look at what an authority did
// not fulfil.
func (s *Section) failedApplications(ctx context.Context, by person.Actor) ([]view.Task, error) {
	failed, err := s.Order.Failures(ctx, by, page.MostFailures)
	if err != nil || len(failed) == 0 {
		return nil, err
	}
	return []view.Task{{
		Kind: view.Bad, Text: page.T(ctx, "office.applications_failed", "n", len(failed)),
		Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeApplications},
	}}, nil
}
