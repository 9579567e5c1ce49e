// Package lint decides whether a certificate may be signed: it looks at a copy
// that a throw-away key signed, and says which rules it breaks. Its own rules
// are those of the profile and what zlint misses; zlint has the rest. It reads
// bytes and facts and nothing else: no database, no clock, no key that anybody
// trusts. What a person reads of a finding stands in the catalogs.
package lint

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"petschaft/internal/pki"
)

// Version is which rules are checked: it changes with every rule and with
// zlint.
const Version = "petschaft 1, zlint 3.7.1"

// Case is a certificate and what it is held against. A file of which nothing
// else is known has neither an issuer nor names.
type Case struct {
	DER     []byte
	Profile pki.Profile
	Policy  pki.Policy
	Issuer  *x509.Certificate // nil: unknown
	Given   *pki.Names        // what it may name; nil: unknown
	At      time.Time         // of the signature; zero: when it begins
	Off     []string          // rules that do not count; a public authority heeds none of them
}

// Whom a finding concerns: who can do something about it.
type Whom string

const (
	ByKey    Whom = "key"    // the holder, by another key
	ByName   Whom = "name"   // the holder, by having a name put right
	ByOffice Whom = "office" // nobody but those who run the portal
)

// Finding is a broken rule: its name, who can mend it, and a message with its
// blanks.
type Finding struct {
	Rule string `json:"rule"`
	Whom Whom   `json:"whom"`
	ID   string `json:"id"`
	Args []any  `json:"args,omitempty"`
}

// Report is what was checked, with what came of it.
type Report struct {
	Version  string    `json:"version"`
	Profile  string    `json:"profile"`
	Mode     string    `json:"mode"`
	Policy   string    `json:"policy,omitempty"` // the identifier that the certificate names
	Passed   []string  `json:"passed"`           // own rules
	Off      []string  `json:"off,omitempty"`    // rules that were broken and switched off
	Zlint    Zlint     `json:"zlint"`
	Findings []Finding `json:"findings,omitempty"`
}

// Zlint is what zlint looked at. Of what it is told to overlook stands the name
// of the rule and the message that says why.
type Zlint struct {
	Passed     int               `json:"passed"`
	Beside     int               `json:"beside"` // rules for other certificates or other times
	Overlooked map[string]string `json:"overlooked,omitempty"`
}

// Clean tells whether nothing was found.
func (r Report) Clean() bool { return len(r.Findings) == 0 }

// Refusal is the error that names the rules which a certificate breaks.
type Refusal struct{ Findings []Finding }

func (r *Refusal) Error() string {
	return "the certificate breaks rules: " + strings.Join(Rules(r.Findings), ", ")
}

// Rules are the names of the broken rules.
func Rules(found []Finding) []string {
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.Rule
	}
	return names
}

// Err is nil for a clean report, else a *Refusal.
func (r Report) Err() error {
	if r.Clean() {
		return nil
	}
	return &Refusal{Findings: r.Findings}
}

// Check holds the certificate against every rule.
func (c Case) Check() Report {
	r := Report{Version: Version, Profile: string(c.Profile.ID), Mode: string(pki.Private)}
	if c.Policy.Public() {
		r.Mode = string(pki.PublicBR)
	}
	l, err := c.read()
	if err != nil {
		r.Findings = []Finding{{Rule: "readable", Whom: ByOffice, ID: "lint.readable"}}
		return r
	}
	if len(l.x.Policies) > 0 {
		r.Policy = l.x.Policies[0].String()
	}
	for _, rule := range rules {
		t := rule.check(l)
		switch {
		case t == nil:
			r.Passed = append(r.Passed, rule.name)
		case c.ignores(rule.name):
			r.Off = append(r.Off, rule.name)
		default:
			r.Findings = append(r.Findings, rule.finding(t))
		}
	}
	c.zlint(l, &r)
	return r
}

// ignores tells whether rule does not count.
func (c Case) ignores(rule string) bool { return !c.Policy.Public() && slices.Contains(c.Off, rule) }

// CheckNames refuses names that no rule has: a rule that is to be off must be
// one.
func CheckNames(off []string) error {
	for _, name := range off {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.name == name }) && registry().CertificateLints().ByName(name) == nil {
			return fmt.Errorf("no rule is called %q", name)
		}
	}
	return nil
}
