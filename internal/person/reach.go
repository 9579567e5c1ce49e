package person

import (
	"slices"

	"petschaft/internal/fault"
)

// Verb is something that an API token may be allowed to do.
type Verb string

const (
	ReadAddresses            Verb = "addresses.read"
	WriteAddresses           Verb = "addresses.write"
	SendChallenges           Verb = "challenges.send"
	WriteImports             Verb = "imports.write"
	ReadClientCertificates   Verb = "client-certificates.read"
	RevokeClientCertificates Verb = "client-certificates.revoke"
	ReadOrders               Verb = "orders.read"
	WriteOrders              Verb = "orders.write"
	ReadCertificates         Verb = "certificates.read"
	RevokeCertificates       Verb = "certificates.revoke"
)

// DomainVerbs are the verbs that act on e-mail domains.
func DomainVerbs() []Verb {
	return []Verb{ReadAddresses, WriteAddresses, SendChallenges, WriteImports, ReadClientCertificates, RevokeClientCertificates}
}

// OrganisationVerbs are the verbs that act on organisations.
func OrganisationVerbs() []Verb {
	return []Verb{ReadOrders, WriteOrders, ReadCertificates, RevokeCertificates}
}

// Verbs are all verbs.
func Verbs() []Verb { return append(DomainVerbs(), OrganisationVerbs()...) }

// Reach is what an API token leaves of what its maker may: these e-mail domains
// and organisations, by number, and these verbs.
type Reach struct {
	Domains       []int64
	Organisations []int64
	Verbs         []Verb
}

// ErrScope is that a token was not made for what is wanted with it.
var ErrScope = fault.New(fault.Denied, "token.scope")

// Can tells whether the actor may use v at all: a person in a session may, a
// token only where it was made for it.
func (a Actor) Can(v Verb) error {
	if a.Reach == nil || slices.Contains(a.Reach.Verbs, v) {
		return nil
	}
	return ErrScope.With("verb", string(v))
}
