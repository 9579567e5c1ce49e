package clients

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

// EvidenceBrief is what the page of a certificate says of its evidence; err is
// why there is none.
func EvidenceBrief(ctx context.Context, e cert.Evidence, err error, path string) (clientview.EvidenceBrief, error) {
	if fault.Is(err, fault.Missing) {
		return clientview.EvidenceBrief{Text: page.T(ctx, "cert.no_evidence")}, nil
	}
	if err != nil {
		return clientview.EvidenceBrief{}, err
	}
	return clientview.EvidenceBrief{Text: rulesWords(ctx, e), Links: []view.ButtonModel{
		{Label: page.T(ctx, "evidence.open"), Href: path + "/evidence"},
		{Label: page.T(ctx, "evidence.json"), Href: path + "/evidence.json"},
	}}, nil
}

// rulesWords says when what was checked, by which rules, and what came of it.
func rulesWords(ctx context.Context, e cert.Evidence) string {
	when := locale.From(ctx).DateTime(e.Recorded)
	switch r := e.Checks; {
	case r == nil && e.Outside():
		return page.T(ctx, "evidence.outside", "authority", e.Authority)
	case e.Outside() && !r.Clean():
		return page.T(ctx, "evidence.outside_found", "n", len(r.Findings), "version", r.Version, "when", when)
	case e.Outside():
		return page.T(ctx, "evidence.outside_clean", "n", len(r.Passed)+r.Zlint.Passed, "version", r.Version, "when", when)
	case r == nil:
		return page.T(ctx, "evidence.unchecked", "when", when)
	case !r.Clean():
		return page.T(ctx, "evidence.found", "n", len(r.Findings), "version", r.Version, "when", when)
	default:
		return page.T(ctx, "evidence.clean", "n", len(r.Passed)+r.Zlint.Passed, "version", r.Version, "when", when)
	}
}

// Evidence is the evidence of a client certificate, as a page.
func (s *Section) Evidence(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, e, err := s.loadEvidence(r)
	if err != nil {
		return err
	}
	crumbs := append(crumbs(ctx, c), view.Link{Label: page.T(ctx, "cert.title", "reference", c.Reference), Href: paths.ClientCertificate(c.ID)})
	m := EvidenceModel(ctx, e, paths.ClientCertificate(c.ID))
	return s.Show(w, r, http.StatusOK, clientview.Evidence(page.Standing(s.Frame(r, m.Head.Title, crumbs...)), m))
}

func (s *Section) loadEvidence(r *http.Request) (cert.Certificate, cert.Evidence, error) {
	c, err := s.load(r)
	if err != nil {
		return c, cert.Evidence{}, err
	}
	e, err := s.Cert.Evidence(r.Context(), s.Actor(r), c.ID)
	return c, e, err
}

// EvidenceFile is the same as a file.
func (s *Section) EvidenceFile(w http.ResponseWriter, r *http.Request) error {
	c, e, err := s.loadEvidence(r)
	if err != nil {
		return err
	}
	return AttachEvidence(w, c.Reference, e)
}

func AttachEvidence(w http.ResponseWriter, reference string, e cert.Evidence) error {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return page.Attach(w, "application/json", reference+"-evidence.json", append(text, '\n'))
}

func EvidenceModel(ctx context.Context, e cert.Evidence, path string) clientview.EvidenceModel {
	m := clientview.EvidenceModel{
		Head: view.HeadModel{
			Title: page.T(ctx, "evidence.title", "reference", e.Reference), Lead: page.T(ctx, "evidence.lead"),
			Actions: []view.ButtonModel{{Label: page.T(ctx, "evidence.json"), Href: path + "/evidence.json"}},
		},
		Facts: evidenceFacts(ctx, e), ShownHead: page.T(ctx, "evidence.addresses"), Around: evidenceAround(ctx, e),
		Rules: rulesWords(ctx, e), Checks: reportModels(ctx, e.Checks),
	}
	if e.Outside() {
		m.Head.Lead = page.T(ctx, "evidence.lead_outside")
	}
	for _, a := range e.Addresses {
		m.Shown = append(m.Shown, clientview.ShownModel{Name: a.Address, Lines: addressLines(ctx, a)})
	}
	for _, n := range e.Names {
		m.ShownHead = page.T(ctx, "evidence.names")
		m.Shown = append(m.Shown, clientview.ShownModel{Name: cert.Spelled(n.Name), Lines: nameLines(ctx, n)})
	}
	return m
}

func evidenceFacts(ctx context.Context, e cert.Evidence) []clientview.TextFact {
	date := locale.From(ctx).DateTime
	facts := []clientview.TextFact{}
	if e.Holder != nil {
		facts = append(facts, clientview.TextFact{Term: page.T(ctx, "cert.holder"), Text: e.Holder.Name})
	}
	if e.Organisation != "" {
		facts = append(facts, clientview.TextFact{Term: page.T(ctx, "server.organisation"), Text: e.Organisation})
	}
	return append(facts,
		clientview.TextFact{Term: page.T(ctx, "cert.validity"), Text: date(e.NotBefore) + " – " + date(e.NotAfter)},
		clientview.TextFact{Term: page.T(ctx, "cert.subject"), Text: e.Subject},
		clientview.TextFact{Term: page.T(ctx, "cert.issuer"), Text: e.Issuer},
		clientview.TextFact{Term: page.T(ctx, "cert.serial"), Text: e.Serial, Mono: true},
		clientview.TextFact{Term: page.T(ctx, "cert.fingerprint"), Text: e.SHA256, Mono: true})
}

