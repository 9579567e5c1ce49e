package text_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"petschaft/internal/text"
)

func TestALineHoldsWhatOneSees(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"plain":                        {"Lee, Alice", "Lee, Alice"},
		"empty":                        {"", ""},
		"blanks at the ends":           {"  Lee  ", "Lee"},
		"two blanks":                   {"Lee,  Alice", "Lee, Alice"},
		"a non-breaking blank":         {"Cordes\u00a0", "Cordes"},
		"a narrow one":                 {"C\u202fD", "C D"},
		"a wide one":                   {"山田\u3000太郎", "山田 太郎"},
		"line breaks":                  {"Ada\r\nBcc: x\u2028y\u0085z", "Ada Bcc: x y z"},
		"a tab":                        {"Ada\tAdler", "Ada Adler"},
		"control characters":           {"A\x01d\x1ba\x7f \u009bx", "Ada x"},
		"zero-width":                   {"Co\u200bra\u200c\u200d\ufeff\u2060", "Cora"},
		"a soft hyphen":                {"Cla\u00adsen", "Clasen"},
		"marks of direction":           {"Kim \u202egro.live\u202c\u2066x\u200e\u061c", "Kim gro.livex"},
		"fillers alone":                {"\u3164\u115f\uffa0\u2800", ""},
		"zero-width alone":             {"\u200b", ""},
		"variation selectors":          {"葛\U000e0100城 ❤\ufe0f", "葛城 ❤"},
		"tags":                         {"x\U000e0041", "x"},
		"decomposed":                   {"Do\u0308rte", "Dörte"},
		"decomposed across a joiner":   {"Do\u200d\u0308rte", "Dörte"},
		"one that is never composed":   {"\u212b\u2126", "ÅΩ"},
		"full-width stays":             {"ＡＢ", "ＡＢ"},
		"a mark without a letter":      {"\u0301 \u0301a", "a"},
		"more marks than any letter":   {"Z" + strings.Repeat("\u0316", 90), "Z" + strings.Repeat("\u0316", 12)},
		"not UTF-8":                    {"M\xfcller", "Mller"},
		"NUL":                          {"a\x00b", "ab"},
		"what could not be read":       {"M\ufffdller", "M\ufffdller"},
		"private use":                  {"a\ue000", "a\ue000"},
		"an Arabic number sign":        {"\u0600\u0661", "\u0600\u0661"},
		"Devanagari":                   {"हिन्दी", "हिन्दी"},
		"Vietnamese, fully decomposed": {norm.NFD.String("Nguyễn Thị Hồng"), "Nguyễn Thị Hồng"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := text.Line(c.in); got != c.want {
				t.Errorf("got %+q, want %+q", got, c.want)
			}
		})
	}
}

func TestLinesKeepTheirBreaks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"one":                              "one",
		"one\r\ntwo\rthree\u2028four":      "one\ntwo\nthree\nfour",
		"\n\n  a  b \u00a0\n\n\tc\u200b\n": "a  b\n\n c",
		"Do\u0308rte\n\u0308x":             "Dörte\nx",
		"\u200b\n\u3164":                   "",
	} {
		if got := text.Lines(in); got != want {
			t.Errorf("Lines(%+q): got %+q, want %+q", in, got, want)
		}
	}
}

func TestAWordLosesOnlyWhatNobodySees(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"\u00a0ada@uni.example\u200b ":    "ada@uni.example",
		"cy.cohn\u200b@uni.\u00adexample": "cy.cohn@uni.example",
		"a\x00d\x01a":                     "a\x00d\x01a",
		"a\u00a0b":                        "a\u00a0b",
		"u\u200dni\u200c":                 "u\u200dni\u200c",
		"m\u00fc":                         "mü",
	} {
		if got := text.Word(in); got != want {
			t.Errorf("Word(%+q): got %+q, want %+q", in, got, want)
		}
	}
}

func TestTheFirstOddCharacterIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		r     rune
		after string
		found bool
	}{
		"Müller, Uwe":          {},
		"M\ufffdller":          {0xfffd, "M", true},
		"Müller-Schmidt\ue000": {0xe000, "er-Schmidt", true},
		"\U0010fffdx":          {0x10fffd, "", true},
		"a\u200bb":             {0x200b, "a", true},
	} {
		if r, after, found := text.Odd(in); r != want.r || after != want.after || found != want.found {
			t.Errorf("Odd(%+q): got %U after %q, %v; want %U after %q, %v", in, r, after, found, want.r, want.after, want.found)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"", " a ", "Do\u0308rte", "\u200b", "a\u034f\u0301", "\u1100\u1161\u11a8", "\u0344\u0344", "\u0f73\u0f75", "\r\n", "\xff\x00",
		strings.Repeat("e\u0344", 40), strings.Repeat("\u0344", 40), "\u2000\u2001x", "\u037e\u1fef", "\uff9e\uff9f", "\U0001d15e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, lines := text.Line(s), text.Lines(s)
		for _, got := range []string{line, lines} {
			if !text.Valid(got) || !norm.NFC.IsNormalString(got) || strings.TrimSpace(got) != got {
				t.Errorf("%+q became %+q", s, got)
			}
			for _, r := range got {
				if text.Invisible(r) && r != '\n' || unicode.IsSpace(r) && r != ' ' && r != '\n' {
					t.Errorf("%+q became %+q, which holds %U", s, got, r)
				}
			}
		}
		if strings.ContainsAny(line, "\n") || strings.Contains(line, "  ") {
			t.Errorf("%+q became %+q", s, line)
		}
		if again := text.Line(line); again != line {
			t.Errorf("Line(%+q) is %+q, of which Line is %+q", s, line, again)
		}
		if again := text.Lines(lines); again != lines {
			t.Errorf("Lines(%+q) is %+q, of which Lines is %+q", s, lines, again)
		}
	})
}
