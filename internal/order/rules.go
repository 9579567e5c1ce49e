package order

import (
	"petschaft/internal/issuance"
	"petschaft/internal/lint"
)

// refusedFor is the reason for the applicant where the facts forbid it.
func refusedFor(found []lint.Finding) string {
	if found[0].Whom == lint.ByKey {
		return found[0].ID
	}
	return issuance.RulesOffice
}

// saved is findings as they are stored, never null.
func saved(found []lint.Finding) []lint.Finding {
	if found == nil {
		return []lint.Finding{}
	}
	return found
}
