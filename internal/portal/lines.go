package portal

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Lines are the effective settings without secrets, NAME=value, in the order of
// the help.
func (c Config) Lines() []string {
	base, _ := url.Parse(c.BaseURL) // nil where it is wrong
	return []string{
		"DATABASE_URL=" + masked(c.DatabaseURL, databaseShown...),
		"PETSCHAFT_DATABASE_TLS=" + c.DatabaseTLS,
		"PETSCHAFT_LISTEN=" + c.Listen,
		"PETSCHAFT_BASE_URL=" + c.BaseURL,
		"PETSCHAFT_OIDC_ISSUER=" + c.OIDCIssuer,
		"PETSCHAFT_OIDC_CLIENT_ID=" + c.OIDCClientID,
		"PETSCHAFT_OIDC_CLIENT_SECRET=" + hidden(c.OIDCClientSecret),
		"PETSCHAFT_OIDC_GROUPS_CLAIM=" + c.OIDCGroupsClaim,
		"PETSCHAFT_OIDC_EMAIL_DOMAINS=" + strings.Join(c.OIDCEmailDomains, ","),
		"PETSCHAFT_RA_GROUP=" + c.RAGroup,
		"PETSCHAFT_OIDC_ACR=" + strings.Join(c.OIDCACR, ","),
		"PETSCHAFT_FRESH=" + c.Fresh,
		"PETSCHAFT_SMTP_URL=" + masked(c.SMTPURL, "tls"),
		"PETSCHAFT_MAIL_FROM=" + c.MailFrom,
		"PETSCHAFT_MAIL_BOUNCE=" + c.MailBounce,
		"PETSCHAFT_MAIL_EHLO=" + c.hello(base),
		"PETSCHAFT_SECRET=" + hidden(c.Secret),
		"PETSCHAFT_SECRET_OLD=" + hidden(c.SecretOld),
		"PETSCHAFT_TRUSTED_PROXIES=" + strings.Join(c.TrustedProxies, ","),
		"PETSCHAFT_FORWARDED_HEADER=" + c.ForwardedHeader,
		"PETSCHAFT_PKI_URL=" + c.PKIURL,
		"PETSCHAFT_PAGES=" + c.Pages,
		"PETSCHAFT_SECURITY_CONTACT=" + strings.Join(c.SecurityContact, ","),
		"PETSCHAFT_SECURITY_LANGUAGES=" + strings.Join(c.SecurityLanguages, ","),
		"PETSCHAFT_AUDIT_MAIL=" + c.AuditMail,
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

// databaseShown are the parameters of a database's address whose values are no
// secret; of any other, known to Postgres or not, only the name is shown.
var databaseShown = []string{
	"application_name", "channel_binding", "connect_timeout", "dbname", "host", "hostaddr", "port", "search_path", "sslmode", "sslnegotiation",
	"sslrootcert", "sslsni", "statement_timeout", "target_session_attrs", "timezone", "user",
	"pool_health_check_period", "pool_max_conn_idle_time", "pool_max_conn_lifetime", "pool_max_conn_lifetime_jitter", "pool_max_conns", "pool_min_conns",
}

// masked is an address without its password and without the values of parameters
// but those that may be shown, or nothing of it when it cannot be read.
func masked(s string, shown ...string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" && s != "" {
		return hidden(s)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return hidden(s)
	}
	for name := range q {
		if !slices.Contains(shown, name) {
			q[name] = []string{"xxxxx"}
			u.RawQuery = q.Encode()
		}
	}
	u.Fragment, u.RawFragment = "", ""
	return u.Redacted()
}
