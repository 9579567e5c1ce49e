// Package portal puts the parts together: configuration in, a running portal
// out. The production binary, the demo and the tests start the same one from
// here. It decides the order of starting and stopping and nothing about any
// subject.
package portal

import (
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/issuance"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/site/keys"
)

// Config is every setting: kong makes flags, environment and help of it, but of
// secrets, which are in the environment or in files only: see WithSecrets.
type Config struct {
	DatabaseURL       string   `kong:"-" secret:"" env:"DATABASE_URL" help:"Postgres, as postgres://user:password@host:port/database."`
	DatabaseTLS       string   `name:"database-tls" env:"PETSCHAFT_DATABASE_TLS" default:"on" help:"off: the database may be on another machine without proving its name (sslmode=verify-full)."`
	Listen            string   `env:"PETSCHAFT_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on."`
	BaseURL           string   `name:"base-url" env:"PETSCHAFT_BASE_URL" placeholder:"URL" help:"The portal's own address as people see it; https, or http on loopback."`
	OIDCIssuer        string   `name:"oidc-issuer" env:"PETSCHAFT_OIDC_ISSUER" placeholder:"URL" help:"Issuer of the OpenID Connect provider, exactly as it calls itself."`
	OIDCClientID      string   `name:"oidc-client-id" env:"PETSCHAFT_OIDC_CLIENT_ID" help:"The portal's client id there."`
	OIDCClientSecret  string   `kong:"-" secret:"" env:"PETSCHAFT_OIDC_CLIENT_SECRET" help:"The portal's client secret there."`
	OIDCGroupsClaim   string   `name:"oidc-groups-claim" env:"PETSCHAFT_OIDC_GROUPS_CLAIM" default:"groups" help:"Claim that lists a person's groups; a path like realm_access.roles leads into it."`
	OIDCEmailDomains  []string `name:"oidc-email-domains" env:"PETSCHAFT_OIDC_EMAIL_DOMAINS" placeholder:"DOMAIN" help:"E-mail domains whose addresses count as verified where the provider says neither that they are nor that they are not."`
	RAGroup           string   `name:"ra-group" env:"PETSCHAFT_RA_GROUP" help:"Members of this group of the provider are registration officers."`
	OIDCACR           []string `name:"oidc-acr" env:"PETSCHAFT_OIDC_ACR" placeholder:"VALUE" help:"What a registration officer's sign-in must have reached, one of these values of the claim acr; without it an officer acts as a user. Empty: nothing is asked."`
	Fresh             string   `env:"PETSCHAFT_FRESH" default:"on" help:"on or off: a fresh sign-in, not older than 15 minutes, before steps with wide consequences."`
	SMTPURL           string   `kong:"-" secret:"" env:"PETSCHAFT_SMTP_URL" help:"Mail server, as smtp://user:password@host:port?tls=required|implicit|none (none only on loopback)."`
	MailFrom          string   `env:"PETSCHAFT_MAIL_FROM" placeholder:"ADDRESS" help:"Sender of every mail; may hold a display name."`
	MailBounce        string   `env:"PETSCHAFT_MAIL_BOUNCE" placeholder:"ADDRESS" help:"A mailbox that a human reads: replies and bounces go there."`
	MailHello         string   `name:"mail-ehlo" env:"PETSCHAFT_MAIL_EHLO" placeholder:"NAME" help:"The name by which the portal introduces itself to the mail server; the base address's host unless set."`
	Secret            string   `kong:"-" secret:"" env:"PETSCHAFT_SECRET" help:"32 random bytes in base64; seals what must not lie in the database in clear."`
	SecretOld         string   `kong:"-" secret:"" env:"PETSCHAFT_SECRET_OLD" help:"The secret before, while it is rotated; opens, and seals nothing any more."`
	TrustedProxies    []string `env:"PETSCHAFT_TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks of reverse proxies that are believed about where a request comes from."`
	ForwardedHeader   string   `env:"PETSCHAFT_FORWARDED_HEADER" default:"x-forwarded-for" help:"The header in which they say it: x-forwarded-for or forwarded (RFC 7239)."`
	PKIURL            string   `name:"pki-url" env:"PETSCHAFT_PKI_URL" placeholder:"URL" help:"Plain http address under which certificates and revocation lists are fetched. Needed for ca init and to issue."`
	Pages             string   `env:"PETSCHAFT_PAGES" placeholder:"DIR" help:"The operator's own footer pages, NAME.LANGUAGE.md."`
	SecurityContact   []string `env:"PETSCHAFT_SECURITY_CONTACT" placeholder:"ADDRESS" help:"Where flaws are to be reported, as mailto: or https: addresses, the best first: they stand in /.well-known/security.txt (RFC 9116), which there is none of without them."`
	SecurityLanguages []string `env:"PETSCHAFT_SECURITY_LANGUAGES" default:"de,en" placeholder:"LANGUAGE" help:"Languages that whoever reads those reports speaks."`
	AuditMail         string   `env:"PETSCHAFT_AUDIT_MAIL" placeholder:"ADDRESS" help:"A mailbox outside, of somebody who audits: it gets the newest seal of the audit record every hour."`
	Metrics           string   `env:"PETSCHAFT_METRICS_LISTEN" placeholder:"ADDRESS" help:"Serve Prometheus metrics on this address; keep it private."`

	RowGap      time.Duration `env:"PETSCHAFT_BRAKE_ROW_GAP" default:"1m" help:"Least time between two rounds of challenges of one row."`
	RowDay      int           `env:"PETSCHAFT_BRAKE_ROW_DAY" default:"10" help:"Rounds of challenges of one row in 24 hours."`
	ActorHour   int           `env:"PETSCHAFT_BRAKE_ACTOR_HOUR" default:"500" help:"Challenge mails one person may cause by hand in an hour."`
	AddressHour int           `env:"PETSCHAFT_BRAKE_ADDRESS_HOUR" default:"30" help:"Challenge mails to one address in an hour."`
	BulkMails   int           `env:"PETSCHAFT_BULK_MAILS_PER_MINUTE" default:"60" help:"Challenge mails of bulk work in a minute, all of it together."`
	RemindDays  []int         `env:"PETSCHAFT_REMIND_DAYS" default:"28,14" placeholder:"DAYS" help:"Days before its end at which a certificate is reminded of, separated by commas."`

	PolicyArc    string   `env:"PETSCHAFT_POLICY_ARC" placeholder:"OID" help:"The operator's own arc, as in 1.3.6.1.4.1.99999.7: certificates name policies below it; empty: none."`
	PolicyMail   string   `env:"PETSCHAFT_POLICY_MAIL" default:"private" help:"By which book the authority for mail issues: private or public-br."`
	PolicyTLS    string   `name:"policy-tls" env:"PETSCHAFT_POLICY_TLS" default:"private" help:"By which book the authority for servers issues: private or public-br."`
	LintOff      []string `env:"PETSCHAFT_LINT_OFF" placeholder:"RULE" help:"Rules that do not count, of a private authority."`
	Multipurpose bool     `env:"PETSCHAFT_MAIL_MULTIPURPOSE" help:"People of organisations may sign in with their mail certificates, too."`

	HandoverDay   int  `env:"PETSCHAFT_BRAKE_HANDOVER_DAY" default:"10" help:"Offers of one organisation to a successor in 24 hours."`
	LookUpHour    int  `env:"PETSCHAFT_BRAKE_LOOKUP_HOUR" default:"20" help:"Addresses one technical contact may look up in an hour to hand an organisation over."`
	SecondOfficer bool `env:"PETSCHAFT_SECOND_OFFICER" default:"true" negatable:"" help:"Another registration officer confirms when one appoints a new technical contact."`

	TokenSleep int `env:"PETSCHAFT_TOKEN_SLEEP" default:"30" help:"Days after its maker's last sign-in after which an API token sleeps: it lets nobody in until its maker signs in again."`

	SignInPerMinute int `name:"signin-per-minute" env:"PETSCHAFT_SIGNIN_PER_MINUTE" default:"600" help:"Sign-ins that one network address may begin in a minute."`

	APIPerMinute int `name:"api-per-minute" env:"PETSCHAFT_API_PER_MINUTE" default:"1200" help:"Calls of the API that one token may make in a minute."`

	Version string `kong:"-"`
	// Unread is what was wrong with the secrets.
	Unread error `kong:"-"`
	// Registry are authorities beside the portal's own.
	Registry issuance.Registry `kong:"-"`
}

