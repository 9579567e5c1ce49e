package order

import (
	"slices"
	"strings"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/pki"
)

// Weight is what a check means for an order.
type Weight int

const (
	Fine Weight = iota // nothing to see
	Note               // told to who orders and who decides; stops nothing
	Hint               // a person has to look, whatever rule the organisation has
	Wait               // not yet
	Stop               // never like this
)

// Code is what a check found; its message is called like it.
type Code string

// The codes, by what was looked at.
const (
	NameOwn         Code = "serverorder.check.own"
	NameUnvalidated Code = "serverorder.check.unvalidated"
	NameWildcard    Code = "serverorder.names.wildcard" // the organisation's name covers none
	NameForeign     Code = "serverorder.names.foreign"

	ProductFits     Code = "serverorder.check.product"
	ProductNames    Code = "serverorder.names.many"
	ProductWildcard Code = "serverorder.names.wildcard_product"
	ProductKey      Code = "serverorder.key.product"

	KeyFine        Code = "serverorder.check.key"
	KeyElsewhere   Code = "serverorder.check.elsewhere"
	KeyCompromised Code = "order.key.compromised"

	TwinOrder       Code = "serverorder.check.twin_order"
	TwinCertificate Code = "serverorder.check.twin_certificate"

	ByComment Code = "serverorder.check.comment"
	ByOfficer Code = "serverorder.check.officer"
)

// Check is one thing that was looked at; Args are the blanks of its message.
type Check struct {
	Weight Weight
	Code   Code
	Args   []any
	Twin   string           // of TwinOrder and TwinCertificate: the reference number
	Name   org.ServerNameID // of a name that is not validated: the one that decides
}

// Checks are all of an order, in the order in which they are read.
type Checks []Check

func (c *Checks) add(w Weight, code Code, args ...any) {
	*c = append(*c, Check{Weight: w, Code: code, Args: args})
}

// worst is the heaviest of them.
func (c Checks) worst() Weight {
	w := Fine
	for _, x := range c {
		w = max(w, x.Weight)
	}
	return w
}

// conflict says what stands against issuing, nil when nothing does.
func (c Checks) conflict() error {
	for _, w := range []Weight{Stop, Wait} {
		if i := slices.IndexFunc(c, func(x Check) bool { return x.Weight == w }); i >= 0 {
			return fault.New(fault.Conflict, string(c[i].Code), c[i].Args...)
		}
	}
	return nil
}

// facts are what checks look at.
type facts struct {
	names       []string
	key         pki.Key
	csr         []byte // the request as it came, for the same key; empty where it was not kept
	comment     string
	byOfficer   bool
	product     Product
	owned       []org.ServerName
	compromised bool     // the key, by a revocation
	elsewhere   bool     // somebody else has a certificate for the key
	self        ServerID // the order itself, 0 for a new one
	replaces    *cert.ID // the certificate that it renews
	twins       []twin
}

// checks judges an order. It is asked when it is submitted, before every
// decision, before each call of an authority, and when something came of it.
func (f facts) checks(now time.Time) Checks {
	var c Checks
	for _, n := range f.names {
		verdict, by := org.Judge(f.owned, n, now)
		switch n = cert.Spelled(n); verdict {
		case org.Own:
			c.add(Fine, NameOwn, "name", n, "domain", by.Name.Unicode(), "by", by.By, "method", by.Method, "until", *by.ProvenUntil())
		case org.Unvalidated:
			c.add(Wait, NameUnvalidated, "name", n, "domain", by.Name.Unicode())
			c[len(c)-1].Name = by.ID
		case org.NoWildcard:
			c.add(Stop, NameWildcard, "name", n, "domain", by.Name.Unicode())
		default:
			c.add(Stop, NameForeign, "name", n)
		}
	}
	f.checkProduct(&c)
	switch {
	case f.compromised:
		c.add(Stop, KeyCompromised)
	case f.elsewhere:
		c.add(Hint, KeyElsewhere)
	default:
		c.add(Fine, KeyFine, "key", f.key.Algorithm)
	}
	for _, t := range f.twins {
		c.add(Note, t.code(), "reference", t.Reference)
		c[len(c)-1].Twin = t.Reference
	}
	if f.comment != "" {
		c.add(Hint, ByComment)
	}
	if f.byOfficer {
		c.add(Hint, ByOfficer)
	}
	return c
}

func (f facts) checkProduct(c *Checks) {
	before := len(*c)
	if len(f.names) > f.product.MostNames {
		c.add(Stop, ProductNames, "n", f.product.MostNames)
	}
	for _, n := range f.names {
		if strings.HasPrefix(n, "*.") && !f.product.Wildcard {
			c.add(Stop, ProductWildcard, "name", cert.Spelled(n))
		}
	}
	if !slices.Contains(f.product.Keys, f.key.Algorithm) {
		c.add(Stop, ProductKey, "key", f.key.Algorithm, "allowed", strings.Join(f.product.Keys, ", "))
	}
	if len(*c) == before {
		c.add(Fine, ProductFits, "n", len(f.names), "most", f.product.MostNames)
	}
}

// fields says beside which field of the form each Stop belongs.
func (c Checks) fields(bad *fault.Fields) {
	for _, x := range c {
		field := "names"
		if x.Code == ProductKey || x.Code == KeyCompromised {
			field = "csr"
		}
		if x.Weight == Stop {
			bad.Add(field, string(x.Code), x.Args...)
		}
	}
}

// place is where an order with such checks goes on from its submission, its
// correction, or from waiting.
func (c Checks) place(auto bool) State {
	switch {
	case c.worst() >= Wait:
		return Waiting
	case auto && c.worst() < Hint:
		return Approved
	}
	return Received
}
