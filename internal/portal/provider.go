package portal

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"petschaft/internal/org"
	"petschaft/internal/signin"
)

// Issuers of Entra ID name the tenant whose people sign in. consumers is the one
// of all personal accounts in the world, to which anybody's address may belong.
var (
	entra     = []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net"}
	tenant    = regexp.MustCompile(`(?i)^/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/|$)`)
	consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

// checkProvider looks at what is said of the provider at issuer, nil where that
// is wrong itself.
func (c Config) checkProvider(issuer *url.URL, say sayer) {
	for _, d := range c.OIDCEmailDomains {
		switch is, ok := org.ParseDomain(d); {
		case !ok:
			say("PETSCHAFT_OIDC_EMAIL_DOMAINS", "holds %q, want e-mail domains like uni.example, separated by commas", d)
		case string(is) != d:
			say("PETSCHAFT_OIDC_EMAIL_DOMAINS", "holds %q, want it in the form in which it is registered: %s", d, is)
		}
	}
	if issuer == nil || !slices.Contains(entra, strings.ToLower(issuer.Hostname())) {
		return
	}
	switch m := tenant.FindStringSubmatch(issuer.Path); {
	case m == nil:
		say("PETSCHAFT_OIDC_ISSUER", "must name one tenant of Entra ID by its id, as in https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0; common, organizations, consumers and domain names are no issuers")
	case strings.EqualFold(m[1], consumers) && len(c.OIDCEmailDomains) > 0:
		say("PETSCHAFT_OIDC_EMAIL_DOMAINS", "must be empty where everybody's personal Microsoft accounts sign in: nobody vouches for their addresses")
	}
}

// checkStepUp looks at what is asked of a sign-in beyond that it holds.
func (c Config) checkStepUp(say sayer) {
	for _, v := range c.OIDCACR {
		if v == "" || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			say("PETSCHAFT_OIDC_ACR", "holds %q, want values of the claim acr, separated by commas", v)
		}
	}
	if !slices.Contains([]string{"", "on", "off"}, c.Fresh) {
		say("PETSCHAFT_FRESH", "holds %q, want on or off", c.Fresh)
	}
}

// vouches tells whether the operator stands for the address: its domain is one of
// theirs, exactly, as it is registered or in letters.
func (c Config) vouches(address string) bool {
	a, wrong := org.ParseAddress(address)
	if wrong != "" || !slices.Contains(c.OIDCEmailDomains, string(a.Domain())) {
		return false
	}
	local, _, _ := strings.Cut(a.Folded(), "@")
	spelled := org.Address(address).Folded()
	return spelled == a.Folded() || spelled == local+"@"+a.Domain().Unicode()
}

// tryProvider asks the provider what a sign-in would and says what is wrong. It
// may be away just now, so nothing depends on it.
func (p *Portal) tryProvider(ctx context.Context) {
	if err := p.Desk.Try(ctx); err != nil && ctx.Err() == nil {
		cause, detail := signin.Blame(err)
		p.log.WarnContext(ctx, "nobody can sign in: "+cause, "issuer", p.cfg.OIDCIssuer, "error", detail)
	}
}
