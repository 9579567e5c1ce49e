package portal

import (
	"reflect"
	"slices"
	"strings"
)

// Warn logs what works as it is set up but is hardly meant so, and what is no
// small switch. environ is the environment, NAME=value.
func (p *Portal) Warn(environ []string) {
	if len(p.Defaults) > 0 {
		p.log.Warn("footer pages still hold the default text: set PETSCHAFT_PAGES", "pages", p.Defaults)
	}
	if p.cfg.RAGroup == "" {
		p.log.Warn("nobody is a registration officer: set PETSCHAFT_RA_GROUP")
	}
	if p.CA == nil {
		p.log.Warn("there is no authority, so nobody gets a certificate: make one with `petschaft ca init` and start again")
	}
	for _, name := range unknown(environ) {
		p.log.Warn("there is no setting of this name", "name", name, "nearest", nearest(name))
	}
	if len(p.cfg.OIDCEmailDomains) > 0 {
		p.log.Info("addresses in these domains count as verified where the provider says nothing: letters go to them, and organisations are handed over by them", "domains", p.cfg.OIDCEmailDomains)
	}
}

// names are the environment variables of all settings.
func names() (all []string) {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("env"); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// unknown are the names in environ that look like settings and are none.
func unknown(environ []string) (all []string) {
	known := names()
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, "PETSCHAFT_") && !slices.Contains(known, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// nearest is the setting whose name takes the fewest changes to get to.
func nearest(name string) string {
	return slices.MinFunc(names(), func(a, b string) int { return changes(name, a) - changes(name, b) })
}

// changes is how many letters are to be put in, taken out or replaced between a
// and b (Levenshtein).
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0]++
		for j := range len(b) {
			same := before
			if a[i] != b[j] {
				same++
			}
			before, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, same)
		}
	}
	return row[len(b)]
}
