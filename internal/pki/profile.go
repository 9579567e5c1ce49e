package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"
)

// ProfileID names a profile. It is stored with an intent, so it never changes
// its meaning.
type ProfileID string

// Profile is what a certificate of one kind looks like: everything in it that
// does not come from its request. Values are those of the S/MIME baseline
// requirements 7.1.2.3 and of the TLS baseline requirements 7.1.2.7; which policy
// a certificate names follows from Book and the Policy of its authority.
type Profile struct {
	ID        ProfileID
	Book      string             // the end of its policy identifier: type and generation (S/MIME BR 7.1.6.1) or kind (TLS BR 7.1.6.1)
	Silent    bool               // it names no policy
	Authority string             // which issuing authority signs it
	Subject   []subjectAttribute // in this order; an empty value is left out
	Purposes  []x509.ExtKeyUsage
	UsageRSA  x509.KeyUsage
	UsageEC   x509.KeyUsage
	Days      int  // of 86,400 seconds, unless the request says how many
	Servers   bool // it names servers and not mailboxes

	mostDays  func(at time.Time) int // what a certificate issued at at may have at most
	person    bool                   // it needs a given name or a surname (S/MIME BR 7.1.4.2.5)
	noKeyName bool                   // without a subject key identifier (TLS BR 7.1.2.7.6)
}

// OwnAuthority tells whether name is one under which the portal's own authority signs,
// set up or not: profiles name those, and no authority outside may have one of them.
func OwnAuthority(name string) bool {
	return slices.ContainsFunc(profiles, func(p Profile) bool { return p.Authority == name })
}

// subjectAttribute is one attribute of a Subject and where its value comes from.
type subjectAttribute struct {
	oid      asn1.ObjectIdentifier
	value    func(Request) string
	tag      int  // IA5String where it has to be, else 0: Printable or UTF8String
	longest  int  // characters (RFC 5280, appendix A)
	omitLong bool // left out when longer, else the request is refused
	needed   bool // without it the request is refused
}

var (
	subjectCommonName = subjectAttribute{oid: oidCommonName, value: func(r Request) string { return r.CommonName }, longest: 64, omitLong: true}
	subjectGivenName  = subjectAttribute{oid: oidGivenName, value: func(r Request) string { return r.GivenName }, longest: 64}
	subjectSurname    = subjectAttribute{oid: oidSurname, value: func(r Request) string { return r.Surname }, longest: 64}
	subjectServer     = subjectAttribute{oid: oidCommonName, value: Request.ServerName, longest: 64, omitLong: true}
	subjectEmail      = subjectAttribute{oid: oidEmail, value: primaryEmail, longest: 255, tag: asn1.TagIA5String, needed: true}

	subjectCountry      = subjectAttribute{oid: oidCountry, value: func(r Request) string { return r.Country }, longest: 2, tag: asn1.TagPrintableString}
	subjectOrganisation = subjectAttribute{oid: oidOrg, value: func(r Request) string { return r.Organisation }, longest: 64, needed: true}
	subjectIdentifier   = subjectAttribute{oid: oidOrgID, value: func(r Request) string { return r.Identifier }, longest: 255, needed: true}
)

func primaryEmail(r Request) string {
	if len(r.Emails) == 0 {
		return ""
	}
	return r.Emails[0]
}

// mostMailDays is the longest life of a mail certificate (S/MIME BR 6.3.2).
func mostMailDays(time.Time) int { return 825 }

// Profiles are all of them.
func Profiles() []Profile { return slices.Clone(profiles) }

// Profile returns the profile called id.
func (id ProfileID) Profile() (Profile, bool) {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.ID == id })
	if i < 0 {
		return Profile{}, false
	}
	return profiles[i], true
}

func (p Profile) usage(k Key) x509.KeyUsage {
	if k.isRSA() {
		return p.UsageRSA
	}
	return p.UsageEC
}

const day = 24 * time.Hour

// lastSecond is the inclusive end of days that begin at from (S/MIME BR 6.3.2:
// any fraction of a day counts as a day).
func lastSecond(from time.Time, days int) time.Time {
	return from.Add(time.Duration(days)*day - time.Second)
}

// backdated is how far before now a certificate begins, for clocks that are
// behind.
const backdated = time.Hour

// NotBefore is when a certificate issued at now begins to be valid.
func NotBefore(now time.Time) time.Time { return now.UTC().Add(-backdated).Truncate(time.Second) }