// addressLines say who confirmed an address when, by which mail, and how its
// domain is validated.
func addressLines(ctx context.Context, a cert.AddressProof) (lines []string) {
	l := locale.From(ctx)
	if a.Confirmed == nil {
		return []string{page.T(ctx, "evidence.unknown")}
	}
	lines = append(lines, page.T(ctx, "evidence.confirmed", "by", a.By, "when", *a.Confirmed))
	mail := page.T(ctx, "evidence.challenge", "to", a.Recipient, "round", page.ID(a.Round), "challenge", page.ID(a.Challenge))
	if a.Sent != nil {
		mail += ", " + page.T(ctx, "evidence.sent", "when", *a.Sent)
	}
	lines = append(lines, mail)
	if a.ProofFrom != nil && a.ProofUntil != nil {
		lines = append(lines, page.T(ctx, "evidence.domain", "method", a.ProofMethod, "by", orDash(a.ProofBy), "from", l.Date(*a.ProofFrom), "until", l.Date(*a.ProofUntil)))
	} else {
		lines = append(lines, page.T(ctx, "evidence.mailbox"))
	}
	return lines
}

func nameLines(ctx context.Context, n cert.NameProof) []string {
	l := locale.From(ctx)
	if n.From == nil || n.Until == nil {
		return []string{page.T(ctx, "evidence.unknown")}
	}
	return []string{page.T(ctx, "evidence.name", "domain", n.Domain, "method", n.Method, "by", orDash(n.By), "from", l.Date(*n.From), "until", l.Date(*n.Until))}
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// evidenceAround are terms, order and policy.
func evidenceAround(ctx context.Context, e cert.Evidence) (facts []clientview.TextFact) {
	if e.Terms != nil {
		facts = append(facts, clientview.TextFact{Term: page.T(ctx, "evidence.terms"), Text: page.T(ctx, "evidence.terms_text", "version", e.Terms.Version, "when", e.Terms.Accepted)})
	}
	if o := e.Order; o != nil {
		facts = append(facts, clientview.TextFact{Term: page.T(ctx, "serverorder.submitted"), Text: page.T(ctx, "evidence.submitted", "by", o.SubmittedBy.Name, "when", o.Submitted)})
		approved := page.T(ctx, "evidence.by_rule")
		if o.ApprovedBy != nil {
			approved = o.ApprovedBy.Name
		}
		if o.Approved != nil {
			approved = page.T(ctx, "evidence.submitted", "by", approved, "when", *o.Approved)
		}
		facts = append(facts, clientview.TextFact{Term: page.T(ctx, "evidence.approved"), Text: approved})
	}
	if r := e.Checks; r != nil {
		facts = append(facts, clientview.TextFact{Term: page.T(ctx, "evidence.profile"), Text: profileWords(ctx, e)})
		policy := page.T(ctx, "evidence.no_policy")
		if r.Policy != "" {
			policy = r.Policy
		}
		facts = append(facts, clientview.TextFact{Term: page.T(ctx, "evidence.policy"), Text: policy})
	}
	return facts
}

var profileNames = map[pki.ProfileID]string{
	pki.MailIndividual: "evidence.profile_individual", pki.MailPersonal: "evidence.profile_individual",
	pki.MailSponsored: "evidence.profile_sponsored", pki.MailMulti: "evidence.profile_multi",
	pki.MailMailbox: "evidence.profile_mailbox", pki.MailFunctional: "evidence.profile_mailbox",
	pki.TLSDomain: "evidence.profile_servers", pki.TLSServer: "evidence.profile_servers",
}

func profileWords(ctx context.Context, e cert.Evidence) string {
	r := e.Checks
	name := r.Profile
	if id, ok := profileNames[pki.ProfileID(r.Profile)]; ok {
		name = page.T(ctx, id)
	}
	if e.Outside() {
		return page.T(ctx, "evidence.mode_outside", "profile", name, "authority", e.Authority)
	}
	if r.Mode == string(pki.PublicBR) {
		return page.T(ctx, "evidence.mode_public", "profile", name)
	}
	return page.T(ctx, "evidence.mode_private", "profile", name)
}

// reportModels are the rules with what came of each.
func reportModels(ctx context.Context, r *lint.Report) []view.CheckModel {
	if r == nil {
		return nil
	}
	ms := page.Findings(ctx, r.Findings)
	var passed []string
	for _, rule := range r.Passed {
		passed = append(passed, page.RuleLabel(ctx, rule))
	}
	passed = append(passed, page.T(ctx, "evidence.zlint", "n", r.Zlint.Passed, "beside", r.Zlint.Beside))
	ms = append(ms, view.CheckModel{State: view.StateModel{Kind: view.Good, Word: page.T(ctx, "lint.kept")}, Text: strings.Join(passed, " · ")})
	for _, rule := range r.Off {
		ms = append(ms, view.CheckModel{State: view.StateModel{Kind: view.Paused, Word: page.T(ctx, "lint.off")}, Text: page.RuleLabel(ctx, rule)})
	}
	for _, rule := range overlookedRules(r) {
		why := r.Zlint.Overlooked[rule]
		if locale.Has(why) {
			why = page.T(ctx, why)
		}
		ms = append(ms, view.CheckModel{State: view.StateModel{Kind: view.Paused, Word: page.T(ctx, "lint.overlooked")}, Text: rule + ": " + why})
	}
	return ms
}

func overlookedRules(r *lint.Report) []string {
	var names []string
	for name := range r.Zlint.Overlooked {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
