package portal_test

import (
	"strings"
	"testing"

	"petschaft/internal/portal"
)

// good is a configuration without mistakes.
func good() portal.Config {
	return portal.Config{
		DatabaseURL: "postgres://petschaft:geheim@db.example/petschaft?sslmode=verify-full", Listen: "127.0.0.1:8080", BaseURL: "https://portal.example",
		OIDCIssuer: "https://idp.example/realm", OIDCClientID: "petschaft", OIDCClientSecret: "geheim2", OIDCGroupsClaim: "groups",
		SMTPURL: "smtp://petschaft:geheim3@mail.example", MailFrom: "Portal <portal@portal.example>", MailBounce: "ra@portal.example",
		Secret: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", RowDay: 10, ActorHour: 500, AddressHour: 30, BulkMails: 60, HandoverDay: 10, LookUpHour: 20, SignInPerMinute: 600, TokenSleep: 30, APIPerMinute: 1200,
	}
}

func TestAGoodConfigurationHasNoMistakes(t *testing.T) {
	t.Parallel()
	if err := good().Check(); err != nil {
		t.Errorf("got %v, want nothing", err)
	}
}

func TestAllMistakesAreReportedTogether(t *testing.T) {
	t.Parallel()
	err := portal.Config{Listen: "8080", TrustedProxies: []string{"everybody"}, PKIURL: "https://pki.example", Pages: "/does/not/exist"}.Check()
	if err == nil {
		t.Fatal("got no mistakes")
	}
	for _, want := range []string{
		"DATABASE_URL is missing", "PETSCHAFT_BASE_URL is missing", "PETSCHAFT_OIDC_ISSUER is missing", "PETSCHAFT_OIDC_CLIENT_ID is missing",
		"PETSCHAFT_SMTP_URL is missing", "PETSCHAFT_MAIL_FROM is missing", "PETSCHAFT_MAIL_BOUNCE is missing", "PETSCHAFT_SECRET is missing",
		"PETSCHAFT_LISTEN must be host:port", "PETSCHAFT_TRUSTED_PROXIES holds \"everybody\"", "PETSCHAFT_PKI_URL must be a plain http",
		"PETSCHAFT_PAGES is not a directory",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestWhatIsNotSafeIsRefusedInWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*portal.Config)
		want   string
	}{
		"a database in clear":            {func(c *portal.Config) { c.DatabaseURL = "postgres://db.example/x?sslmode=require" }, "DATABASE_URL leads to db.example without sslmode=verify-full"},
		"a word about TLS":               {func(c *portal.Config) { c.DatabaseTLS = "no" }, `PETSCHAFT_DATABASE_TLS holds "no", want on or off`},
		"http off loopback":              {func(c *portal.Config) { c.BaseURL = "http://portal.example" }, "PETSCHAFT_BASE_URL must begin with https://"},
		"base address with a path":       {func(c *portal.Config) { c.BaseURL = "https://portal.example/sub" }, "must not have a path"},
		"issuer off loopback":            {func(c *portal.Config) { c.OIDCIssuer = "http://idp.example" }, "PETSCHAFT_OIDC_ISSUER must begin with https://"},
		"secret too short":               {func(c *portal.Config) { c.Secret = "AAEC" }, "PETSCHAFT_SECRET must be 32 bytes"},
		"mail in clear off this machine": {func(c *portal.Config) { c.SMTPURL = "smtp://mail.example?tls=none" }, "PETSCHAFT_SMTP_URL"},
		"sender is no address":           {func(c *portal.Config) { c.MailFrom = "Portal" }, "PETSCHAFT_MAIL_FROM is not a mail address"},
		"a header of one's own":          {func(c *portal.Config) { c.ForwardedHeader = "X-Real-IP" }, "PETSCHAFT_FORWARDED_HEADER holds \"X-Real-IP\", want"},
		"a name without a domain":        {func(c *portal.Config) { c.MailHello = "portal" }, "PETSCHAFT_MAIL_EHLO is not a full domain name"},
		"a value of acr with a blank":    {func(c *portal.Config) { c.OIDCACR = []string{"gold silver"} }, "PETSCHAFT_OIDC_ACR holds \"gold silver\", want"},
		"neither on nor off":             {func(c *portal.Config) { c.Fresh = "no" }, "PETSCHAFT_FRESH holds \"no\", want on or off"},
		"sign-ins that nobody may begin": {func(c *portal.Config) { c.SignInPerMinute = 0 }, "PETSCHAFT_SIGNIN_PER_MINUTE must be positive"},
		"look-ups that nobody may make":  {func(c *portal.Config) { c.LookUpHour = 0 }, "PETSCHAFT_BRAKE_… must be positive"},
		"an API that nobody may call":    {func(c *portal.Config) { c.APIPerMinute = 0 }, "PETSCHAFT_API_PER_MINUTE must be positive"},
		"tokens that sleep at once":      {func(c *portal.Config) { c.TokenSleep = 0 }, "PETSCHAFT_TOKEN_SLEEP must be one day or more"},
		"a reminder on the last day":     {func(c *portal.Config) { c.RemindDays = []int{28, 0} }, "PETSCHAFT_REMIND_DAYS holds 0, want days from 1 to 365"},
		"a reminder long before":         {func(c *portal.Config) { c.RemindDays = []int{366} }, "PETSCHAFT_REMIND_DAYS holds 366, want days from 1 to 365"},
		"reminders without end":          {func(c *portal.Config) { c.RemindDays = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11} }, "PETSCHAFT_REMIND_DAYS holds 11 days, want at most 10"},
		"bulk work that never sends":     {func(c *portal.Config) { c.BulkMails = 0 }, "PETSCHAFT_BULK_MAILS_PER_MINUTE must be positive"},
		"brakes that never let go":       {func(c *portal.Config) { c.RowDay = 0 }, "must be positive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := good()
			c.change(&k)
			if err := k.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

func TestTheEffectiveConfigurationHoldsNoSecret(t *testing.T) {
	t.Parallel()
	all := strings.Join(good().Lines(), "\n")
	for _, secret := range []string{"geheim", good().Secret} {
		if strings.Contains(all, secret) {
			t.Errorf("%q stands in:\n%s", secret, all)
		}
	}
	for _, want := range []string{"PETSCHAFT_BASE_URL=https://portal.example", "PETSCHAFT_MAIL_EHLO=portal.example", "PETSCHAFT_SECRET=(set)", "db.example"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in:\n%s", want, all)
		}
	}
}

