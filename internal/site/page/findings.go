package page

import (
	"context"

	"petschaft/internal/lint"
	"petschaft/web/view"
)

// ruleLabels are the names of rules as people read them.
var ruleLabels = map[string]string{
	"version": "lint.label.version", "serial": "lint.label.serial", "signature": "lint.label.signature", "beginning": "lint.label.beginning",
	"validity": "lint.label.validity", "issuer-name": "lint.label.issuer_name", "issuer-life": "lint.label.issuer_life", "key": "lint.label.key",
	"key-issuer": "lint.label.key_issuer", "key-blocked": "lint.label.key_blocked", "key-shared": "lint.label.key_shared",
	"subject-attributes": "lint.label.subject_attributes", "subject-needed": "lint.label.subject_needed", "subject-text": "lint.label.subject_text",
	"subject-mailbox": "lint.label.subject_mailbox", "subject-server": "lint.label.subject_server",
	"organisation-identifier": "lint.label.organisation_identifier", "country": "lint.label.country", "names-kind": "lint.label.names_kind",
	"names-form": "lint.label.names_form", "names-given": "lint.label.names_given", "names-validated": "lint.label.names_validated",
	"names-wildcard": "lint.label.names_wildcard", "names-critical": "lint.label.names_critical", "usage": "lint.label.usage",
	"purposes": "lint.label.purposes", "purposes-issuer": "lint.label.purposes_issuer", "authority": "lint.label.authority",
	"policy": "lint.label.policy", "list-address": "lint.label.list_address", "issuer-address": "lint.label.issuer_address",
	"key-identifier": "lint.label.key_identifier", "issuer-identifier": "lint.label.issuer_identifier", "extensions": "lint.label.extensions",
	"readable": "lint.label.readable",
}

// RuleLabel names a rule; those of zlint by their own name.
func RuleLabel(ctx context.Context, rule string) string {
	if id, ok := ruleLabels[rule]; ok {
		return T(ctx, id)
	}
	return rule
}

// FindingWords say which rule is broken, and how.
func FindingWords(ctx context.Context, f lint.Finding) string {
	return RuleLabel(ctx, f.Rule) + ": " + T(ctx, f.ID, f.Args...)
}

// Findings tell each broken rule.
func Findings(ctx context.Context, found []lint.Finding) (ms []view.CheckModel) {
	for _, f := range found {
		ms = append(ms, view.CheckModel{State: view.StateModel{Kind: view.Bad, Word: T(ctx, "lint.broken")}, Text: FindingWords(ctx, f)})
	}
	return ms
}
