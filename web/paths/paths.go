// Package paths holds the address of every page, below the portal's own: pages
// that lead to others, mails and the API ask it, so that a page that moves moves
// here. It knows which parts an address has and escapes them; it never asks who
// may see what is there. The patterns that requests are matched with are the
// site's. Steps of one page, such as ".../edit", stand with that page.
package paths

import (
	"net/url"
	"strconv"
)

// Pages that are there once.
const (
	SignIn    = "/signin"
	SignedIn  = "/signin/callback" // the provider sends browsers there
	SignOut   = "/signout"
	SignedOut = "/signed-out" // and there

	BackChannelLogout = "/signin/backchannel-logout" // the provider says there whose sessions ended

	Fresh = "/fresh" // why somebody signs in once more

	Language = "/language"
	Kept     = "/kept/" // a form that came back; its token follows
	Link     = "/c/"    // where the mail of a challenge leads; its token follows

	Help           = "/help"
	HelpInstall    = "/help/install"
	HelpSigning    = "/help/signing"
	HelpKeys       = "/help/keys"
	Imprint        = "/imprint"
	Privacy        = "/privacy"
	Accessibility  = "/accessibility"
	Terms          = "/terms"
	Authorities    = "/pki"
	AuthorityFiles = "/pki/" // begins the address of each
	API            = "/api"
	Report         = "/report" // a certificate, by anybody
	KeyProof       = "/report/key"
	ProveKey       = "/report/key/proof"
	SecurityText   = "/.well-known/security.txt" // RFC 9116

	Sessions           = "/sessions"
	EndOtherSessions   = "/sessions/end-others"
	Tokens             = "/tokens"
	NewToken           = "/tokens/new"
	EmailDomains       = "/email-domains"
	Digest             = "/email-domains/digest"
	ClientCertificates = "/client-certificates"
	OwnKeys            = "/client-certificates/keys/" // a key's fingerprint follows
	Certificates       = "/certificates"              // of servers
	CertificatesEnding = "/certificates?which=ending"
	Orders             = "/orders"
	NewOrder           = "/orders/new"
	Organisations      = "/organisations"
	Handovers          = "/organisations/handovers"

	Office              = "/office"
	OfficeSearch        = "/office/search"
	OfficeDomains       = "/office/domains"
	NewEmailDomain      = "/office/domains/new"
	OfficeGroups        = "/office/groups"
	NewGroup            = "/office/groups/new"
	OfficeOrganisations = "/office/organisations"
	NewOrganisation     = "/office/organisations/new"
	OfficeForecast      = "/office/forecast"
	OfficePeople        = "/office/people"
	OfficeAbsent        = "/office/absent"
	OfficeKeys          = "/office/keys"
	OfficeReports       = "/office/reports"
	OfficeTokens        = "/office/tokens"
	OfficeCertificates  = "/office/certificates"
	Unexpected          = "/office/certificates/unexpected"
	OfficeServers       = "/office/server-certificates"
	OfficeApplications  = "/office/applications"
	OfficeWaits         = "/office/waits"
	OfficeOrders        = "/office/orders"
	OfficeProducts      = "/office/products"
	OfficeEarlier       = "/office/earlier"
	OfficeMail          = "/office/mail"
	OfficeAudit         = "/office/audit"
	OfficeAuditExport   = "/office/audit/export"
)

// SignedOutTo leads to the page after a sign-out, whose button leads to next.
func SignedOutTo(next string) string { return SignedOut + "?next=" + url.QueryEscape(next) }

// SignInTo leads to next after signing in.
func SignInTo(next string) string { return SignIn + "?next=" + url.QueryEscape(next) }

// SignInAgain leads to next after who is signed in has signed in once more, for demand.
func SignInAgain(demand, next string) string {
	return SignIn + "?again=" + demand + "&next=" + url.QueryEscape(next)
}

// FreshFor says why somebody signs in once more before the form at next.
func FreshFor(next string) string { return Fresh + "?next=" + url.QueryEscape(next) }

// FreshWithout is FreshFor of a form that was not kept and stands on the page next.
func FreshWithout(next string) string { return FreshFor(next) + "&without" }

// KeptForm shows a form that was kept.
func KeptForm(token string) string { return Kept + token }

// Challenge is the page that asks.
func Challenge[N ~int64](n N) string { return "/challenges" + number(n) }

// EmailDomain is the table of a domain's rows.
func EmailDomain[D ~string](domain D) string { return EmailDomains + word(domain) }

// Row is one row of a domain.
func Row[D ~string, N ~int64](domain D, n N) string { return EmailDomain(domain) + "/rows" + number(n) }

// Undeliverable is where a mail of a row is said to have come back.
func Undeliverable[D ~string, N, C ~int64](domain D, row N, challenge C) string {
	return Row(domain, row) + "/challenges" + number(challenge) + "/undeliverable"
}

// StartRecipe is where a guided procedure on a row begins.
func StartRecipe[D ~string, N ~int64, K ~string](domain D, row N, kind K) string {
	return Row(domain, row) + "/recipes" + word(kind)
}

