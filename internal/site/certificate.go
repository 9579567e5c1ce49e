package site

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

func (s *Site) loadCertificate(r *http.Request) (cert.Certificate, error) {
	n, err := number[cert.ID](r, "certificate")
	if err != nil {
		return cert.Certificate{}, err
	}
	return s.Cert.One(r.Context(), s.actor(r), n)
}

// certificateCrumbs lead to c as its reader comes to it: from their own, from
// the row they look after, or from the office.
func certificateCrumbs(ctx context.Context, c cert.Certificate) []view.Link {
	switch {
	case c.Mine:
		return []view.Link{{Label: t(ctx, "nav.client_certificates"), Href: paths.ClientCertificates}}
	case c.Contact:
		domain := paths.EmailDomain(c.DomainName)
		return []view.Link{
			{Label: t(ctx, "nav.email_domains"), Href: paths.EmailDomains},
			{Label: c.DomainName.Unicode(), Href: domain},
			{Label: c.RowName, Href: domain + "/rows/" + id(c.RowID)},
		}
	}
	return []view.Link{{Label: t(ctx, "nav.office"), Href: paths.Office}, {Label: t(ctx, "office.certificates"), Href: paths.OfficeCertificates}}
}

// certificate is the page of one certificate, for its holder, the contacts of
// its row and registration officers.
func (s *Site) certificate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := s.loadCertificate(r)
	if err != nil {
		return err
	}
	title := t(ctx, "cert.title", "reference", c.Reference)
	m := s.certificateModel(ctx, title, c)
	e, err := s.Cert.Evidence(ctx, s.actor(r), c.ID)
	if m.Evidence, err = s.evidenceBrief(ctx, e, err, paths.ClientCertificate(c.ID)); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, clientview.Certificate(standing(s.frame(r, title, certificateCrumbs(ctx, c)...)), m))
}

func (s *Site) certificateModel(ctx context.Context, title string, c cert.Certificate) clientview.CertificateModel {
	now, path := s.Now(), paths.ClientCertificate(c.ID)
	state := s.certificateState(ctx, c)
	state.Pill = true
	m := clientview.CertificateModel{
		Head: view.HeadModel{Title: title, State: &state}, Addresses: c.Emails, Subject: c.Subject, From: view.Day(ctx, c.NotBefore, now),
		Ends: view.Day(ctx, c.NotAfter, now), Reference: c.Reference, Serial: pki.Colons(c.Serial), Fingerprint: pki.Colons(c.Fingerprint),
		Issuer: s.issuerOf(c), Revoked: moment(ctx, c.Revoked, now), Reason: revokedWhy(ctx, c), Bar: s.lifeBar(ctx, c.Valid(now), c.NotBefore, c.NotAfter),
		Downloads: []view.DownloadModel{
			{Label: t(ctx, "cert.download_pem"), File: c.Reference + ".pem", Href: path + "/certificate.pem"},
			{Label: t(ctx, "cert.download_chain"), File: c.Reference + "-chain.pem", Href: path + "/chain.pem"},
		},
	}
	if p, err := pki.ParseKept(c.DER); err == nil {
		m.Key = p.Key.Algorithm
		if c.Mine {
			m.Waiting = certificateWaiting(ctx, c, p.Key)
		}
	}
	if c.Mine {
		m.Head.Actions = []view.ButtonModel{{Label: t(ctx, "cert.download"), Href: path + "/chain.pem", Kind: view.Primary}}
		if !c.Earlier {
			m.Command = "openssl pkcs12 -export -in " + c.Reference + "-chain.pem -inkey " + t(ctx, "key.file_key") + " -out " + c.Reference + ".p12"
		}
	} else {
		m.Holder = c.Holder
	}
	if err := cert.MayRevoke(c); err == nil {
		m.Actions = []view.ButtonModel{{Label: t(ctx, "cert.revoke"), Href: path + "/revoke", Kind: view.Danger, Icon: view.IconBan}}
	} else if f := fault.Of(err); c.Revoked == nil {
		m.Reasons = []string{t(ctx, f.ID, f.Args...)}
	}
	m.Notices = append(s.certificateNotices(ctx, c), earlierNotice(ctx, c.Earlier, c.Revoked != nil)...)
	return m
}

func (s *Site) certificateNotices(ctx context.Context, c cert.Certificate) []view.NoticeModel {
	switch {
	case c.Revoked != nil:
		return []view.NoticeModel{{Kind: view.Info, Text: t(ctx, "cert.revoked_notice")}}
	case s.endsSoon(c) && c.Mine:
		return []view.NoticeModel{{Kind: view.Warn, Text: t(ctx, "cert.soon_notice")}}
	case !c.Mine && !c.RowActive && c.Valid(s.Now()):
		return []view.NoticeModel{{Kind: view.Warn, Text: t(ctx, "cert.inactive_notice")}}
	}
	return nil
}

