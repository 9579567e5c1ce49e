package signin

import (
	"slices"
	"time"
)

// FreshFor is how long a sign-in counts as fresh, from when the person proved to the
// provider who they are.
const FreshFor = 15 * time.Minute

// proven is what an ID token says of how somebody proved who they are (OpenID Connect
// Core 1.0, 2).
type proven struct {
	At  time.Time // auth_time; zero where it does not say
	ACR string    // acr; "" where it does not say
}

// provenIn is the proof that an ID token which was verified tells of; what cannot be
// true at now counts as not said.
func provenIn(idToken string, now time.Time) proven {
	said := statementIn(idToken)
	var p proven
	if at := said.time("auth_time"); at.Unix() > 0 && !at.After(now.Add(skew)) {
		p.At = at
	}
	if acr := said.text("acr"); properSubject(acr) {
		p.ACR = acr
	}
	return p
}

// fresh tells whether a proof from at is young enough at now.
func fresh(at, now time.Time) bool { return now.Sub(at) < FreshFor }

// reached tells whether acr will do for a registration officer: any will where none is
// asked for.
func (c Config) reached(acr string) bool { return len(c.ACR) == 0 || slices.Contains(c.ACR, acr) }