// settings are a Config that was read.
type settings struct {
	base      *url.URL
	pki       *url.URL // nil: nothing is issued
	secret    []byte
	old       [][]byte // the secret before, where there is one
	proxies   []netip.Prefix
	forwarded bool
	sender    *mail.Sender
	brakes    mailbox.Brakes
	security  keys.Security
}

// Check returns all mistakes at once, each naming its variable, or nil.
func (c Config) Check() error {
	s, err := c.read()
	if s.sender != nil {
		s.sender.Close()
	}
	return err
}

func (c Config) read() (settings, error) {
	var wrong []error
	say := func(name, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%s "+format, append([]any{name}, args...)...))
	}
	var s settings
	c.checkNeeded(say)
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		say("PETSCHAFT_LISTEN", "must be host:port")
	}
	wrong = append(wrong, c.checkDatabase(say))
	s.base = c.address("PETSCHAFT_BASE_URL", c.BaseURL, say)
	c.checkProvider(c.address("PETSCHAFT_OIDC_ISSUER", c.OIDCIssuer, say), say)
	c.checkStepUp(say)
	s.secret, s.old = c.readSecrets(say)
	s.proxies, s.forwarded = c.readProxies(say), c.ForwardedHeader == "forwarded"
	if !slices.Contains([]string{"", "x-forwarded-for", "forwarded"}, c.ForwardedHeader) {
		say("PETSCHAFT_FORWARDED_HEADER", "holds %q, want x-forwarded-for or forwarded", c.ForwardedHeader)
	}
	if a, err := netmail.ParseAddress(c.AuditMail); c.AuditMail != "" && (err != nil || a.Address != c.AuditMail) {
		say("PETSCHAFT_AUDIT_MAIL", "is not a mail address")
	}
	s.sender = c.readMail(s.base, say)
	s.brakes = c.readBrakes(say)
	c.checkCounts(say)
	c.checkReminders(say)
	s.security = c.readSecurity(say)
	if u, err := url.Parse(c.PKIURL); err == nil && u.Scheme == "http" && u.Host != "" {
		s.pki = u
	} else if c.PKIURL != "" {
		say("PETSCHAFT_PKI_URL", "must be a plain http:// address: who checks a certificate fetches lists without TLS (RFC 5280, 8)")
	}
	if err := c.Rules().Check(); err != nil {
		say("PETSCHAFT_POLICY_… or PETSCHAFT_LINT_OFF", "is wrong: %v", err)
	}
	if c.Pages != "" {
		if i, err := os.Stat(c.Pages); err != nil || !i.IsDir() {
			say("PETSCHAFT_PAGES", "is not a directory")
		}
	}
	return s, errors.Join(wrong...)
}

