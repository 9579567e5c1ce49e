// Package network decides who counts as one where people are counted by their network
// addresses. It finds no address itself and counts nothing.
package network

import "net/netip"

// Of is whom an address stands for: an IPv4 address itself, also one that came as
// IPv6, and of IPv6 the /64 that one line has (RFC 6177). No address is no network; all
// whose address nobody knows are one.
func Of(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // of no address none
	return p
}
