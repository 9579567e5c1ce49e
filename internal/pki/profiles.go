package pki

import "crypto/x509"

// The profiles of today. An authority says by them under which policy it
// issued.
const (
	MailIndividual ProfileID = "mail-individual"             // a person, for whom no organisation vouches
	MailSponsored  ProfileID = "mail-sponsored"              // a person, and the organisation that vouches for them
	MailMulti      ProfileID = "mail-sponsored-multipurpose" // the same, who signs in with it too
	MailMailbox    ProfileID = "mail-mailbox"                // a mailbox and nothing else
	TLSDomain      ProfileID = "tls-domain"                  // names of servers
)

// The profiles of intents from before there were policies: they name none.
const (
	MailPersonal   ProfileID = "mail-personal"
	MailFunctional ProfileID = "mail-functional"
	TLSServer      ProfileID = "tls-server"
)

const (
	dualRSA = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	dualEC  = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement
)

var (
	forMail      = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	forMailMulti = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageClientAuth}
	forServers   = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

	aPerson        = []subjectAttribute{subjectCommonName, subjectGivenName, subjectSurname}
	aPersonSponsor = []subjectAttribute{subjectCountry, subjectOrganisation, subjectIdentifier, subjectCommonName, subjectGivenName, subjectSurname}
	aMailbox       = []subjectAttribute{subjectEmail}
	aServer        = []subjectAttribute{subjectServer}
)

// profiles is the one place that says what certificates look like. Mail: S/MIME
// BR 7.1.2.3 and 7.1.4.2; servers: TLS BR 7.1.2.7.
var profiles = []Profile{
	{ID: MailIndividual, Book: "5.4.3", Authority: "mail", Subject: aPerson, Purposes: forMail, UsageRSA: dualRSA, UsageEC: dualEC, Days: 730, mostDays: mostMailDays, person: true},
	{ID: MailSponsored, Book: "5.3.3", Authority: "mail", Subject: aPersonSponsor, Purposes: forMail, UsageRSA: dualRSA, UsageEC: dualEC, Days: 730, mostDays: mostMailDays, person: true},
	{ID: MailMulti, Book: "5.3.2", Authority: "mail", Subject: aPersonSponsor, Purposes: forMailMulti, UsageRSA: dualRSA, UsageEC: dualEC, Days: 730, mostDays: mostMailDays, person: true},
	{ID: MailMailbox, Book: "5.1.3", Authority: "mail", Subject: aMailbox, Purposes: forMail, UsageRSA: dualRSA, UsageEC: dualEC, Days: 730, mostDays: mostMailDays},
	{ID: TLSDomain, Book: "2.1", Authority: "tls", Subject: aServer, Purposes: forServers, UsageRSA: dualRSA, UsageEC: x509.KeyUsageDigitalSignature, Days: 90, Servers: true, mostDays: MostTLSDays, noKeyName: true},

	{ID: MailPersonal, Book: "5.4.3", Silent: true, Authority: "mail", Subject: aPerson, Purposes: forMail, UsageRSA: dualRSA, UsageEC: dualEC, Days: 730, mostDays: mostMailDays},
	{ID: MailFunctional, Book: "5.1.3", Silent: true, Authority: "mail", Subject: aMailbox, Purposes: forMail, UsageRSA: dualRSA, UsageEC: dualEC, Days: 730, mostDays: mostMailDays},
	{ID: TLSServer, Book: "2.1", Silent: true, Authority: "tls", Subject: aServer, Purposes: forServers, UsageRSA: dualRSA, UsageEC: x509.KeyUsageDigitalSignature, Days: 90, Servers: true, mostDays: MostTLSDays, noKeyName: true},
}
