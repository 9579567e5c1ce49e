package issuance

import (
	"maps"
	"slices"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// ErrNoAuthority is that no authority of that name, or for that purpose, is set up.
var ErrNoAuthority = fault.New(fault.Unavailable, "order.no_authority")

// Registered is an authority with what is known of it.
type Registered struct {
	Authority Authority
	Mail      bool // it issues for mailboxes
	Servers   bool // it issues for servers
}

// Registry are the authorities by name, as certificates and intents name them. Which
// of the names are the portal's own says pki.OwnAuthority: those answer at once, and
// their certificates are judged to the letter.
type Registry map[string]Registered

// Own is a registry of the portal's own authority, under the names that its
// profiles have.
func Own(a Authority) Registry {
	return Registry{
		"mail": {Authority: a, Mail: true},
		"tls":  {Authority: a, Servers: true},
	}
}

// With is r and more, which has the last word.
func (r Registry) With(more Registry) Registry {
	all := maps.Clone(r)
	maps.Copy(all, more)
	return all
}

// Choose is the name of the authority that certificates of a profile come from:
// the wished one, or where none is wished the profile's own.
func (r Registry) Choose(wished string, id pki.ProfileID) (string, error) {
	p, _ := id.Profile()
	if wished == "" {
		wished = p.Authority
	}
	found, ok := r[wished]
	if !ok || p.Servers && !found.Servers || !p.Servers && !found.Mail {
		return "", ErrNoAuthority
	}
	return wished, nil
}

// ForMail are the names of the authorities for mailboxes, in their order.
func (r Registry) ForMail() []string { return r.names(func(x Registered) bool { return x.Mail }) }

// ForServers are the names of the authorities for servers, in their order.
func (r Registry) ForServers() []string {
	return r.names(func(x Registered) bool { return x.Servers })
}

func (r Registry) names(which func(Registered) bool) (names []string) {
	for name, x := range r {
		if which(x) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
