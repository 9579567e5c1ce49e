package site

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientIP is the address a request comes from: the peer, or, when the peer is
// a trusted proxy, the last address that is not one of those which
// X-Forwarded-For or Forwarded (RFC 7239) names. A hop without an address ends
// the way: the proxy that wrote it is all that is known.
func (d Door) ClientIP(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from, _ := netip.ParseAddr(host)
	from = from.Unmap().WithZone("")
	hops := d.hops(r.Header)
	for i := len(hops) - 1; i >= 0 && d.trusts(from); i-- {
		hop, ok := readNode(hops[i])
		if !ok {
			break
		}
		from = hop
	}
	return from
}

func (d Door) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(d.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// hops are the nodes that proxies wrote down, the nearest one last.
func (d Door) hops(h http.Header) (all []string) {
	if !d.Forwarded {
		return strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	}
	for _, line := range h.Values("Forwarded") {
		nodes, ok := readForwarded(line)
		if !ok {
			nodes = []string{""} // whoever wrote it: what it says further to the left, nobody knows
		}
		all = append(all, nodes...)
	}
	return all
}

// readForwarded takes the node out of each element of one header line (RFC 7239,
// 4), empty where it names none; false where the line is not as it should be.
func readForwarded(line string) (nodes []string, ok bool) {
	node, rest := "", line
	for {
		var name, value string
		if name, value, rest, ok = readPair(rest); !ok {
			return nil, false
		}
		if strings.EqualFold(name, "for") {
			node = value
		}
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return append(nodes, node), true
		}
		if rest[0] == ',' {
			nodes, node = append(nodes, node), ""
		} else if rest[0] != ';' {
			return nil, false
		}
		rest = rest[1:]
	}
}

// readPair reads name=value or name="value" and what follows. Nothing at all is
// a pair without a name: lists may have empty members (RFC 9110, 5.6.1.2).
func readPair(s string) (name, value, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	if s == "" || s[0] == ',' || s[0] == ';' {
		return "", "", s, true
	}
	name, s, ok = strings.Cut(s, "=")
	if !ok || strings.ContainsAny(name, "\",; \t") {
		return "", "", "", false
	}
	if quoted := strings.HasPrefix(s, `"`); !quoted {
		end := strings.IndexAny(s, ",; \t")
		if end < 0 {
			end = len(s)
		}
		return name, s[:end], s[end:], !strings.Contains(s[:end], `"`)
	}
	var text strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return name, text.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", "", false
			}
		}
		text.WriteByte(s[i])
	}
	return "", "", "", false
}

// readNode reads an address that may be in brackets and have a port behind it,
// as Azure, IIS and RFC 7239, 6 write it. "unknown" and names of a proxy's own
// invention, which begin with an underscore, are no addresses.
func readNode(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if host, port, ok := strings.Cut(s, "]"); ok && strings.HasPrefix(host, "[") && (port == "" || port[0] == ':') {
		s = host[1:]
	} else if host, _, ok := strings.Cut(s, ":"); ok && strings.Count(s, ":") == 1 {
		s = host
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap().WithZone(""), err == nil
}

// Door is how requests come in from outside.
type Door struct {
	Proxies   []netip.Prefix // who is believed about where a request comes from
	Forwarded bool           // they say it in Forwarded (RFC 7239), else in X-Forwarded-For
}
