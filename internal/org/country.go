package org

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// countryCodes are those of ISO 3166-1.
const countryCodes = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
	"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ " +
	"NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
	"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"

// renamed are names that countries have taken since the tables of names were
// made: in German and in English.
var renamed = map[string][2]string{
	"MK": {"Nordmazedonien", "North Macedonia"},
	"SZ": {"Eswatini", "Eswatini"},
	"TR": {"Türkei", "Türkiye"},
}

// everyday are words for countries that no table has.
var everyday = map[string]string{
	"brd": "DE", "bundesrepublik deutschland": "DE", "federal republic of germany": "DE", "uk": "GB", "grossbritannien": "GB", "great britain": "GB",
	"holland": "NL", "the netherlands": "NL", "czech republic": "CZ", "tschechische republik": "CZ", "weissrussland": "BY", "united states of america": "US",
	"vereinigte staaten von amerika": "US",
}

// Countries are the codes of all countries (ISO 3166-1), by code.
func Countries() []string { return strings.Fields(countryCodes) }

// CountryName is what a country is called in German ("de") or English; of what is
// no code the same again.
func CountryName(lang, code string) string {
	if names, ok := renamed[code]; ok {
		if lang == "de" {
			return names[0]
		}
		return names[1]
	}
	return tableName(lang, code)
}

func tableName(lang, code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	in := display.Regions(language.English)
	if lang == "de" {
		in = display.Regions(language.German)
	}
	if name := in.Name(region); name != "" {
		return name
	}
	return code
}

// countriesByName finds codes by everything that people write for them.
var countriesByName = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, code := range Countries() {
		for _, lang := range []string{"de", "en"} {
			all[foldCountry(CountryName(lang, code))] = code
			all[foldCountry(tableName(lang, code))] = code
		}
		if region, err := language.ParseRegion(code); err == nil {
			all[foldCountry(region.ISO3())] = code
		}
	}
	for name, code := range everyday {
		all[name] = code
	}
	for _, code := range Countries() { // last, so that a code is always itself
		all[strings.ToLower(code)] = code
	}
	return all
})

var spelledOut = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", ".", "")

func foldCountry(s string) string {
	return spelledOut.Replace(strings.ToLower(strings.Join(strings.Fields(s), " ")))
}

// ParseCountry reads a country as people write it: its code of two or three
// letters, or its name in German or English. ok is false where there is none.
func ParseCountry(s string) (code string, ok bool) {
	code, ok = countriesByName()[foldCountry(s)]
	return code, ok
}
