package pki

import "slices"

// Reason says why a certificate is revoked (RFC 5280, 5.3.1). The zero value is
// "unspecified", which is never written into a list.
type Reason int

const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	PrivilegeWithdrawn   Reason = 9
)

// ReasonFacts are a reason, its words and who may give it.
type ReasonFacts struct {
	Reason      Reason
	ID          string // message id of its name
	Help        string // message id of when it fits
	OfficerOnly bool   // it blames the holder (TLS BR 7.2.2)
}

var reasons = []ReasonFacts{
	{Unspecified, "pki.reason.unspecified", "pki.reason.unspecified_help", false},
	{KeyCompromise, "pki.reason.key_compromise", "pki.reason.key_compromise_help", false},
	{AffiliationChanged, "pki.reason.affiliation_changed", "pki.reason.affiliation_changed_help", false},
	{Superseded, "pki.reason.superseded", "pki.reason.superseded_help", false},
	{CessationOfOperation, "pki.reason.cessation_of_operation", "pki.reason.cessation_of_operation_help", false},
	{PrivilegeWithdrawn, "pki.reason.privilege_withdrawn", "pki.reason.privilege_withdrawn_help", true},
}

// Reasons are those one may give, in the order in which they are offered.
func Reasons(officer bool) []ReasonFacts {
	return slices.DeleteFunc(slices.Clone(reasons), func(f ReasonFacts) bool { return f.OfficerOnly && !officer })
}

// Facts of r; not every number is a reason.
func (r Reason) Facts() (ReasonFacts, bool) {
	i := slices.IndexFunc(reasons, func(f ReasonFacts) bool { return f.Reason == r })
	if i < 0 {
		return ReasonFacts{}, false
	}
	return reasons[i], true
}

// Allowed reports whether r may be given by an officer, or by anybody else.
func (r Reason) Allowed(officer bool) bool {
	f, known := r.Facts()
	return known && (officer || !f.OfficerOnly)
}