func (c Config) checkCounts(say sayer) {
	for i, n := range []int{c.BulkMails, c.SignInPerMinute, c.APIPerMinute} {
		if n < 1 {
			say([]string{"PETSCHAFT_BULK_MAILS_PER_MINUTE", "PETSCHAFT_SIGNIN_PER_MINUTE", "PETSCHAFT_API_PER_MINUTE"}[i], "must be positive")
		}
	}
	if c.TokenSleep < 1 {
		say("PETSCHAFT_TOKEN_SLEEP", "must be one day or more")
	}
}

// Rules are by which books the portal's own authorities issue.
func (c Config) Rules() ca.Rules {
	return ca.Rules{Mail: pki.Policy{Mode: pki.Mode(c.PolicyMail), Arc: c.PolicyArc}, TLS: pki.Policy{Mode: pki.Mode(c.PolicyTLS), Arc: c.PolicyArc}, Off: c.LintOff}
}

type sayer func(name, format string, args ...any)

// address reads an address that secrets travel to: https, or http on loopback.
func (c Config) address(name, value string, say sayer) *url.URL {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		say(name, "must be an address like https://portal.example")
		return nil
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		say(name, "must begin with https:// (http:// only on this machine itself)")
		return nil
	}
	if name == "PETSCHAFT_BASE_URL" && strings.Trim(u.Path, "/") != "" {
		say(name, "must not have a path: the portal needs a host of its own")
		return nil
	}
	return u
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (c Config) readProxies(say sayer) (ps []netip.Prefix) {
	for _, s := range c.TrustedProxies {
		p, err := netip.ParsePrefix(s)
		if a, e := netip.ParseAddr(s); err != nil && e == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			say("PETSCHAFT_TRUSTED_PROXIES", "holds %q, want networks like 192.0.2.0/24, separated by commas", s)
			continue
		}
		ps = append(ps, p)
	}
	return ps
}

