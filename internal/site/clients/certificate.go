package clients

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

func (s *Section) load(r *http.Request) (cert.Certificate, error) {
	n, err := page.Number[cert.ID](r, "certificate")
	if err != nil {
		return cert.Certificate{}, err
	}
	return s.Cert.One(r.Context(), s.Actor(r), n)
}

// crumbs lead to c as its reader comes to it: from their own, from
// the row they look after, or from the office.
func crumbs(ctx context.Context, c cert.Certificate) []view.Link {
	switch {
	case c.Mine:
		return []view.Link{{Label: page.T(ctx, "nav.client_certificates"), Href: paths.ClientCertificates}}
	case c.Contact:
		domain := paths.EmailDomain(c.DomainName)
		return []view.Link{
			{Label: page.T(ctx, "nav.email_domains"), Href: paths.EmailDomains},
			{Label: c.DomainName.Unicode(), Href: domain},
			{Label: c.RowName, Href: domain + "/rows/" + page.ID(c.RowID)},
		}
	}
	return []view.Link{{Label: page.T(ctx, "nav.office"), Href: paths.Office}, {Label: page.T(ctx, "office.certificates"), Href: paths.OfficeCertificates}}
}

// Certificate is the page of one certificate, for its holder, the contacts of
// its row and registration officers.
func (s *Section) Certificate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := s.load(r)
	if err != nil {
		return err
	}
	title := page.T(ctx, "cert.title", "reference", c.Reference)
	m := s.model(ctx, title, c)
	if s.EndsSoon(c) && c.Mine {
		soon, err := s.soonNotice(ctx, s.Actor(r), c)
		if err != nil {
			return err
		}
		m.Notices = append([]view.NoticeModel{soon}, m.Notices...)
	}
	e, err := s.Cert.Evidence(ctx, s.Actor(r), c.ID)
	if m.Evidence, err = EvidenceBrief(ctx, e, err, paths.ClientCertificate(c.ID)); err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, clientview.Certificate(page.Standing(s.Frame(page.StandsSince(r, c.Revoking), title, crumbs(ctx, c)...)), m))
}

func (s *Section) model(ctx context.Context, title string, c cert.Certificate) clientview.CertificateModel {
	now, path := s.Now(), paths.ClientCertificate(c.ID)
	state := s.CertificateState(ctx, c)
	state.Pill = true
	m := clientview.CertificateModel{
		Head: view.HeadModel{Title: title, State: &state}, Addresses: c.Emails, Subject: c.Subject, From: view.Day(ctx, c.NotBefore, now),
		Ends: view.Ends(ctx, c.NotAfter, now), Reference: c.Reference, Serial: pki.Colons(c.Serial), Fingerprint: pki.Colons(c.Fingerprint),
		Issuer: s.issuerOf(c), Revoked: page.Moment(ctx, c.Revoked, now), Reason: revokedWhy(ctx, c), Bar: s.LifeBar(ctx, c.Valid(now) && !c.Unwanted, c.NotBefore, c.NotAfter),
	}
	if c.Offered() {
		m.Downloads = []view.DownloadModel{
			{Label: page.T(ctx, "cert.download_pem"), File: c.Reference + ".pem", Href: path + "/certificate.pem"},
			{Label: page.T(ctx, "cert.download_chain"), File: c.Reference + "-chain.pem", Href: path + "/chain.pem"},
		}
	}
	if p, err := pki.ParseKept(c.DER); err == nil {
		m.Key = p.Key.Algorithm
		if c.Mine && !c.Unwanted {
			m.Waiting = waiting(ctx, c, p.Key)
		}
	}
	if c.Mine {
		if c.Valid(now) && c.Revoking == nil && !c.Unwanted {
			m.Head.Actions = []view.ButtonModel{{Label: page.T(ctx, "cert.download"), Href: path + "/chain.pem", Kind: view.Primary}}
		}
		if c.Valid(now) && c.Revoking == nil && !c.Earlier && !c.Unwanted {
			m.Command = "openssl pkcs12 -export -in " + c.Reference + "-chain.pem -inkey " + page.T(ctx, "key.file_key") + " -out " + c.Reference + ".p12"
		}
	} else {
		m.Holder = c.Holder
	}
	if err := cert.MayRevoke(c); err == nil {
		m.Actions = []view.ButtonModel{RevokeButton(ctx, c.Earlier, path)}
	} else if cert.MayRaise(c) || cert.MayReport(c) {
		m.Actions = []view.ButtonModel{RaiseButton(ctx, path)}
	} else if f := fault.Of(err); c.Revoked == nil && c.Revoking == nil {
		m.Reasons = []string{page.T(ctx, f.ID, f.Args...)}
	}
	if c.Officer {
		m.Actions = append(m.Actions, KeyButton(ctx, c.DER)...)
	}
	m.Notices = append(s.notices(ctx, c), EarlierNotice(ctx, c.Earlier, c.Revoked != nil)...)
	return m
}

