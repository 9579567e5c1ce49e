package sheet_test

import (
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"petschaft/internal/sheet"
	"petschaft/internal/trial"
)

func TestANameInTheWrongEncodingIsNoticed(t *testing.T) {
	t.Parallel()
	as1252 := func(c encoding.Encoding, s string) string {
		return trial.Must(charmap.Windows1252.NewDecoder().String(trial.Must(c.NewEncoder().String(s))))
	}
	for _, c := range []struct {
		name string
		read string
	}{
		{"Mac Roman", as1252(charmap.Macintosh, "Müller, Jürgen")},
		{"Mac Roman", as1252(charmap.Macintosh, "Weiße, Änne")},
		{"CP850", as1252(charmap.CodePage850, "Müller, Jürgen")},
		{"CP850", as1252(charmap.CodePage850, "Bär, Jörg")},
		{"CP850", as1252(charmap.CodePage850, "König")},
		{"UTF-8", as1252(encoding.Nop, "Böhm, Bärbel")},
		{"UTF-8", as1252(encoding.Nop, "Weiß")},
		{"UTF-8", as1252(encoding.Nop, "ÖZGÜR")},
		{"UTF-8 twice, in a file that is UTF-8", "JosÃ©"},
	} {
		if !sheet.Misread(c.read) {
			t.Errorf("%s: got nothing wrong with %q, want it noticed", c.name, c.read)
		}
	}
	for _, name := range []string{
		"", "Müller, Jürgen", "O’Brien", "O´Brien", "D‘Angelo", "Müller–Lüdenscheidt", "Šimek, Žofia", "Dvořák", "Kršnik", "JOÃO", "João", "Ÿvonne", "MŠMT",
		"Mª José", "Gal·la", "Frau (50 %)", "Preis: 5 €", "“Bert”", "Büro § 5", "Abt. „Einkauf“", "AT&T", "北京", "Ελένη", "Прокофьев", "Nguyễn",
	} {
		if sheet.Misread(name) {
			t.Errorf("got %q for misread, want a name", name)
		}
	}
}
