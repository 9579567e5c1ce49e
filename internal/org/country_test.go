package org_test

import (
	"testing"

	"golang.org/x/text/language"

	"petschaft/internal/org"
)

func TestCountriesAreUnderstoodAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"DE": "DE", " de ": "DE", "Deutschland": "DE", "germany": "DE", "DEU": "DE", "BRD": "DE",
		"Schweiz": "CH", "Switzerland": "CH", "che": "CH", "SC": "SC", "Seychellen": "SC",
		"Österreich": "AT", "Oesterreich": "AT", "AUSTRIA": "AT", "USA": "US", "U.S.A.": "US", "UK": "GB",
		"Vereinigtes Königreich": "GB", "Türkei": "TR", "Turkey": "TR", "Türkiye": "TR", "Swasiland": "SZ", "Eswatini": "SZ", "Nordmazedonien": "MK",
		"": "", "XX": "", "EU": "", "Bayern": "", "Schweizz": "", "D": "", "49": "",
	} {
		if got, ok := org.ParseCountry(typed); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

func TestEveryCountryHasANameInBothLanguages(t *testing.T) {
	t.Parallel()
	all := org.Countries()
	if len(all) != 249 {
		t.Errorf("got %d countries, want the 249 of ISO 3166-1", len(all))
	}
	for i, code := range all {
		if i > 0 && all[i-1] >= code {
			t.Errorf("%s stands behind %s", code, all[i-1])
		}
		if r, err := language.ParseRegion(code); err != nil || !r.IsCountry() {
			t.Errorf("%s is no country: %v", code, err)
		}
		for _, lang := range []string{"de", "en"} {
			name := org.CountryName(lang, code)
			if name == code {
				t.Errorf("%s has no name in %s", code, lang)
			}
			if back, _ := org.ParseCountry(name); back != code {
				t.Errorf("%q is read as %s, want %s", name, back, code)
			}
		}
	}
}