func (s *Section) notices(ctx context.Context, c cert.Certificate) []view.NoticeModel {
	switch {
	case c.Unwanted && (c.Revoked != nil || c.Revoking != nil):
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "cert.late_notice")}}
	case c.Revoked != nil:
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "cert.revoked_notice")}}
	case c.Revoking != nil:
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "cert.revoking_notice")}}
	case c.Unwanted:
		return []view.NoticeModel{{Kind: view.Bad, Text: page.T(ctx, "cert.unwanted_notice")}}
	case c.Refused != nil:
		return []view.NoticeModel{{Kind: view.Bad, Text: page.T(ctx, "cert.unrevoked_notice")}}
	case !c.Mine && !c.RowActive && c.Valid(s.Now()):
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "cert.inactive_notice")}}
	}
	return nil
}

// soonNotice tells by that their c ends soon, and where the next one is applied for
// or why it is not.
func (s *Section) soonNotice(ctx context.Context, by person.Actor, c cert.Certificate) (view.NoticeModel, error) {
	l, err := s.Mailbox.LinkedRow(ctx, by, c.RowID)
	switch {
	case fault.Is(err, fault.Missing):
		err = fault.New(fault.Conflict, "mailbox.apply.unlinked")
	case err != nil:
		return view.NoticeModel{}, err
	default:
		err = s.mayApply(l)
	}
	m := view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "cert.soon_notice")}
	if f := fault.Of(err); f != nil {
		m.Text = page.T(ctx, "cert.soon_only") + " " + page.T(ctx, f.ID, page.Dated(ctx, s.Now(), f.Args)...)
	}
	return m, nil
}

// KeyButton leads officers to the key of a certificate, and to all that has it.
func KeyButton(ctx context.Context, der []byte) []view.ButtonModel {
	p, err := pki.ParseKept(der)
	if err != nil || len(p.Key.SPKI) == 0 {
		return nil
	}
	return []view.ButtonModel{{Label: page.T(ctx, "keys.of_certificate"), Href: paths.OfficeKey(hex.EncodeToString(p.Key.Fingerprint[:]))}}
}

// RaiseButton leads to where somebody says that the key of a revoked certificate fell
// into other hands.
func RaiseButton(ctx context.Context, path string) view.ButtonModel {
	return view.ButtonModel{Label: page.T(ctx, "cert.raise"), Href: path + "/revoke"}
}

// RevokeButton leads to the revocation of the certificate at path; of an earlier one
// the portal only notes that it was revoked where it comes from.
func RevokeButton(ctx context.Context, earlier bool, path string) view.ButtonModel {
	if earlier {
		return view.ButtonModel{Label: page.T(ctx, "cert.note_revoked"), Href: path + "/revoke", Icon: view.IconBan}
	}
	return view.ButtonModel{Label: page.T(ctx, "cert.revoke"), Href: path + "/revoke", Kind: view.Danger, Icon: view.IconBan}
}

// EarlierNotice says of an earlier certificate what the portal can and cannot do.
func EarlierNotice(ctx context.Context, earlier, revoked bool) []view.NoticeModel {
	switch {
	case !earlier:
		return nil
	case revoked:
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "cert.foreign_revoked")}}
	}
	return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "cert.foreign")}}
}

func revokedWhy(ctx context.Context, c cert.Certificate) string {
	switch {
	case c.Reason == nil:
		return ""
	case c.Unwanted: // the reason that its authority was given blames the mailbox
		return page.T(ctx, "cert.late_reason")
	}
	f, known := pki.Reason(*c.Reason).Facts()
	if !known {
		return strconv.Itoa(int(*c.Reason))
	}
	return page.T(ctx, f.ID)
}

// issuerOf is the name of who signed c.
func (s *Section) issuerOf(c cert.Certificate) string {
	if p, err := pki.ParseKept(c.DER); c.Elsewhere() && err == nil {
		return pki.Distinguished(p.Issuer)
	}
	for _, a := range s.CA {
		if a.Name == c.Authority {
			if p, err := pki.ParseKept(a.DER); err == nil {
				return p.Subject
			}
		}
	}
	return c.Authority
}

// File is the certificate alone.
func (s *Section) File(w http.ResponseWriter, r *http.Request) error {
	c, err := s.load(r)
	if err != nil {
		return err
	}
	if !c.Offered() {
		return fault.New(fault.Missing, "fault.missing")
	}
	return page.Attach(w, "application/x-pem-file", c.Reference+".pem", pki.PEM(c.DER))
}

// Chain is the certificate with all above it, the root last.
func (s *Section) Chain(w http.ResponseWriter, r *http.Request) error {
	c, err := s.load(r)
	if err != nil {
		return err
	}
	if !c.Offered() {
		return fault.New(fault.Missing, "fault.missing")
	}
	chain, err := cert.ChainOf(s.Chains, c.DER, c.Elsewhere(), c.Chain)
	if err != nil {
		return err
	}
	return page.Attach(w, "application/pem-certificate-chain", c.Reference+"-chain.pem", pki.PEM(chain...))
}