// TestOfAnAddressOnlyListedParametersAreShown: a driver may know other secrets.
func TestOfAnAddressOnlyListedParametersAreShown(t *testing.T) {
	t.Parallel()
	c := good()
	c.DatabaseURL = "postgres://me:geheim@db.example/x?sslmode=verify-full&sslpassword=geheim2&sslkey=geheim3&password=geheim4&PASSFILE=geheim5&pool_max_conns=7#geheim6"
	c.SMTPURL = "smtp://me:geheim7@mail.example?tls=implicit&auth=geheim8"
	all := strings.Join(c.Lines(), "\n")
	if strings.Contains(all, "geheim") {
		t.Errorf("got a secret:\n%s", all)
	}
	for _, want := range []string{"me:xxxxx@db.example/x?", "sslmode=verify-full", "sslpassword=xxxxx", "PASSFILE=xxxxx", "pool_max_conns=7", "me:xxxxx@mail.example?", "tls=implicit", "auth=xxxxx"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in:\n%s", want, all)
		}
	}
	c.DatabaseURL = "host=db.example password=geheim"
	if all := strings.Join(c.Lines(), "\n"); strings.Contains(all, "geheim") || !strings.Contains(all, "DATABASE_URL=(set)") {
		t.Errorf("got of what is no address:\n%s", all)
	}
}

// TestAnyBaseAddressWillDoForTheMailServer: a portal whose host has no full name
// starts as before.
func TestAnyBaseAddressWillDoForTheMailServer(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://portal.example": "portal.example", "https://portal.example:8443": "portal.example", "https://portal": "localhost", "http://127.0.0.1:8080": "[127.0.0.1]",
		"http://[::1]:8080": "[IPv6:::1]", "http://localhost:8080": "localhost", "https://bücher.example": "xn--bcher-kva.example", "https://portal.example.": "portal.example",
	} {
		c := good()
		c.BaseURL = base
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", base, err)
		}
		if all := strings.Join(c.Lines(), "\n") + "\n"; !strings.Contains(all, "PETSCHAFT_MAIL_EHLO="+want+"\n") {
			t.Errorf("%s: want the name %s in\n%s", base, want, all)
		}
	}
}
