package servers

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/order"
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
	return s.Show(w, r, http.StatusOK, serverview.Server(page.Standing(s.Frame(page.StandsSince(r, c.Revoking), m.Head.Title, crumbs(ctx, c)...)), m))
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
		Product: page.ProductName(ctx, c.Product), From: view.Day(ctx, c.NotBefore, now), Ends: view.Ends(ctx, c.NotAfter, now),
		Bar: s.LifeBar(ctx, c.Valid(now) && !c.Unwanted, c.NotBefore, c.NotAfter), Revoked: page.Moment(ctx, c.Revoked, now), Reason: reasonOf(ctx, c),
		Related: related(ctx, c), Subject: p.Subject, Key: p.Key.Algorithm, Serial: p.SerialText(), SHA256: prints.SHA256, SHA1: prints.SHA1,
		Downloads: downloads(ctx, c), Notices: append(s.notices(ctx, c), clients.EarlierNotice(ctx, c.Earlier, c.Revoked != nil)...),
	}
	if inUse(c, now) && (!c.Elsewhere() || len(c.Chain) > 0) { // which name the chain
		m.Snippets = snippets(ctx, c)
	}
	followers, err := s.followers(ctx, []cert.ServerCertificate{c})
	if err != nil {
		return m, err
	}
	var follower *order.Follower
	if f, ok := followers[c.ID]; ok {
		follower = &f
		m.Related = append(m.Related, followed(ctx, f))
	}
	s.actions(ctx, c, follower, &m)
	m.Chain = s.chainLines(ctx, c)
	h, err := s.History(ctx, c.ID.ServerThing(), 0)
	m.History = h.Events
	return m, err
}

// actions puts what may be done with c onto its page, and why not.
func (s *Section) actions(ctx context.Context, c cert.ServerCertificate, follower *order.Follower, m *serverview.ServerModel) {
	path, now := paths.Certificate(c.Reference), s.Now()
	chain := view.ButtonModel{Label: page.T(ctx, "cert.download"), Href: path + "/x509chain.pem", Kind: view.Primary}
	if c.Elsewhere() && len(c.Chain) == 0 {
		chain.Label, chain.Href = page.T(ctx, "cert.download_pem"), path+"/certificate.pem"
	}
	err := cert.MayRenew(c, now)
	switch f := fault.Of(err); {
	case err == nil:
		chain.Kind = view.Plain
		m.Head.Actions = append(m.Head.Actions, view.ButtonModel{Label: page.T(ctx, "server.renew"), Href: path + "/renew", Kind: view.Primary})
	case mayOrderLike(c, now):
		b := view.ButtonModel{Label: page.T(ctx, "server.order_like"), Href: orderLike(c)}
		if from, _ := c.Renewable(); follower == nil && !now.Before(from) {
			chain.Kind, b.Kind = view.Plain, view.Primary
		}
		m.Head.Actions = append(m.Head.Actions, b)
	case c.Revoked == nil:
		m.Reasons = append(m.Reasons, page.T(ctx, f.ID, page.Dated(ctx, now, f.Args)...))
	}
	if inUse(c, now) {
		m.Head.Actions = append(m.Head.Actions, chain)
	}
	if cert.MayRevokeServer(c) == nil {
		m.Actions = append(m.Actions, clients.RevokeButton(ctx, c.Earlier, path))
	} else if cert.MayRaiseServer(c) || cert.MayReportServer(c) {
		m.Actions = append(m.Actions, clients.RaiseButton(ctx, path))
	}
	if c.Officer {
		m.Actions = append(m.Actions, clients.KeyButton(ctx, c.DER)...)
	}
}

// inUse tells whether a server should present c, so that its files are what one
// comes for.
func inUse(c cert.ServerCertificate, now time.Time) bool {
	return c.Valid(now) && c.Revoking == nil && c.ReplacedBy == nil && !c.Unwanted
}

// mayOrderLike tells whether another like c is ordered, and not a renewal of it: by
// its contact, where the portal cannot renew it or it is over.
func mayOrderLike(c cert.ServerCertificate, now time.Time) bool {
	_, until := c.Renewable()
	return c.Contact && c.ReplacedBy == nil && c.Renewal == nil && (c.Earlier || c.Revoked != nil || c.Revoking != nil || c.Unwanted || now.After(until))
}

// orderLike is where that begins.
func orderLike(c cert.ServerCertificate) string {
	return paths.NewOrder + "?like=" + url.QueryEscape(c.Reference)
}

func (s *Section) notices(ctx context.Context, c cert.ServerCertificate) []view.NoticeModel {
	now := s.Now()
	from, _ := c.Renewable()
	switch {
	case c.Unwanted && (c.Revoked != nil || c.Revoking != nil):
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "cert.late_notice")}}
	case c.Revoked != nil:
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "server.revoked_notice")}}
	case c.Revoking != nil:
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "server.revoking_notice")}}
	case c.Unwanted:
		return []view.NoticeModel{{Kind: view.Bad, Text: page.T(ctx, "cert.unwanted_notice")}}
	case c.Refused != nil:
		return []view.NoticeModel{{Kind: view.Bad, Text: page.T(ctx, "cert.unrevoked_notice")}}
	case c.ReplacedBy != nil && c.Valid(now):
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "server.replaced_notice", "reference", *c.ReplacedBy, "day", view.Ends(ctx, c.NotAfter, now).Text)}}
	case now.After(c.NotAfter):
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "server.expired_notice")}}
	case c.Renewal != nil:
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "server.under_way_notice", "reference", *c.Renewal)}}
	case !now.Before(from) && !c.Earlier:
		return []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "server.soon_notice", "when", view.Ends(ctx, c.NotAfter, now).Title)}}
	}
	return nil
}

func (s *Section) stateOf(ctx context.Context, c cert.ServerCertificate) view.StateModel {
	day, now := locale.From(ctx).DateTime, s.Now()
	from, _ := c.Renewable()
	switch {
	case c.Revoked != nil:
		return view.StateModel{Kind: view.Ended, Word: page.T(ctx, "cert.state_revoked"), Since: day(*c.Revoked)}
	case c.Revoking != nil:
		return view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: page.T(ctx, "cert.state_revoking"), Since: day(*c.Revoking)}
	case c.Unwanted:
		return page.Unwanted(ctx, c.Issued)
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
		term, link.Href = page.T(ctx, "cert.reference"), ""
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

// followed names what will stand for a certificate that cannot be renewed.
func followed(ctx context.Context, f order.Follower) serverview.RelatedModel {
	if f.Issued {
		return serverview.RelatedModel{Term: page.T(ctx, "server.followed_by"), Link: view.Link{Label: f.Reference, Href: paths.Certificate(f.Reference)}}
	}
	return serverview.RelatedModel{Term: page.T(ctx, "server.ordered_anew"), Link: view.Link{Label: f.Reference, Href: paths.Order(f.Reference)}}
}

// chainLines are the way from c to the root; a way that is not whole shows
// nothing, and its files say why.
func (s *Section) chainLines(ctx context.Context, c cert.ServerCertificate) (lines []serverview.ChainLine) {
	chain, err := cert.ChainOf(s.Chains, c.DER, c.Elsewhere(), c.Chain)
	if err != nil {
		return nil
	}
	for i, der := range chain {
		p, err := pki.ParseKept(der)
		if err != nil {
			continue
		}
		l := serverview.ChainLine{Role: page.T(ctx, "server.chain_above"), Name: p.Subject, Ends: view.Ends(ctx, p.NotAfter, s.Now()), Key: p.Key.Algorithm}
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
