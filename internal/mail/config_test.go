package mail

import (
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

func TestTheRouteIsReadFromTheURL(t *testing.T) {
	t.Parallel()
	cases := map[string]route{
		"smtp://mx.example":                               {"mx.example", "587", startTLS, "", ""},
		"smtp://mx.example/":                              {"mx.example", "587", startTLS, "", ""},
		"smtp://mx.example?tls=implicit":                  {"mx.example", "465", implicitTLS, "", ""},
		"smtp://localhost?tls=none":                       {"localhost", "25", noTLS, "", ""},
		"smtp://[::1]:2525?tls=none":                      {"::1", "2525", noTLS, "", ""},
		"smtp://kim:s%2Fecret@mx.example:25?tls=required": {"mx.example", "25", startTLS, "kim", "s/ecret"},
	}
	for url, want := range cases {
		if got, err := parseRoute(url); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", url, got, err, want)
		}
	}
}

func TestMistakesInTheConfigurationAreTold(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*Config)
		want   string
	}{
		"another scheme":              {func(c *Config) { c.URL = "https://mx.example" }, "PETSCHAFT_SMTP_URL must begin with smtp://"},
		"nothing":                     {func(c *Config) { c.URL = "" }, "PETSCHAFT_SMTP_URL must begin with smtp://"},
		"no host":                     {func(c *Config) { c.URL = "smtp://:25" }, "names no host"},
		"a path":                      {func(c *Config) { c.URL = "smtp://mx.example/x" }, "between the port and the question mark"},
		"an unreadable password":      {func(c *Config) { c.URL = "smtp://kim:top%secret@mx.example" }, "cannot be read"},
		"a user without password":     {func(c *Config) { c.URL = "smtp://kim@mx.example" }, "a user and a password, or neither"},
		"an unknown protection":       {func(c *Config) { c.URL = "smtp://mx.example?tls=maybe" }, "tls must be required, implicit or none"},
		"an unknown setting":          {func(c *Config) { c.URL = "smtp://mx.example?tsl=none" }, "takes the setting tls"},
		"a port too high":             {func(c *Config) { c.URL = "smtp://mx.example:70000" }, "between 1 and 65535"},
		"no protection on the way":    {func(c *Config) { c.URL = "smtp://mx.example?tls=none" }, "only for a server on this machine"},
		"a trick with the name":       {func(c *Config) { c.URL = "smtp://localhost.evil.example?tls=none" }, "only for a server on this machine"},
		"no sender":                   {func(c *Config) { c.From = "" }, "PETSCHAFT_MAIL_FROM is not an address"},
		"a line break in the name":    {func(c *Config) { c.From = "=?utf-8?q?a=0D=0ABcc:_x?= <p@uni.example>" }, "PETSCHAFT_MAIL_FROM"},
		"a name twice encoded":        {func(c *Config) { c.From = `"=?utf-8?q?=0D?=" <p@uni.example>` }, "PETSCHAFT_MAIL_FROM"},
		"a bounce with a name":        {func(c *Config) { c.Bounce = "Help <help@uni.example>" }, "PETSCHAFT_MAIL_BOUNCE is not a bare mail address"},
		"a name without a domain":     {func(c *Config) { c.Hello = "vm" }, "PETSCHAFT_MAIL_EHLO is not a full domain name"},
		"a name with a line break":    {func(c *Config) { c.Hello = "mx.example\r\nMAIL FROM:<>" }, "PETSCHAFT_MAIL_EHLO"},
		"a name with a blank":         {func(c *Config) { c.Hello = "mx.example x" }, "PETSCHAFT_MAIL_EHLO"},
		"an address as a name":        {func(c *Config) { c.Hello = "192.0.2.1" }, "PETSCHAFT_MAIL_EHLO"},
		"an address half in brackets": {func(c *Config) { c.Hello = "[192.0.2.1" }, "PETSCHAFT_MAIL_EHLO is not an address literal"},
		"a new address without a tag": {func(c *Config) { c.Hello = "[2001:db8::1]" }, "PETSCHAFT_MAIL_EHLO is not an address literal"},
		"a bounce with a line break":  {func(c *Config) { c.Bounce = "a@b.example\r\nX: y" }, "PETSCHAFT_MAIL_BOUNCE"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Config{URL: "smtp://mx.example", From: "portal@uni.example", Bounce: "help@uni.example"}
			c.change(&config)
			_, err := NewSender(config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want it to say %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %q, want no password in it", err)
			}
		})
	}
}

func TestAllMistakesAreToldTogether(t *testing.T) {
	t.Parallel()
	_, err := NewSender(Config{})
	for _, want := range []string{"PETSCHAFT_SMTP_URL", "PETSCHAFT_MAIL_FROM", "PETSCHAFT_MAIL_BOUNCE"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want it to name %s too", err, want)
		}
	}
}

func TestTheServerHearsTheConfiguredName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"portal.uni.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "localhost"} {
		heard := make(chan string, 10)
		srv := serve(t, noTLS, func(s *server) { s.hello = func(said string) { heard <- said } })
		s := newSender(t, Config{URL: srv.URL + "?tls=none", Hello: name})
		if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; got != name {
			t.Errorf("the server heard %q, want %q", got, name)
		}
	}
}

// TestABounceIsToQuoteHeadersOnly where the server can be asked for that.
func TestABounceIsToQuoteHeadersOnly(t *testing.T) {
	t.Parallel()
	for _, offers := range []bool{true, false} {
		asked := make(chan smtp.DSNReturn, 1)
		srv := serve(t, noTLS, func(s *server) {
			s.EnableDSN = offers
			s.ret = func(r smtp.DSNReturn) { asked <- r }
		})
		if _, err := newSender(t, Config{URL: srv.URL + "?tls=none"}).Send(t.Context(), letterTo("kim@uni.example")); err != nil {
			t.Fatal(err)
		}
		want := smtp.DSNReturn("")
		if offers {
			want = smtp.DSNReturnHeaders
		}
		if got := <-asked; got != want {
			t.Errorf("DSN offered %v: got RET=%q, want %q", offers, got, want)
		}
	}
}
