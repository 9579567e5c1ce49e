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

const (
	MailPersonal   ProfileID = "mail-personal"   // a person's address
	MailFunctional ProfileID = "mail-functional" // an address of an office
	TLSServer      ProfileID = "tls-server"      // names of servers
)

// Profile is what a certificate of one kind looks like: everything in it that
// does not come from its request. Values are those of the S/MIME baseline
// requirements 7.1.2.3 in their strict form and of the TLS baseline requirements
// 7.1.2.7, under a private policy: reserved policy identifiers would claim an
// audit that nobody made, so there are none.
type Profile struct {
	ID        ProfileID
	Authority string             // which issuing authority signs it
	Subject   []subjectAttribute // in this order; an empty value is left out
	Purposes  []x509.ExtKeyUsage
	UsageRSA  x509.KeyUsage
	UsageEC   x509.KeyUsage
	Days      int  // of 86,400 seconds, unless the request says how many
	Servers   bool // it names servers and not mailboxes

	mostDays  func(at time.Time) int // what a certificate issued at at may have at most
	noKeyName bool                   // without a subject key identifier (TLS BR 7.1.2.7.6)
}

// subjectAttribute is one attribute of a Subject and where its value comes from.
type subjectAttribute struct {
	oid      asn1.ObjectIdentifier
	value    func(Request) string
	tag      int  // IA5String where it has to be, else 0: Printable or UTF8String
	longest  int  // characters (RFC 5280, appendix A)
	omitLong bool // left out when longer, else the request is refused
}

var (
	subjectCommonName = subjectAttribute{oid: oidCommonName, value: func(r Request) string { return r.CommonName }, longest: 64, omitLong: true}
	subjectGivenName  = subjectAttribute{oid: oidGivenName, value: func(r Request) string { return r.GivenName }, longest: 64}
	subjectSurname    = subjectAttribute{oid: oidSurname, value: func(r Request) string { return r.Surname }, longest: 64}
	subjectServer     = subjectAttribute{oid: oidCommonName, value: Request.ServerName, longest: 64, omitLong: true}
	subjectEmail      = subjectAttribute{oid: oidEmail, value: primaryEmail, longest: 255, tag: asn1.TagIA5String}
)

func primaryEmail(r Request) string {
	if len(r.Emails) == 0 {
		return ""
	}
	return r.Emails[0]
}

var profiles = []Profile{
	{
		ID:        MailPersonal,
		Authority: "mail",
		Subject:   []subjectAttribute{subjectCommonName, subjectGivenName, subjectSurname},
		Purposes:  []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		UsageRSA:  x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		UsageEC:   x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
		Days:      730,
		mostDays:  mostMailDays,
	},
	{
		ID:        MailFunctional,
		Authority: "mail",
		Subject:   []subjectAttribute{subjectEmail},
		Purposes:  []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		UsageRSA:  x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		UsageEC:   x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
		Days:      730,
		mostDays:  mostMailDays,
	},
	{
		ID:        TLSServer,
		Authority: "tls",
		Subject:   []subjectAttribute{subjectServer},
		Purposes:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		UsageRSA:  x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		UsageEC:   x509.KeyUsageDigitalSignature,
		Days:      90,
		Servers:   true,
		mostDays:  MostTLSDays,
		noKeyName: true,
	},
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
