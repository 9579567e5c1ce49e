package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/pki"
	"petschaft/internal/portal"
	"petschaft/web/locale"
)

// lintFile ends with status 0 when nothing is found, 1 with findings, 2 for what
// cannot be read.
type lintFile struct {
	File     string `arg:"" help:"The certificate, PEM or DER; its issuer may follow in the same file. - reads standard input."`
	Profile  string `placeholder:"PROFILE" help:"Which one it is to be; without, the one it looks like: ${profiles}."`
	Language string `default:"en" enum:"de,en" help:"Of the words: de or en."`
}

func profileNames() string {
	var names []string
	for _, p := range pki.Profiles() {
		names = append(names, string(p.ID))
	}
	return strings.Join(names, ", ")
}

func (l lintFile) Run(c portal.Config) error {
	rules := c.Rules()
	if err := rules.Check(); err != nil {
		return exitStatus{err, 2}
	}
	name, data := l.File, []byte(nil)
	var err error
	if name == "-" {
		name = os.Stdin.Name()
	}
	if data, err = os.ReadFile(name); err != nil {
		return exitStatus{err, 2}
	}
	file, err := lint.ReadFile(data)
	if err != nil {
		return exitStatus{l.words(err), 2}
	}
	id, known := lint.Guess(file.DER)
	if l.Profile != "" {
		id, known = pki.ProfileID(l.Profile), true
	}
	p, there := id.Profile()
	if !known || !there {
		return exitStatus{l.words(fault.New(fault.Invalid, "lint.profile", "profiles", profileNames())), 2}
	}
	policy := rules.Mail
	if p.Servers {
		policy = rules.TLS
	}
	return l.tell(lint.Case{DER: file.DER, Profile: p, Policy: policy, Issuer: file.Issuer, Off: rules.Off}.Check())
}

// words are what is wrong with the file, as people read it.
func (l lintFile) words(err error) error {
	if f := fault.Of(err); f != nil {
		err = errors.New(locale.For(l.Language).T(f.ID, f.Args...))
	}
	return fmt.Errorf("%s: %w", l.File, err)
}

// tell prints what was found.
func (l lintFile) tell(r lint.Report) error {
	words := locale.For(l.Language)
	for _, f := range r.Findings {
		fmt.Printf("%s: %s\n", f.Rule, words.T(f.ID, f.Args...))
	}
	fmt.Printf("%s, %s, %s: %d\n", r.Profile, r.Mode, r.Version, len(r.Findings))
	if !r.Clean() {
		return exitStatus{r.Err(), 1}
	}
	return nil
}
