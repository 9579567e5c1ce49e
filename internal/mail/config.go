package mail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Config says through which server mails go and in whose name.
type Config struct {
	URL         string         // PETSCHAFT_SMTP_URL: smtp://user:pass@host:port?tls=required|implicit|none
	From        string         // PETSCHAFT_MAIL_FROM, may hold a display name
	Bounce      string         // PETSCHAFT_MAIL_BOUNCE: a human's mailbox, gets replies and bounces
	Hello       string         // PETSCHAFT_MAIL_EHLO: the portal's name for the server (RFC 5321, 4.1.1.1); empty: localhost
	Connections int            // kept at once; 0: 8
	Roots       *x509.CertPool // who may vouch for the server; nil: the system's
}

type protection string

const (
	startTLS    protection = "required"
	implicitTLS protection = "implicit"
	noTLS       protection = "none"
)

var usualPorts = map[protection]string{startTLS: "587", implicitTLS: "465", noTLS: "25"}

// route is how the mail server is reached.
type route struct {
	host, port string
	tls        protection
	user, pass string
}

// parseRoute reads PETSCHAFT_SMTP_URL. Its errors never repeat the URL, which
// holds a password.
func parseRoute(s string) (route, error) {
	u, err := url.Parse(s)
	if err != nil {
		return route{}, errors.New("cannot be read as smtp://user:password@host:port?tls=required (encode special characters in the password as %XX)")
	}
	r := route{host: u.Hostname(), port: u.Port(), tls: protection(u.Query().Get("tls")), user: u.User.Username()}
	r.pass, _ = u.User.Password()
	if r.tls == "" {
		r.tls = startTLS
	}
	if r.port == "" {
		r.port = usualPorts[r.tls]
	}
	return r, r.check(u)
}

func (r route) check(u *url.URL) error {
	switch {
	case u.Scheme != "smtp":
		return errors.New("must begin with smtp://")
	case r.host == "":
		return errors.New("names no host")
	case strings.Trim(u.Path, "/") != "" || u.Fragment != "":
		return errors.New("has something between the port and the question mark")
	case (r.user == "") != (r.pass == ""):
		return errors.New("needs a user and a password, or neither")
	}
	for name, values := range u.Query() {
		if name != "tls" || len(values) != 1 {
			return errors.New("takes the setting tls, once, and no other")
		}
	}
	if _, known := usualPorts[r.tls]; !known {
		return errors.New("tls must be required, implicit or none")
	}
	if n, err := strconv.Atoi(r.port); err != nil || n < 1 || n > 65535 {
		return errors.New("the port must lie between 1 and 65535")
	}
	if r.tls == noTLS && !loopback(r.host) {
		return errors.New("tls=none is allowed only for a server on this machine (localhost, 127.0.0.1, ::1)")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// parseFrom reads an address that may carry a display name.
func parseFrom(s string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, errors.New(`is not an address like portal@uni.example or "Portal <portal@uni.example>"`)
	}
	if err := checkHeader(a.Name); err != nil {
		return nil, fmt.Errorf("the display name %w", err)
	}
	return a, checkAddress(a.Address)
}

// checkHello accepts what may follow EHLO: a domain name of at least two
// labels, or an address literal (RFC 5321, 4.1.3).
func checkHello(s string) error {
	if literal, ok := strings.CutPrefix(s, "["); ok {
		literal, closed := strings.CutSuffix(literal, "]")
		six, is6 := strings.CutPrefix(literal, "IPv6:")
		if ip, err := netip.ParseAddr(six); closed && err == nil && ip.Is6() == is6 && ip.Zone() == "" {
			return nil
		}
		return errors.New("is not an address literal like [192.0.2.1] or [IPv6:2001:db8::1]")
	}
	if _, err := netip.ParseAddr(s); err == nil || len(s) > 253 || !domainName.MatchString(s) {
		return errors.New("is not a full domain name like portal.uni.example")
	}
	return nil
}

var domainName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// HelloOf is the name under which a portal at host introduces itself to the
// mail server while no other is set: the host, or localhost where that has no
// full domain name.
func HelloOf(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		return "[IPv6:" + ip.WithZone("").String() + "]"
	} else if err == nil {
		return "[" + host + "]"
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	if err != nil || checkHello(name) != nil {
		return "localhost"
	}
	return name
}

// checkAddress accepts what can stand as it is in an envelope and a header:
// an ASCII dot-atom, an at sign and a domain name.
func checkAddress(s string) error {
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 || strings.ContainsAny(s, " [") {
		return errors.New("is not a bare mail address")
	}
	for _, b := range []byte(s) {
		if b >= utf8.RuneSelf {
			return errors.New("is an address with letters beyond ASCII")
		}
	}
	return checkHeader(s)
}

// checkHeader refuses what could start a header of its own: line breaks and
// NUL, written plainly or hidden in an encoded word (RFC 2047) that a reader
// would unpack.
func checkHeader(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("is not valid UTF-8")
	}
	if strings.Contains(s, "=?") {
		return errors.New("looks like an encoded word")
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return errors.New("holds a line break or another control character")
		}
	}
	return nil
}
