package servers

import (
	"context"
	"net/http"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/site/clients"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/serverview"
)

// load is the certificate of that number.
func (s *Section) load(r *http.Request) (cert.ServerCertificate, error) {
	return s.Cert.Server(r.Context(), s.Actor(r), Reference(r))
}

// crumbs lead to c as its reader comes to it.
func crumbs(ctx context.Context, c cert.ServerCertificate) []view.Link {
	if c.Contact {
		return []view.Link{{Label: page.T(ctx, "nav.certificates"), Href: paths.Certificates}}
	}
	return []view.Link{{Label: page.T(ctx, "nav.office"), Href: paths.Office}, {Label: page.T(ctx, "office.server_certificates"), Href: paths.OfficeServers}}
}

// Certificate is the page of one certificate.
func (s *Section) Certificate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := s.load(r)
	if err != nil {
		return err
	}
	m, err := s.model(ctx, c)
	if err != nil {
		return err
	}
	e, err := s.Cert.ServerEvidence(ctx, s.Actor(r), c.Reference)
	if m.Evidence, err = clients.EvidenceBrief(ctx, e, err, paths.Certificate(c.Reference)); err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, serverview.Server(page.Standing(s.Frame(r, m.Head.Title, crumbs(ctx, c)...)), m))
}

func (s *Section) model(ctx context.Context, c cert.ServerCertificate) (serverview.ServerModel, error) {
	now, state := s.Now(), s.stateOf(ctx, c)
	state.Pill = true
	p, err := pki.ParseKept(c.DER)
	if err != nil {
		return serverview.ServerModel{}, err
	}
	prints := p.Fingerprints()
	m := serverview.ServerModel{
		Head:  view.HeadModel{Title: cert.Spelled(c.CommonName), State: &state, Lead: page.T(ctx, "server.title", "reference", c.Reference)},
		Names: page.Spelled(c.Names), Organisation: view.Link{Label: c.OrganisationName, Href: paths.Organisation(c.Organisation)},
		Product: page.ProductName(ctx, c.Product), From: view.Day(ctx, c.NotBefore, now), Ends: view.Day(ctx, c.NotAfter, now),
		Bar: s.LifeBar(ctx, c.Valid(now), c.NotBefore, c.NotAfter), Revoked: page.Moment(ctx, c.Revoked, now), Reason: reasonOf(ctx, c),
		Related: related(ctx, c), Subject: p.Subject, Key: p.Key.Algorithm, Serial: p.SerialText(), SHA256: prints.SHA256, SHA1: prints.SHA1,
		Downloads: downloads(ctx, c), Notices: append(s.notices(ctx, c), clients.EarlierNotice(ctx, c.Earlier, c.Revoked != nil)...), Snippets: snippets(ctx, c),
	}
	s.actions(ctx, c, &m)
	m.Chain = s.chainLines(ctx, c)
	h, err := s.History(ctx, c.ID.ServerThing(), 0)
	m.History = h.Events
	return m, err
}

// actions puts what may be done with c onto its page, and why not.
func (s *Section) actions(ctx context.Context, c cert.ServerCertificate, m *serverview.ServerModel) {
	path := paths.Certificate(c.Reference)
	chain := view.ButtonModel{Label: page.T(ctx, "cert.download"), Href: path + "/x509chain.pem", Kind: view.Primary}
	if c.Earlier && len(c.Chain) == 0 {
		chain.Href = path + "/certificate.pem"
	}
	err := cert.MayRenew(c, s.Now())
	if err == nil {
		chain.Kind = view.Plain
		m.Head.Actions = append(m.Head.Actions, view.ButtonModel{Label: page.T(ctx, "server.renew"), Href: path + "/renew", Kind: view.Primary})
	} else if f := fault.Of(err); c.Revoked == nil {
		m.Reasons = append(m.Reasons, page.T(ctx, f.ID, page.Dated(ctx, s.Now(), f.Args)...))
	}
	m.Head.Actions = append(m.Head.Actions, chain)
	if cert.MayRevokeServer(c) == nil {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "cert.revoke"), Href: path + "/revoke", Kind: view.Danger, Icon: view.IconBan})
	}
}

