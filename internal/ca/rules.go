package ca

import (
	"errors"
	"fmt"
	"slices"

	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/pki"
)

// Rules are by which books the authorities issue.
type Rules struct {
	Mail, TLS pki.Policy
	Off       []string // rules of lint that do not count, unless an authority is public
}

// Check refuses modes, arcs and rules that there are not.
func (r Rules) Check() error {
	return errors.Join(r.Mail.Check(), r.TLS.Check(), lint.CheckNames(r.Off))
}

func (r Rules) of(name string) pki.Policy {
	return map[string]pki.Policy{Mail: r.Mail, TLS: r.TLS}[name]
}

// obey gives every authority that issues its policy and a twin that signs what
// the rules look at.
func (l *Local) obey(rules Rules) error {
	l.off = rules.Off
	for name, a := range l.all {
		if name == Root || a.issuer.Signer == nil {
			continue
		}
		a.issuer.Policy = rules.of(name)
		var err error
		if a.twin, err = a.issuer.Twin(); err != nil {
			return fmt.Errorf("prepare authority %s: %w", name, err)
		}
		l.all[name] = a
	}
	return nil
}

// Gives tells whether the certificates of the profile may be issued here for all
// its purposes.
func (l *Local) Gives(id pki.ProfileID) bool {
	p, _ := id.Profile()
	a, ok := l.all[p.Authority]
	if !ok {
		return false
	}
	for _, x := range p.Purposes {
		if !slices.Contains(a.issuer.Certificate.ExtKeyUsage, x) {
			return false
		}
	}
	return true
}

// sign signs what passes every rule. A fault "ca.rules" carries the
// *lint.Refusal.
func (l *Local) sign(r pki.Request) (pki.Certificate, lint.Report, error) {
	p, _ := r.Profile.Profile()
	a, ok := l.all[p.Authority]
	if !ok || a.issuer.Signer == nil {
		return pki.Certificate{}, lint.Report{}, fault.New(fault.Unavailable, "ca.none").Because(ErrNone)
	}
	at := l.now()
	twin, err := a.twin.Sign(r, at)
	if errors.Is(err, pki.ErrIssuerEnds) {
		return twin, lint.Report{}, fault.New(fault.Unavailable, "ca.ended").Because(err)
	}
	if err != nil {
		return twin, lint.Report{}, err
	}
	report := lint.Case{
		DER: twin.DER, Profile: p, Policy: a.issuer.Policy, Issuer: a.issuer.Certificate, Given: &pki.Names{Emails: r.Emails, DNS: r.DNS},
		At: at, Off: l.off,
	}.Check()
	if err := report.Err(); err != nil {
		return pki.Certificate{}, report, fault.New(fault.Invalid, "ca.rules").Because(err)
	}
	c, err := a.issuer.Sign(r, at)
	if err != nil {
		return c, report, err
	}
	if !pki.SameButSignature(twin.DER, c.DER) {
		return pki.Certificate{}, report, fmt.Errorf("what was signed for intent %d is not what was checked", r.Intent)
	}
	return c, report, nil
}
