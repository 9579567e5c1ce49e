package mailboxes

import (
	"context"

	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// rowCertificatesShown is how many certificates a row's page tells of.
const rowCertificatesShown = 50

// certificates are the certificates that were issued for a row, whoever
// holds them, with the step to revoke where it is possible (R24). living tells
// whether any is left to be revoked.
func (s *Section) certificates(ctx context.Context, by person.Actor, r mailbox.Row) (m view.CertificatesModel, living bool, err error) {
	m = view.CertificatesModel{Caption: page.T(ctx, "row.certificates"), Holders: true}
	found, err := s.Cert.OfRow(ctx, by, r.ID, rowCertificatesShown)
	if err != nil {
		return m, false, err
	}
	for _, c := range found {
		living = living || mayEnd(c, s.Now())
		l := s.CertificateLine(ctx, c)
		if by.Officer {
			l.HolderHref = paths.OfficePerson(c.Account)
		}
		if cert.MayRevoke(c) == nil && mayEnd(c, s.Now()) {
			l.Actions = []view.ButtonModel{{Label: page.T(ctx, "cert.revoke_short"), About: c.Reference, Href: paths.ClientCertificate(c.ID) + "/revoke", Kind: view.Danger}}
		}
		m.Lines = append(m.Lines, l)
	}
	return m, living, nil
}
