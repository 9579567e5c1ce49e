package site_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"petschaft/internal/site"
)

func TestWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	const proxy, client, six = "127.0.0.1", "203.0.113.7", "2001:db8::7"
	for name, c := range map[string]struct {
		peer      string
		forwarded bool
		lines     []string
		want      string
	}{
		"nobody in between":                 {peer: client + ":4711", want: client},
		"a stranger who tells stories":      {peer: "198.51.100.1:4711", lines: []string{client}, want: "198.51.100.1"},
		"a proxy that says nothing":         {want: proxy},
		"a proxy":                           {lines: []string{client}, want: client},
		"what the client wrote is not read": {lines: []string{"198.51.100.1, " + client}, want: client},
		"two proxies, two lines":            {lines: []string{"198.51.100.1, " + client, "10.1.1.1"}, want: client},
		"with a port":                       {lines: []string{client + ":51234"}, want: client},
		"with ports on the way":             {lines: []string{"198.51.100.1:1, " + client + ":51234, 10.1.1.1:99"}, want: client},
		"IPv6":                              {lines: []string{six}, want: six},
		"IPv6 in brackets":                  {lines: []string{"[" + six + "]"}, want: six},
		"IPv6 with a port":                  {lines: []string{"[" + six + "]:51234"}, want: six},
		"IPv4 as IPv6":                      {lines: []string{"::ffff:" + client}, want: client},
		"IPv4 as IPv6 with a port":          {lines: []string{"[::ffff:" + client + "]:51234"}, want: client},
		"IPv6 with a zone":                  {lines: []string{"fe80::1%eth0"}, want: "fe80::1"},
		"no address":                        {lines: []string{"198.51.100.1, nobody:1"}, want: proxy},
		"half a bracket":                    {lines: []string{"[" + six}, want: proxy},
		"something behind the bracket":      {lines: []string{"[" + six + "]x"}, want: proxy},
		"all are proxies":                   {lines: []string{"10.2.2.2, 10.1.1.1"}, want: "10.2.2.2"},
		"a proxy that crashed halfway":      {lines: []string{""}, want: proxy},

		"Forwarded":                           {forwarded: true, lines: []string{"for=" + client}, want: client},
		"in capitals, with more":              {forwarded: true, lines: []string{"by=_a;For=" + client + ";proto=https;host=portal.example"}, want: client},
		"quoted with a port":                  {forwarded: true, lines: []string{`for="` + client + `:51234";proto=http`}, want: client},
		"quoted IPv6":                         {forwarded: true, lines: []string{`for="[` + six + `]"`}, want: six},
		"quoted IPv6 with a port":             {forwarded: true, lines: []string{`For="[` + six + `]:4711"`}, want: six},
		"with an obfuscated port":             {forwarded: true, lines: []string{`for="` + client + `:_abc"`}, want: client},
		"an escaped letter":                   {forwarded: true, lines: []string{`for="203.0\.113.7"`}, want: client},
		"blanks":                              {forwarded: true, lines: []string{" for=198.51.100.1 , \tfor=" + client + " ; proto=https "}, want: client},
		"several lines":                       {forwarded: true, lines: []string{"for=198.51.100.1, for=" + client, `for="10.1.1.1:99"`}, want: client},
		"a comma in quotes":                   {forwarded: true, lines: []string{`for=` + client + `;host="a,for=198.51.100.1"`}, want: client},
		"empty members":                       {forwarded: true, lines: []string{"for=198.51.100.1,for=" + client + ";"}, want: client},
		"an element without a node":           {forwarded: true, lines: []string{"for=198.51.100.1, proto=https"}, want: proxy},
		"unknown":                             {forwarded: true, lines: []string{"for=198.51.100.1, for=unknown"}, want: proxy},
		"an obfuscated name":                  {forwarded: true, lines: []string{"for=198.51.100.1, for=_SEVKISEK"}, want: proxy},
		"an obfuscated name nearer":           {forwarded: true, lines: []string{"for=198.51.100.1, for=" + client + ", for=_hidden:99", "for=10.1.1.1"}, want: "10.1.1.1"},
		"a quotation mark too few":            {forwarded: true, lines: []string{`for=198.51.100.1;a=", for=` + client}, want: proxy},
		"one that meets another":              {forwarded: true, lines: []string{`for=198.51.100.1;a=", for="[` + six + `]"`}, want: proxy},
		"one too few, then a line of its own": {forwarded: true, lines: []string{`for="198.51.100.1`, "for=" + client}, want: client},
		"one in the middle":                   {forwarded: true, lines: []string{`for=203.0"113.7"`}, want: proxy},
		"a backslash at the end":              {forwarded: true, lines: []string{`for="` + client + `\`}, want: proxy},
		"no pair":                             {forwarded: true, lines: []string{client}, want: proxy},
		"nothing":                             {forwarded: true, lines: []string{""}, want: proxy},
	} {
		d := site.Door{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, Forwarded: c.forwarded}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if r.RemoteAddr = c.peer; c.peer == "" {
			r.RemoteAddr = proxy + ":80"
		}
		r.Header["X-Forwarded-For"], r.Header["Forwarded"] = c.lines, []string{"for=192.0.2.99"}
		if c.forwarded { // the other one is not looked at
			r.Header["X-Forwarded-For"], r.Header["Forwarded"] = []string{"192.0.2.99"}, c.lines
		}
		if got := d.ClientIP(r); got.String() != c.want {
			t.Errorf("%s: got %v, want %s", name, got, c.want)
		}
	}
}
