package mailboxes

import (
	"context"

	"petschaft/internal/cert"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// rowCertificatesShown is how many certificates a row's page tells of.
const rowCertificatesShown = 50

// certificates are the certificates that were issued for a row, whoever
// holds them, with the step to revoke where it is possible (R24).
func (s *Section) certificates(ctx context.Context, by person.Actor, found []cert.Certificate) view.CertificatesModel {
	m := view.CertificatesModel{Caption: page.T(ctx, "row.certificates"), Holders: true}
	for _, c := range found {
		l := s.CertificateLine(ctx, c)
		if by.Officer {
			l.HolderHref = paths.OfficePerson(c.Account)
		}
		if cert.MayRevoke(c) == nil && mayEnd(c, s.Now()) {
			b := view.ButtonModel{Label: page.T(ctx, "cert.revoke_short"), About: c.Reference, Href: paths.ClientCertificate(c.ID) + "/revoke", Kind: view.Danger}
			if c.Earlier {
				b.Label, b.Kind = page.T(ctx, "cert.note_revoked"), view.Plain
			}
			l.Actions = []view.ButtonModel{b}
		}
		m.Lines = append(m.Lines, l)
	}
	return m
}

// newest is the newest of a row's certificates, nil for none.
func (s *Section) newest(ctx context.Context, found []cert.Certificate) *view.CertificateLine {
	c := cert.Newest(found)
	if c == nil {
		return nil
	}
	l := s.CertificateLine(ctx, *c)
	return &l
}