// earlierNotice says of an earlier certificate what the portal can and cannot do.
func earlierNotice(ctx context.Context, earlier, revoked bool) []view.NoticeModel {
	switch {
	case !earlier:
		return nil
	case revoked:
		return []view.NoticeModel{{Kind: view.Warn, Text: t(ctx, "cert.foreign_revoked")}}
	}
	return []view.NoticeModel{{Kind: view.Info, Text: t(ctx, "cert.foreign")}}
}

// endsSoon tells whether c still counts, but may be followed by the next.
func (s *Site) endsSoon(c cert.Certificate) bool {
	return c.Valid(s.Now()) && c.NotAfter.Sub(s.Now()) <= mailbox.Renewable
}

func (s *Site) certificateState(ctx context.Context, c cert.Certificate) view.StateModel {
	switch now := s.Now(); {
	case c.Revoked != nil:
		return view.StateModel{Kind: view.Ended, Word: t(ctx, "cert.state_revoked"), Since: locale.From(ctx).DateTime(*c.Revoked)}
	case now.After(c.NotAfter):
		return view.StateModel{Kind: view.Ended, Icon: view.IconClock, Word: t(ctx, "cert.state_expired"), Since: locale.From(ctx).DateTime(c.NotAfter)}
	case s.endsSoon(c):
		return view.StateModel{Kind: view.Warn, Word: t(ctx, "cert.state_soon"), Since: locale.From(ctx).DateTime(c.NotAfter)}
	}
	return view.StateModel{Kind: view.Good, Word: t(ctx, "cert.state_valid"), Since: locale.From(ctx).DateTime(c.NotBefore)}
}

func revokedWhy(ctx context.Context, c cert.Certificate) string {
	if c.Reason == nil {
		return ""
	}
	f, known := pki.Reason(*c.Reason).Facts()
	if !known {
		return strconv.Itoa(int(*c.Reason))
	}
	return t(ctx, f.ID)
}

// lifeBar is how much of a life is over, nil when the certificate does not count.
func (s *Site) lifeBar(ctx context.Context, valid bool, from, until time.Time) *view.BarModel {
	if !valid {
		return nil
	}
	days := func(d time.Duration) int { return int((d + 12*time.Hour) / (24 * time.Hour)) }
	total, left := days(until.Sub(from)), days(until.Sub(s.Now()))
	return &view.BarModel{Done: strconv.Itoa(total - left), Total: strconv.Itoa(max(total, 1)), Text: t(ctx, "cert.left", "n", left, "total", total)}
}

// issuerOf is the name of who signed c.
func (s *Site) issuerOf(c cert.Certificate) string {
	if p, err := pki.ParseKept(c.DER); c.Earlier && err == nil {
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

// certificateLine is c in a list.
func (s *Site) certificateLine(ctx context.Context, c cert.Certificate) view.CertificateLine {
	return view.CertificateLine{
		Reference: c.Reference, Href: paths.ClientCertificate(c.ID), Holder: c.Holder, Addresses: c.Emails, Serial: pki.Colons(c.Serial),
		Ends: view.Day(ctx, c.NotAfter, s.Now()), State: s.certificateState(ctx, c),
	}
}

// certificateFile is the certificate alone.
func (s *Site) certificateFile(w http.ResponseWriter, r *http.Request) error {
	c, err := s.loadCertificate(r)
	if err != nil {
		return err
	}
	return attach(w, "application/x-pem-file", c.Reference+".pem", pki.PEM(c.DER))
}

// chainFile is the certificate with all above it, the root last.
func (s *Site) chainFile(w http.ResponseWriter, r *http.Request) error {
	c, err := s.loadCertificate(r)
	if err != nil {
		return err
	}
	chain, err := cert.ChainOf(s.Chains, c.DER, c.Earlier, c.Chain)
	if err != nil {
		return err
	}
	return attach(w, "application/pem-certificate-chain", c.Reference+"-chain.pem", pki.PEM(chain...))
}

// attach sends a file to be kept (RFC 6266). name holds letters, digits, dots
// and dashes only.
func attach(w http.ResponseWriter, kind, name string, content []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+strings.ReplaceAll(name, `"`, "")+`"`)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, err := w.Write(content)
	if err != nil {
		return nil //nolint:nilerr // the reader went away; there is nobody to tell
	}
	return nil
}
