package order

// KnownColumns are for tests that ask what they cost.
func KnownColumns() string {
	return knownColumns(`s.organisation`, `s.product`, `sha256(s.spki)`) + `, ` + orderHasCertificate + ` as another`
}
