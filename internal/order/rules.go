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
