package imports

import (
	"strings"
	"testing"

	"petschaft/internal/org"
	"petschaft/internal/sheet"
)

func FuzzProxyAddresses(f *testing.F) {
	for _, s := range []string{
		"SMTP:a@uni.example;smtp:b@uni.example", "smtp:a@x SIP:b@x X500:/o=a b/cn=c", "{SMTP:a@x, smtp:b@x}", "a@x, b@x", "SMTP:a@x+smtp:b@x",
		"<a@x>; Name <b@x>", "mailto:a@x?subject=y", ":smtp:", "smtp:", "SMTP:SMTP:a@x", "o'brien@x, 'q@x", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := readProxies(s)
		for _, a := range append(p.others, p.primary, bareAddress(s)) {
			if len(a) > len(s) || !strings.Contains(s, a) {
				t.Fatalf("%q: got the address %q, which does not stand there", s, a)
			}
		}
		if p.primary != "" && !strings.Contains(s, "SMTP:") {
			t.Fatalf("%q: got the primary address %q, which nothing says", s, p.primary)
		}
		if a, wrong := org.ParseAddress(s); wrong == "" { // what is an address stays one
			if b, wrong := org.ParseAddress(bareAddress(s)); wrong != "" || b != a {
				t.Fatalf("%q: got %q (%s)", s, bareAddress(s), wrong)
			}
			if all := readProxies(string(a)); len(all.others) != 1 || all.others[0] != string(a) || all.primary != "" {
				t.Fatalf("%q: got the list %+v", a, all)
			}
		}
	})
}

func FuzzHeaderLine(f *testing.F) {
	for _, s := range []string{
		"Name;Mail;Typ\na;b;c\n", "#TYPE x\n\"Mail\",\"Name\"\n", "Titel;;\n;;\nNachname;E-Mail\n", "\"a\nb", "Mail", "\n\n", "First Name [Required],Email Address [Required]\n", "sep=;\nx\nMail;y",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		format := sheet.Sniff(file)
		top, err := sheet.NewReader(strings.NewReader(string(file)), format).Top(tops)
		if err != nil || len(top) == 0 {
			return
		}
		rec := guessHeader(top)
		columns := guessColumns(headingsOf(rec))
		if len(columns) != len(rec.Cells) {
			t.Fatalf("got %d columns for %d headings", len(columns), len(rec.Cells))
		}
		seen := map[Field]bool{}
		for _, c := range columns {
			if c != "" && seen[c] {
				t.Fatalf("%q: got %s twice", rec.Cells, c)
			}
			seen[c] = true
		}
		again, err := readHeader(sheet.NewReader(strings.NewReader(string(file)), format), rec.Line)
		if err == nil && len(again) != len(rec.Cells) {
			t.Fatalf("line %d: got %q, want %q", rec.Line, again, rec.Cells)
		}
	})
}
