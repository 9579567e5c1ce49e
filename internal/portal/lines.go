package portal

import (
	"fmt"
	"net/url"
	"strings"
)

// Lines are the effective settings without secrets, NAME=value, in the order of
// the help.
func (c Config) Lines() []string {
	base, _ := url.Parse(c.BaseURL) // nil where it is wrong
	return []string{
		"DATABASE_URL=" + masked(c.DatabaseURL),
		"PETSCHAFT_LISTEN=" + c.Listen,
		"PETSCHAFT_BASE_URL=" + c.BaseURL,
		"PETSCHAFT_OIDC_ISSUER=" + c.OIDCIssuer,
		"PETSCHAFT_OIDC_CLIENT_ID=" + c.OIDCClientID,
		"PETSCHAFT_OIDC_CLIENT_SECRET=" + hidden(c.OIDCClientSecret),
		"PETSCHAFT_OIDC_GROUPS_CLAIM=" + c.OIDCGroupsClaim,
		"PETSCHAFT_OIDC_EMAIL_DOMAINS=" + strings.Join(c.OIDCEmailDomains, ","),
		"PETSCHAFT_RA_GROUP=" + c.RAGroup,
		"PETSCHAFT_SMTP_URL=" + masked(c.SMTPURL),
		"PETSCHAFT_MAIL_FROM=" + c.MailFrom,
		"PETSCHAFT_MAIL_BOUNCE=" + c.MailBounce,
		"PETSCHAFT_MAIL_EHLO=" + c.hello(base),
		"PETSCHAFT_SECRET=" + hidden(c.Secret),
		"PETSCHAFT_TRUSTED_PROXIES=" + strings.Join(c.TrustedProxies, ","),
		"PETSCHAFT_FORWARDED_HEADER=" + c.ForwardedHeader,
		"PETSCHAFT_PKI_URL=" + c.PKIURL,
		"PETSCHAFT_PAGES=" + c.Pages,
		"PETSCHAFT_METRICS_LISTEN=" + c.Metrics,
		"PETSCHAFT_BRAKE_ROW_GAP=" + c.RowGap.String(),
		fmt.Sprint("PETSCHAFT_BRAKE_ROW_DAY=", c.RowDay),
		fmt.Sprint("PETSCHAFT_BRAKE_ACTOR_HOUR=", c.ActorHour),
		fmt.Sprint("PETSCHAFT_BRAKE_ADDRESS_HOUR=", c.AddressHour),
		fmt.Sprint("PETSCHAFT_BULK_MAILS_PER_MINUTE=", c.BulkMails),
		fmt.Sprint("PETSCHAFT_BRAKE_HANDOVER_DAY=", c.HandoverDay),
		fmt.Sprint("PETSCHAFT_BRAKE_LOOKUP_HOUR=", c.LookUpHour),
		fmt.Sprint("PETSCHAFT_SECOND_OFFICER=", c.SecondOfficer),
		fmt.Sprint("PETSCHAFT_TOKEN_SLEEP=", c.TokenSleep),
		fmt.Sprint("PETSCHAFT_SIGNIN_PER_MINUTE=", c.SignInPerMinute),
		fmt.Sprint("PETSCHAFT_API_PER_MINUTE=", c.APIPerMinute),
		"PETSCHAFT_POLICY_ARC=" + c.PolicyArc,
		"PETSCHAFT_POLICY_MAIL=" + c.PolicyMail,
		"PETSCHAFT_POLICY_TLS=" + c.PolicyTLS,
		"PETSCHAFT_LINT_OFF=" + strings.Join(c.LintOff, ","),
		fmt.Sprint("PETSCHAFT_MAIL_MULTIPURPOSE=", c.Multipurpose),
		"PETSCHAFT_REMIND_DAYS=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(c.RemindDays), " ", ","), "[]"),
	}
}

func hidden(secret string) string {
	if secret == "" {
		return ""
	}
	return "(set)"
}

// masked is an address without its password, or nothing of it when it cannot be
// read.
func masked(s string) string {
	if u, err := url.Parse(s); err == nil && (u.Host != "" || s == "") {
		q := u.Query()
		if q.Has("password") {
			q.Set("password", "xxxxx")
			u.RawQuery = q.Encode()
		}
		return u.Redacted()
	}
	return hidden(s)
}
