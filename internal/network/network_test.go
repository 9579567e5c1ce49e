package network_test

import (
	"net/netip"
	"testing"

	"petschaft/internal/network"
)

func TestALineOfIPv6IsOne(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64",
	} {
		if got := network.Of(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	if got := network.Of(netip.Addr{}); got.IsValid() {
		t.Errorf("got %s for no address", got)
	}
}
