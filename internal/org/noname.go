package org

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"
)

// The longest name and the longest part of one, in characters of its A-labels
// (RFC 1035, 2.3.4).
const (
	longestName  = 253
	longestLabel = 63
)

// whyNoName says what keeps s from being a name of a certificate.
func whyNoName(s string) string {
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	switch {
	case s == "":
		return "org.name.form"
	case err == nil:
		return "org.name.address"
	case strings.Contains(s, "/"):
		return "org.name.url"
	case strings.Contains(s, "@"):
		return "org.name.mail"
	case strings.Contains(s, ":"):
		return "org.name.port"
	case strings.Contains(s, "_"):
		return "org.name.underscore"
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "org.name.blank"
	}
	return whyNoLabels(s)
}

// whyNoLabels is whyNoName for what has no sign that is known to be wrong.
func whyNoLabels(s string) string {
	a, err := toASCII.ToASCII(s)
	if err != nil {
		a = strings.ToLower(s)
	}
	labels := strings.Split(a, ".")
	last := labels[len(labels)-1]
	some := func(wrong func(label string) bool) bool { return slices.ContainsFunc(labels, wrong) }
	switch {
	case some(func(l string) bool { return l == "" }):
		return "org.name.dots"
	case some(func(l string) bool { return len(l) > longestLabel }):
		return "org.name.label"
	case len(a) > longestName:
		return "org.name.long"
	case some(func(l string) bool { return l[0] == '-' || l[len(l)-1] == '-' }):
		return "org.name.hyphen"
	case err != nil && some(func(l string) bool { return strings.HasPrefix(l, "xn--") }):
		return "org.name.punycode"
	case err != nil:
		return "org.name.characters"
	case len(labels) == 1:
		return "org.name.single"
	case strings.Trim(last, "0123456789") == "":
		return "org.name.number"
	}
	if suffix, icann := publicsuffix.PublicSuffix(a); icann && suffix == a {
		return "org.name.suffix"
	}
	return "org.name.characters" // only mapping lets them in
}