func (s *Section) notices(ctx context.Context, c cert.ServerCertificate) []view.NoticeModel {
	now := s.Now()
	from, _ := c.Renewable()
	switch {
	case c.Revoked != nil:
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "server.revoked_notice")}}
	case c.ReplacedBy != nil && c.Valid(now):
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "server.replaced_notice", "reference", *c.ReplacedBy, "day", view.Day(ctx, c.NotAfter, now).Text)}}
	case now.After(c.NotAfter):
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "server.expired_notice")}}
	case c.Renewal != nil:
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "server.under_way_notice", "reference", *c.Renewal)}}
	case !now.Before(from) && !c.Earlier:
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "server.soon_notice", "when", view.Day(ctx, c.NotAfter, now).Title)}}
	}
	return nil
}

func (s *Section) stateOf(ctx context.Context, c cert.ServerCertificate) view.StateModel {
	day, now := locale.From(ctx).DateTime, s.Now()
	from, _ := c.Renewable()
	switch {
	case c.Revoked != nil:
		return view.StateModel{Kind: view.Ended, Word: page.T(ctx, "cert.state_revoked"), Since: day(*c.Revoked)}
	case c.ReplacedBy != nil:
		return view.StateModel{Kind: view.Ended, Icon: view.IconNext, Word: page.T(ctx, "server.state_replaced"), Since: day(*c.ReplacedAt)}
	case now.After(c.NotAfter):
		return view.StateModel{Kind: view.Ended, Icon: view.IconClock, Word: page.T(ctx, "cert.state_expired"), Since: day(c.NotAfter)}
	case !now.Before(from):
		return view.StateModel{Kind: view.Warn, Word: page.T(ctx, "cert.state_soon"), Since: day(c.NotAfter)}
	}
	return view.StateModel{Kind: view.Good, Word: page.T(ctx, "cert.state_valid"), Since: day(c.NotBefore)}
}

// related are the order of c and its neighbours in time.
func related(ctx context.Context, c cert.ServerCertificate) []serverview.RelatedModel {
	term, link := page.T(ctx, "server.its_order"), view.Link{Label: c.Reference, Href: paths.Order(c.Reference)}
	if c.Earlier { // nothing was ordered here
		term, link.Href = page.T(ctx, "cert.reference"), paths.Certificate(c.Reference)
	}
	related := []serverview.RelatedModel{{Term: term, Link: link}}
	add := func(term string, reference *string, path func(string) string) {
		if reference != nil {
			related = append(related, serverview.RelatedModel{Term: term, Link: view.Link{Label: *reference, Href: path(*reference)}})
		}
	}
	add(page.T(ctx, "server.renewal"), c.Renewal, paths.Order)
	add(page.T(ctx, "server.replaces"), c.Replaces, paths.Certificate)
	add(page.T(ctx, "server.replaced_by"), c.ReplacedBy, paths.Certificate)
	return related
}

// chainLines are the way from c to the root; a way that is not whole shows
// nothing, and its files say why.
func (s *Section) chainLines(ctx context.Context, c cert.ServerCertificate) (lines []serverview.ChainLine) {
	chain, err := cert.ChainOf(s.Chains, c.DER, c.Earlier, c.Chain)
	if err != nil {
		return nil
	}
	for i, der := range chain {
		p, err := pki.ParseKept(der)
		if err != nil {
			continue
		}
		l := serverview.ChainLine{Role: page.T(ctx, "server.chain_above"), Name: p.Subject, Ends: view.Day(ctx, p.NotAfter, s.Now()), Key: p.Key.Algorithm}
		switch {
		case i == 0:
			l.Role, l.Name = page.T(ctx, "server.chain_leaf"), cert.Spelled(c.CommonName)
		case pki.SelfSigned(der):
			l.Role = page.T(ctx, "server.chain_root")
		}
		lines = append(lines, l)
	}
	return lines
}

// thumbprint is the SHA-1 fingerprint of c as Windows writes it.
func thumbprint(c cert.ServerCertificate) string {
	return strings.ReplaceAll(pki.Certificate{DER: c.DER}.Fingerprints().SHA1, ":", "")
}
