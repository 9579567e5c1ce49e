package org_test

import (
	"strings"
	"testing"

	"petschaft/internal/org"
)

func TestAddressesAreReadOrRefusedInWords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60)
	cases := []struct{ name, in, want, wrong string }{
		{"a plain one", "ada@uni.example", "ada@uni.example", ""},
		{"blanks around it", " \tada@uni.example\r\n", "ada@uni.example", ""},
		{"the local part is kept as typed", "Ada.ADLER@UNI.Example", "Ada.ADLER@uni.example", ""},
		{"all the signs of a dot-atom", "!#$%&'*+-/=?^_`{|}~@uni.example", "!#$%&'*+-/=?^_`{|}~@uni.example", ""},
		{"an IDN becomes A-labels", "ada@Münster.example", "ada@xn--mnster-3ya.example", ""},
		{"ß is a letter of its own", "ada@straße.example", "ada@xn--strae-oqa.example", ""},
		{"full-width letters in the domain are letters", "ada@ｕｎｉ.example", "ada@uni.example", ""},
		{"KELVIN SIGN in the domain is a k", "ada@\u212Aiel.example", "ada@kiel.example", ""},
		{"an ideographic full stop is a dot", "ada@uni。example", "ada@uni.example", ""},
		{"A-labels in capitals", "ada@XN--MNSTER-3YA.example", "ada@xn--mnster-3ya.example", ""},
		{"64 characters before the @", strings.Repeat("a", 64) + "@uni.example", strings.Repeat("a", 64) + "@uni.example", ""},
		{"254 in all", "ab@" + strings.Repeat(long+".", 4) + "example", "ab@" + strings.Repeat(long+".", 4) + "example", ""},

		{"KELVIN SIGN before the @", "\u212A@uni.example", "", "org.address.ascii"},
		{"ß before the @", "straße@uni.example", "", "org.address.ascii"},
		{"dotless i before the @", "ı@uni.example", "", "org.address.ascii"},
		{"full-width letters before the @", "ａｄａ@uni.example", "", "org.address.ascii"},
		{"invalid UTF-8", "a\xffda@uni.example", "", "org.address.ascii"},
		{"DEL", "a\x7fda@uni.example", "", "org.address.ascii"},
		{"NUL", "a\x00da@uni.example", "", "org.address.local"},
		{"a line break", "ada\r\nbcc:x@uni.example", "", "org.address.local"},
		{"a blank", "ada adler@uni.example", "", "org.address.local"},
		{"a quoted local part", `"ada adler"@uni.example`, "", "org.address.local"},
		{"two dots", "a..b@uni.example", "", "org.address.local"},
		{"a dot in front", ".ada@uni.example", "", "org.address.local"},
		{"a dot before the @", "ada.@uni.example", "", "org.address.local"},
		{"a comment", "ada(x)@uni.example", "", "org.address.local"},
		{"a display name", "Ada <ada@uni.example>", "", "org.address.local"},
		{"no @", "ada.uni.example", "", "org.address.form"},
		{"two @", "ada@x@uni.example", "", "org.address.form"},
		{"nothing before the @", "@uni.example", "", "org.address.form"},
		{"nothing behind it", "ada@", "", "org.address.form"},
		{"nothing", "", "", "org.address.form"},
		{"65 characters before the @", strings.Repeat("a", 65) + "@uni.example", "", "org.address.long"},
		{"255 in all", "abc@" + strings.Repeat(long+".", 4) + "example", "", "org.address.long"},
		{"a dot at the end", "ada@uni.example.", "", "org.address.domain"},
		{"one label", "a@localhost", "", "org.address.domain"},
		{"an IPv4 literal", "a@[127.0.0.1]", "", "org.address.domain"},
		{"an IPv4 address", "a@127.0.0.1", "", "org.address.domain"},
		{"an IPv6 literal", "a@[IPv6:::1]", "", "org.address.domain"},
		{"a number as last label", "a@uni.1", "", "org.address.domain"},
		{"a public suffix", "a@co.uk", "", "org.address.domain"},
		{"an underscore", "a@my_uni.example", "", "org.address.domain"},
		{"a hyphen in front", "a@-uni.example", "", "org.address.domain"},
		{"two dots in the domain", "a@uni..example", "", "org.address.domain"},
		{"a label of 64", "a@" + strings.Repeat("a", 64) + ".example", "", "org.address.domain"},
		{"broken punycode", "a@xn--\u00fc.example", "", "org.address.domain"},
		{"an A-label of a forbidden letter", "a@xn--a.example", "", "org.address.domain"},
		{"bytes that are no letters", "a@\x95.example", "", "org.address.domain"},
		{"a zero-width joiner", "a@u\u200dni.example", "", "org.address.domain"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, wrong := org.ParseAddress(c.in)
			if string(got) != c.want || wrong != c.wrong {
				t.Errorf("%q: got %q and %q, want %q and %q", c.in, got, wrong, c.want, c.wrong)
			}
		})
	}
}

func TestFoldingTouchesASCIIOnly(t *testing.T) {
	t.Parallel()
	for in, want := range map[org.Address]string{"ADA@uni.example": "ada@uni.example", "\u212A@x": "\u212A@x", "Ä@x": "Ä@x"} {
		if got := in.Folded(); got != want {
			t.Errorf("fold %q: got %q, want %q", in, got, want)
		}
	}
}

func TestADomainIsShownWithItsLetters(t *testing.T) {
	t.Parallel()
	d, ok := org.ParseDomain("MÜNSTER.example")
	if !ok || d.Unicode() != "münster.example" {
		t.Errorf("got %q (%q), %v; want münster.example", d, d.Unicode(), ok)
	}
}

// FuzzParseAddress holds that whatever passes is its own reading, ASCII, short
// enough, and the same in any case.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"ada@uni.example", "Ada@MÜNSTER.example", "a@xn--mnster-3ya.example", "\u212A@x.example", "a@ｕｎｉ。example",
		"a@127.1", "a@1.2.3.4", "a@\u00ad.example", "a@a\u0301.example", "0@\x95.00A", "a@xn--.example", "a@\u2488com.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, wrong := org.ParseAddress(s)
		if (a == "") != (wrong != "") {
			t.Fatalf("%q: got %q and %q, want an address or a reason", s, a, wrong)
		}
		if wrong != "" {
			return
		}
		if again, wrong := org.ParseAddress(string(a)); again != a || wrong != "" {
			t.Errorf("%q: got %q, which reads as %q, %q", s, a, again, wrong)
		}
		if upper, wrong := org.ParseAddress(strings.ToUpper(string(a))); upper.Folded() != a.Folded() || wrong != "" {
			t.Errorf("%q: in capitals %q folds to %q (%s), want %q", s, upper, upper.Folded(), wrong, a.Folded())
		}
		for _, b := range []byte(a) {
			if b <= ' ' || b > '~' {
				t.Errorf("%q: got %q with the byte %#x, want printable ASCII", s, a, b)
			}
		}
		if len(a) > 254 || strings.Count(string(a), "@") != 1 || string(a.Domain()) != strings.ToLower(string(a.Domain())) {
			t.Errorf("%q: got %q, want at most 254 bytes, one @ and a lower-case domain", s, a)
		}
	})
}
