package org

import (
	"net/netip"
	"strings"

	"petschaft/internal/postgres"
	"petschaft/internal/text"

	"github.com/jackc/pgx/v5"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Domain is a host name as certificates and the schema hold it: lower-case
// A-labels (RFC 5890, 2.3.2.1), at least two of them, no dot at the end. Only
// ParseDomain makes one.
type Domain string

var toASCII = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(true))

// ParseDomain reads a domain as a person types it: any case, U-labels or
// A-labels. ok is false where it is no domain name one could register under:
// wrong labels, an IP address, one label only, a public suffix itself.
func ParseDomain(s string) (d Domain, ok bool) {
	a, err := toASCII.ToASCII(text.Word(s))
	if err != nil || len(a) > longestName {
		return "", false
	}
	// What was made must itself be allowed: letters that only mapping lets in,
	// or bytes that are no letters, would be stored as a name nobody can type.
	if again, err := toASCII.ToASCII(a); err != nil || again != a {
		return "", false
	}
	if _, err := netip.ParseAddr(a); err == nil {
		return "", false
	}
	labels := strings.Split(a, ".")
	for _, l := range labels {
		if l == "" || len(l) > longestLabel {
			return "", false
		}
	}
	last := labels[len(labels)-1]
	if len(labels) < 2 || strings.Trim(last, "0123456789") == "" {
		return "", false
	}
	if suffix, icann := publicsuffix.PublicSuffix(a); icann && suffix == a {
		return "", false
	}
	return Domain(a), true
}

// Unicode is the domain with U-labels, for the eye.
func (d Domain) Unicode() string {
	u, err := idna.Display.ToUnicode(string(d))
	if err != nil {
		return string(d)
	}
	return u
}

// HoldsWord is the condition that column, which holds names, holds w somewhere, as
// it was typed or with A-labels in place of its U-labels: not all names are kept as
// people spell them, too. The pattern is put into args as arg.
func HoldsWord(column, arg, w string, args pgx.NamedArgs) string {
	args[arg] = "%" + postgres.Like(w) + "%"
	a := aLabels(w)
	if a == w {
		return column + " like @" + arg
	}
	args[arg+"_a"] = "%" + postgres.Like(a) + "%"
	return "(" + column + " like @" + arg + " or " + column + " like @" + arg + "_a)"
}

// aLabels leaves a wildcard, what stands before an @ and what is no label as they are.
func aLabels(w string) string {
	local, domain := "", w
	if i := strings.LastIndexByte(w, '@'); i >= 0 {
		local, domain = w[:i+1], w[i+1:]
	}
	labels := strings.Split(domain, ".")
	for i, l := range labels {
		if a, err := toASCII.ToASCII(l); err == nil && a != "" {
			labels[i] = a
		}
	}
	return local + strings.Join(labels, ".")
}

// Address is a mail address whose local part is an ASCII dot-atom (RFC 5322,
// 3.2.3), kept as typed, and whose domain is a Domain. Only ParseAddress makes
// one.
type Address string

// atext are the characters of a dot-atom besides letters and digits.
const atext = "!#$%&'*+-/=?^_`{|}~"

// ParseAddress reads a bare mail address (no display name, comment or quotes).
// When it is refused, wrong is the message id that says why.
func ParseAddress(s string) (a Address, wrong string) {
	local, domain, ok := strings.Cut(text.Word(s), "@")
	if !ok || local == "" || domain == "" || strings.Contains(domain, "@") {
		return "", "org.address.form"
	}
	for _, r := range local {
		if r > 0x7e {
			return "", "org.address.ascii"
		}
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.Trim(atom, atext+"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return "", "org.address.local"
		}
	}
	if len(local) > 64 {
		return "", "org.address.long"
	}
	d, ok := ParseDomain(domain)
	if !ok {
		return "", "org.address.domain"
	}
	if len(local)+1+len(d) > 254 {
		return "", "org.address.long"
	}
	return Address(local + "@" + string(d)), ""
}

// Domain is what stands behind the @.
func (a Address) Domain() Domain {
	_, d, _ := strings.Cut(string(a), "@")
	return Domain(d)
}

// Folded is the address without ASCII case: two addresses are the same when
// their folded forms are.
//
// Only ASCII letters are folded: KELVIN SIGN, where it comes from elsewhere, is
// no k.
func (a Address) Folded() string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, string(a))
}

// Folded is each of the addresses folded.
func Folded(as []Address) []string {
	f := make([]string, len(as))
	for i, a := range as {
		f[i] = a.Folded()
	}
	return f
}

// Plain is each of the addresses as it is kept.
func Plain(as []Address) []string {
	s := make([]string, len(as))
	for i, a := range as {
		s[i] = string(a)
	}
	return s
}

// CutAddress parts an address, or a part of one that holds the @, for a search. A
// whole domain may be spelled as people do.
func CutAddress(s string) (local, domain string, ok bool) {
	s = strings.Trim(s, "'")
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", "", false
	}
	local, domain = s[:i], s[i+1:]
	if d, known := ParseDomain(domain); known {
		domain = string(d)
	}
	return local, domain, true
}
