package paths_test

import (
	"testing"

	"petschaft/web/paths"
)

func TestAddressesHoldTheirPartsEscaped(t *testing.T) {
	t.Parallel()
	type number int64
	for _, c := range []struct{ got, want string }{
		{paths.EmailDomain("uni.example"), "/email-domains/uni.example"},
		{paths.Row("xn--mnchen-3ya.example", number(7)), "/email-domains/xn--mnchen-3ya.example/rows/7"},
		{paths.Undeliverable("uni.example", number(7), number(9)), "/email-domains/uni.example/rows/7/challenges/9/undeliverable"},
		{paths.Order("a/b?c#d"), "/orders/a%2Fb%3Fc%23d"},
		{paths.OrdersOf(number(3)), "/orders?organisation=3"},
		{paths.OfficeName(number(3), number(4)), "/office/organisations/3/names/4"},
		{paths.SignInTo("/orders?which=open&q=ä"), "/signin?next=%2Forders%3Fwhich%3Dopen%26q%3D%C3%A4"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
