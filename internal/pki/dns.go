package pki

import (
	"slices"
	"strings"

	"petschaft/internal/fault"
)

// MostDNS is how many names of servers one certificate carries at most; no
// product allows more.
const MostDNS = 50

// checkDNS refuses a list of names that no certificate may carry: empty, too
// long, with a name twice, or with something that is no canonical name.
func checkDNS(names []string) error {
	if len(names) == 0 {
		return fault.New(fault.Invalid, "pki.request.no_server")
	}
	if len(names) > MostDNS {
		return fault.New(fault.Invalid, "pki.request.many_servers", "most", MostDNS)
	}
	for i, n := range names {
		if !canonicalDNS(n) || slices.Contains(names[:i], n) {
			return fault.New(fault.Invalid, "pki.request.server")
		}
	}
	return nil
}

// canonicalDNS tells whether s is a name as certificates carry it (TLS BR
// 7.1.2.7.12): two or more labels of lower case letters, digits and inner
// dashes, "*" at most as the first of three, the last one no number: so it is
// no address of a network either.
func canonicalDNS(s string) bool {
	rest, _ := strings.CutPrefix(s, "*.")
	labels := strings.Split(rest, ".")
	if len(s) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if !canonicalLabel(l) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return strings.Trim(last, "0123456789") != "" && last != "arpa"
}

func canonicalLabel(l string) bool {
	odd := strings.ContainsFunc(l, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
	return l != "" && len(l) <= 63 && !odd && l[0] != '-' && l[len(l)-1] != '-'
}
