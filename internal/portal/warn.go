package portal

import (
	"os"
	"reflect"
	"slices"
	"strings"

	"petschaft/internal/site/page"
)

// Warn logs what works as it is set up but is hardly meant so, and what is no
// small switch. environ is the environment, NAME=value.
func (p *Portal) Warn(environ []string) {
	if f, err := page.Nameless(); err != nil {
		p.log.Warn("exports of more than a mebibyte fail, for no temporary file can be made: see TMPDIR in docs/operations.md", "directory", os.TempDir(), "error", err)
	} else {
		f.Close()
	}
	if len(p.Defaults) > 0 {
		p.log.Warn("footer pages still hold the default text: set PETSCHAFT_PAGES", "pages", p.Defaults)
	}
	if p.cfg.DatabaseTLS == "off" {
		p.log.Warn("PETSCHAFT_DATABASE_TLS is off: the database need not prove its name, and may be reached in clear")
	}
	if p.cfg.SecretOld != "" {
		p.log.Warn("PETSCHAFT_SECRET_OLD is set: take it away once `petschaft secret rotate` has ended well")
	}
	switch {
	case p.role.Owns:
		p.log.Warn("serve works as the owner of the tables, who can change the audit record: `petschaft migrate --grant ROLE` lets a lesser role serve", "role", p.role.Name)
	case len(p.role.Changes) > 0:
		p.log.Warn("the role that serves can change the audit record: run `petschaft migrate --grant` for it once more", "role", p.role.Name, "may", p.role.Changes)
	}
	if p.cfg.RAGroup == "" {
		p.log.Warn("nobody is a registration officer: set PETSCHAFT_RA_GROUP")
	}
	if p.cfg.Fresh == "off" {
		p.log.Warn("no fresh sign-in is asked before any step: PETSCHAFT_FRESH is off")
	}
	if p.CA == nil {
		p.log.Warn("there is no authority, so nobody gets a certificate: make one with `petschaft ca init` and start again")
	}
	for _, s := range Strangers(environ) {
		p.log.Warn("there is no setting of this name", "name", s.Name, "nearest", s.Nearest)
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

// Stranger is a name in the environment that looks like a setting and is none.
type Stranger struct {
	Name    string
	Nearest string // the setting that may be meant; "" where none is near
}

// Strangers are those in environ, NAME=value, by name.
func Strangers(environ []string) (all []Stranger) {
	known := names()
	for _, name := range Secrets() {
		known = append(known, name+"_FILE")
	}
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, prefix) && !slices.Contains(known, name) {
			all = append(all, Stranger{name, nearest(name)})
		}
	}
	slices.SortFunc(all, func(a, b Stranger) int { return strings.Compare(a.Name, b.Name) })
	return all
}

const prefix = "PETSCHAFT_"

// nearest is the setting whose name takes the fewest changes to get to, "" where
// that is more than one in three letters: then another thing is meant.
func nearest(name string) string {
	own := strings.TrimPrefix(name, prefix)
	best, fewest := "", len(own)/3+1
	for _, setting := range names() {
		if n := changes(own, strings.TrimPrefix(setting, prefix)); n < fewest {
			best, fewest = setting, n
		}
	}
	return best
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
