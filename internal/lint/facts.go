package lint

import (
	"slices"

	"petschaft/internal/pki"
)

// Facts are what no certificate tells: they are asked before one is made.
type Facts struct {
	Validated []string // the names that may be certified now
	Blocked   bool     // the key was reported as compromised
	Shared    bool     // somebody else has a certificate for the key
}

// Check holds a request against the facts.
func (f Facts) Check(r pki.Request) (found []Finding) {
	if f.Blocked {
		found = append(found, Finding{Rule: "key-blocked", Whom: ByKey, ID: "order.key.compromised"})
	}
	if f.Shared {
		found = append(found, Finding{Rule: "key-shared", Whom: ByKey, ID: "lint.key_shared"})
	}
	for _, n := range slices.Concat(r.Emails, r.DNS) {
		if !slices.Contains(f.Validated, n) {
			found = append(found, Finding{Rule: "names-validated", Whom: ByOffice, ID: "lint.names_validated", Args: []any{"name", n}})
		}
	}
	return found
}
