// Package campus builds what tests find in a portal: people who have signed in,
// contact groups with their domains, organisations with their names, rows and
// certificates, and the books that most rooms stand on. It decides what a
// university of a test is made of, and by which word a fault is known; who plays
// which part there, and what must come of it, each room's tests say.
package campus

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// Issuer is the provider of those who were signed in without one.
const Issuer = "https://idp.example"

// Founder fills a portal, be it books on a database or a whole one.
type Founder struct {
	T       testing.TB
	DB      *postgres.DB
	People  *person.Book
	Org     *org.Book
	Officer person.Actor // who does what the registration office does
}

// Named are the claims of somebody with a name alone, which is the subject, too.
func Named(name string) person.Claims { return person.Claims{Subject: name, Name: name} }

// WithEmail are the claims of somebody whose address the provider vouches for.
func WithEmail(name, email string) person.Claims {
	c := Named(name)
	c.GivenName, c.FamilyName, _ = strings.Cut(name, " ")
	c.Email, c.EmailVerified = email, true
	return c
}

// SignIn makes the account of somebody.
func (f *Founder) SignIn(c person.Claims) person.Actor {
	f.T.Helper()
	if c.Issuer == "" {
		c.Issuer = Issuer
	}
	var a person.Account
	trial.Must(0, f.DB.Tx(f.T.Context(), func(tx pgx.Tx) (err error) {
		a, err = f.People.SignedIn(f.T.Context(), tx, c, audit.Who{})
		return err
	}))
	return person.Actor{Account: a.ID, Name: a.Label, Email: a.Email}
}

// SignInOfficer makes somebody whom registers open to, and the founder's officer
// the first of them.
func (f *Founder) SignInOfficer(c person.Claims) person.Actor {
	f.T.Helper()
	a := f.SignIn(c)
	a.Officer = true
	if !f.Officer.Officer {
		f.Officer = a
	}
	return a
}

// Group makes a contact group with its members.
func (f *Founder) Group(in org.GroupInput, members ...person.Actor) org.GroupID {
	f.T.Helper()
	g := trial.Must(f.Org.AddGroup(f.T.Context(), f.Officer, in))
	for _, m := range members {
		trial.Must(0, f.Org.AddMember(f.T.Context(), f.Officer, g, m.Account))
	}
	return g
}

// Proof is one of yesterday, good for months.
func (f *Founder) Proof() org.Proof {
	now := f.Org.Now()
	return org.Proof{Method: "DNS TXT", By: f.Officer.Name, From: now.Add(-trial.Day), Until: now.Add(300 * trial.Day)}
}

// Domain gives a group an e-mail domain, which is proven if it is validated as
// one.
func (f *Founder) Domain(name string, g org.GroupID, v org.Validation) org.ID {
	f.T.Helper()
	in := org.DomainInput{Name: name, Group: g, Validation: v}
	if v == org.ByDomain {
		in.Proof = f.Proof()
	}
	key := trial.Must(f.Org.AddDomain(f.T.Context(), f.Officer, in))
	return trial.Must(f.Org.Domain(f.T.Context(), f.Officer, string(key))).ID
}

// Organisation makes one with its technical contact.
func (f *Founder) Organisation(name string, contact person.Actor) org.OrganisationID {
	f.T.Helper()
	return trial.Must(f.Org.AddOrganisation(f.T.Context(), f.Officer, org.OrganisationInput{Name: name, Country: "DE", Contact: contact.Account}))
}

// ServerName gives an organisation a name that was validated yesterday.
func (f *Founder) ServerName(o org.OrganisationID, name string, wildcard bool) org.ServerNameID {
	f.T.Helper()
	id := trial.Must(f.Org.AddName(f.T.Context(), f.Officer, o, org.NameInput{Name: name}))
	proof := f.Proof()
	proof.Until = time.Time{} // as long as the rules let it
	trial.Must(0, f.Org.ValidateName(f.T.Context(), f.Officer, id, org.Check{Wildcard: wildcard, Proof: proof}))
	return id
}