// Imports are a domain's imports.
func Imports[D ~string](domain D) string { return EmailDomain(domain) + "/imports" }

// Import is one of them.
func Import[D ~string, N ~int64](domain D, n N) string { return Imports(domain) + number(n) }

// Bulks is what was done for many rows of a domain.
func Bulks[D ~string](domain D) string { return EmailDomain(domain) + "/bulk" }

// Bulk is one step for many rows.
func Bulk[D ~string, N ~int64](domain D, n N) string { return Bulks(domain) + number(n) }

// Recipe is a guided procedure.
func Recipe[N ~int64](n N) string { return "/recipes" + number(n) }

// ClientCertificate is a certificate of a person.
func ClientCertificate[N ~int64](n N) string { return ClientCertificates + number(n) }

// UnexpectedFile is the file of what nobody asked for.
func UnexpectedFile[N ~int64](n N) string { return Unexpected + number(n) + "/certificate.pem" }

// RevokeUnexpected is where an officer revokes what nobody asked for.
func RevokeUnexpected[N ~int64](n N) string { return Unexpected + number(n) + "/revoke" }

// Application is an application for one.
func Application[N ~int64](n N) string { return ClientCertificates + "/applications" + number(n) }

// Apply is where one applies for the addresses of a row.
func Apply[N ~int64](row N) string { return ClientCertificates + "/apply" + number(row) }

// Certificate is a certificate of a server.
func Certificate(reference string) string { return Certificates + word(reference) }

// CertificatesOf are those of one organisation.
func CertificatesOf[N ~int64](organisation N) string {
	return Certificates + "?organisation=" + number(organisation)[1:]
}

// Order is an order for a server's certificate.
func Order(reference string) string { return Orders + word(reference) }

// OrdersOf are those of one organisation.
func OrdersOf[N ~int64](organisation N) string {
	return Orders + "?organisation=" + number(organisation)[1:]
}

// Organisation is the page for its technical contact.
func Organisation[N ~int64](n N) string { return Organisations + number(n) }

// Handover is one handover of an organisation.
func Handover[N ~int64](n N) string { return "/handovers" + number(n) }

// Token is an API token.
func Token[N ~int64](n N) string { return Tokens + number(n) }

// Session is a login, which can be ended below it.
func Session[N ~int64](n N) string { return Sessions + number(n) }

// Authority is where the files of an authority are; their endings follow.
func Authority(name string) string { return Authorities + word(name) }

// APIProblem tells about a kind of problem.
func APIProblem(name string) string { return API + "/problems" + word(name) }

// OfficeDomain is an e-mail domain as officers see it.
func OfficeDomain[N ~int64](n N) string { return OfficeDomains + number(n) }

// OfficeGroup is a contact group.
func OfficeGroup[N ~int64](n N) string { return OfficeGroups + number(n) }

// OfficeOrganisation is an organisation as officers see it.
func OfficeOrganisation[N ~int64](n N) string { return OfficeOrganisations + number(n) }

// OfficeName is one of its server names.
func OfficeName[O, N ~int64](organisation O, n N) string {
	return OfficeOrganisation(organisation) + "/names" + number(n)
}

// Reassignment is where an organisation gets another technical contact.
func Reassignment[N ~int64](organisation N) string {
	return OfficeOrganisation(organisation) + "/reassignment"
}

// OfficePerson is an account.
func OfficePerson[N ~int64](n N) string { return OfficePeople + number(n) }

// OfficeApplication is a failed application, which can be tried again below it.
func OfficeApplication[N ~int64](n N) string { return OfficeApplications + number(n) }

// OfficeOrder is an order as officers see it.
func OfficeOrder(reference string) string { return OfficeOrders + word(reference) }

// OfficeProduct is a product, which is switched below it.
func OfficeProduct(code string) string { return OfficeProducts + word(code) }

// OfficeEarlierImport is an upload of certificates from before the portal.
func OfficeEarlierImport[N ~int64](n N) string { return OfficeEarlier + number(n) }

// OfficeLetter is a mail that failed, OfficeChallenge one with a challenge and
// OfficeJob any other work: each can be tried again below it.
func OfficeLetter[N ~int64](n N) string { return OfficeMail + "/letters" + number(n) }

// OfficeChallenge is a mail with a challenge that failed; see OfficeLetter.
func OfficeChallenge[N ~int64](n N) string { return OfficeMail + "/challenges" + number(n) }

// OfficeJob is work that was given up; see OfficeLetter.
func OfficeJob[N ~int64](n N) string { return OfficeMail + "/jobs" + number(n) }

// OfficeKey is a key, by the hexadecimal digest by which the portal knows it.
func OfficeKey(digest string) string { return OfficeKeys + word(digest) }

// OfficeReport is what somebody reported about a certificate.
func OfficeReport[N ~int64](n N) string { return OfficeReports + number(n) }

func number[N ~int64](n N) string { return "/" + strconv.FormatInt(int64(n), 10) }

func word[S ~string](s S) string { return "/" + url.PathEscape(string(s)) }