func (c Config) readMail(base *url.URL, say sayer) *mail.Sender {
	ok := c.SMTPURL != ""
	for _, address := range [][2]string{{"PETSCHAFT_MAIL_FROM", c.MailFrom}, {"PETSCHAFT_MAIL_BOUNCE", c.MailBounce}} {
		if address[1] == "" {
			ok = false
		} else if _, err := netmail.ParseAddress(address[1]); err != nil {
			say(address[0], "is not a mail address")
			ok = false
		}
	}
	if !ok {
		return nil
	}
	s, err := mail.NewSender(mail.Config{URL: c.SMTPURL, From: c.MailFrom, Bounce: c.MailBounce, Hello: c.hello(base)})
	if err != nil {
		say("PETSCHAFT_SMTP_URL", "or another setting of the mail is wrong: %v", err)
		return nil
	}
	return s
}

// hello is how the portal introduces itself to the mail server.
func (c Config) hello(base *url.URL) string {
	if c.MailHello == "" && base != nil {
		return mail.HelloOf(base.Hostname())
	}
	return c.MailHello
}

func (c Config) readBrakes(say sayer) mailbox.Brakes {
	if c.RowGap < 0 || c.RowDay < 1 || c.ActorHour < 1 || c.AddressHour < 1 || c.HandoverDay < 1 || c.LookUpHour < 1 {
		say("PETSCHAFT_BRAKE_…", "must be positive")
	}
	return mailbox.Brakes{RowGap: c.RowGap, RowDay: c.RowDay, ActorHour: c.ActorHour, AddressHour: c.AddressHour}
}

// readSecurity is who is told of flaws.
func (c Config) readSecurity(say sayer) keys.Security {
	s := keys.Security{Contacts: c.SecurityContact, Languages: c.SecurityLanguages}
	for _, contact := range s.Contacts {
		if u, err := url.Parse(contact); err != nil || !slices.Contains([]string{"https", "mailto", "tel"}, u.Scheme) || strings.ContainsAny(contact, " \t\r\n") {
			say("PETSCHAFT_SECURITY_CONTACT", "holds %q, want addresses like mailto:security@example.org or https://example.org/security", contact)
		}
	}
	for _, l := range s.Languages {
		if !languageTag.MatchString(l) {
			say("PETSCHAFT_SECURITY_LANGUAGES", "holds %q, want languages like de or en", l)
		}
	}
	return s
}

var languageTag = regexp.MustCompile(`^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$`)

func (c Config) checkReminders(say sayer) {
	for _, d := range c.RemindDays {
		if d < 1 || d > cert.MostReminderDay {
			say("PETSCHAFT_REMIND_DAYS", "holds %d, want days from 1 to %d", d, cert.MostReminderDay)
		}
	}
	if len(c.RemindDays) > cert.MostReminders {
		say("PETSCHAFT_REMIND_DAYS", "holds %d days, want at most %d", len(c.RemindDays), cert.MostReminders)
	}
}
