package order

import (
	"context"
	"fmt"
	"slices"

	"petschaft/internal/lint"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
)

// Why a certificate was not signed that would have broken a rule: who can do
// something about it. Which rules they were is kept for the registration office.
const (
	rulesKey    = "order.failed.rules_key"
	rulesName   = "order.failed.rules_name"
	rulesOffice = "order.failed.rules_office"
)

// failedRules is the reason for the applicant. A weak key breaks other rules,
// too, so it comes first.
func failedRules(found []lint.Finding) string {
	by := func(w lint.Whom) bool {
		return slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Whom == w })
	}
	switch {
	case by(lint.ByKey):
		return rulesKey
	case by(lint.ByName):
		return rulesName
	}
	return rulesOffice
}

// refusedFor is the reason for the applicant where the facts forbid it.
func refusedFor(found []lint.Finding) string {
	if found[0].Whom == lint.ByKey {
		return found[0].ID
	}
	return rulesOffice
}

// unsigned tells whether it is certain that nothing was signed for an intent that
// ended so: the next attempt may write another.
func unsigned(reason string) bool {
	return reason == rulesKey || reason == rulesName || reason == rulesOffice
}

// checker is an Authority that remembers what it checked before it signed.
type checker interface {
	Checked(ctx context.Context, intent int64) (r lint.Report, ok bool, err error)
}

// checked is what was checked of the certificate: by the authority before it
// signed, else here, of what came.
func (b *Book) checked(ctx context.Context, r pki.Request, c pki.Certificate) (*lint.Report, error) {
	if w, ok := b.Authority.(checker); ok {
		report, known, err := w.Checked(ctx, r.Intent)
		if err != nil {
			return nil, fmt.Errorf("ask what was checked: %w", err)
		}
		if known {
			return &report, nil
		}
	}
	p, _ := r.Profile.Profile()
	report := lint.Case{DER: c.DER, Profile: p, Given: &pki.Names{Emails: r.Emails, DNS: r.DNS}}.Check()
	return &report, nil
}

// saved is findings as they are stored, never null.
func saved(found []lint.Finding) []lint.Finding {
	if found == nil {
		return []lint.Finding{}
	}
	return found
}

// facts are what the database knows of an intent for the row l: its key may have
// been reported while the application waited, and only what the link covers is
// validated.
func (i intent) facts(l mailbox.Linked) lint.Facts {
	f := lint.Facts{Blocked: i.Compromised, Shared: i.Elsewhere}
	for _, a := range l.Addresses() {
		if slices.Contains(l.Covered, a.Folded()) {
			f.Validated = append(f.Validated, string(a))
		}
	}
	return f
}
