package issuance

import (
	"slices"

	"petschaft/internal/lint"
)

// Why a certificate was not signed that would have broken a rule: who can do
// something about it. Which rules they were is kept for the registration office.
const (
	RulesKey    = "order.failed.rules_key"
	RulesName   = "order.failed.rules_name"
	RulesOffice = "order.failed.rules_office"
)

// Rules is the reason for who applied. A weak key breaks other rules, too, so it
// comes first.
func Rules(found []lint.Finding) string {
	by := func(w lint.Whom) bool {
		return slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Whom == w })
	}
	switch {
	case by(lint.ByKey):
		return RulesKey
	case by(lint.ByName):
		return RulesName
	}
	return RulesOffice
}
