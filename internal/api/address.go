package api

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
)

// Address is a row as its readers see it.
type Address struct {
	ID        int64      `json:"id" doc:"The number of the row."`
	Domain    string     `json:"email_domain" doc:"The domain that the row belongs to."`
	Kind      string     `json:"kind" enum:"personal,functional" doc:"Whether one person uses the mailbox, or a function that somebody answers for."`
	Name      string     `json:"name" doc:"The display name; it never enters a certificate."`
	Primary   string     `json:"primary" doc:"The primary address; it never changes."`
	Aliases   []string   `json:"aliases" maxItems:"2" doc:"Further addresses of the same mailbox."`
	Applicant *string    `json:"applicant" doc:"Functional rows: whose mail the challenge goes to."`
	Comment   string     `json:"comment" doc:"For the contacts of the domain."`
	Active    bool       `json:"active" doc:"Whether challenges can be sent and certificates applied for."`
	Status    string     `json:"status" enum:"none,open,confirmed,declined,expired,conflict,undeliverable,inactive" doc:"Where the row stands. More values may come."`
	Linked    *string    `json:"linked_to" doc:"The name of the account that confirmed every challenge."`
	Since     *time.Time `json:"linked_since" doc:"Since when."`
	Suspended bool       `json:"suspended" doc:"The aliases changed since: nobody can apply until all challenges are confirmed again."`
	Doubtful  bool       `json:"doubtful" doc:"The linked person's verified e-mail address is none of the row's; a contact may have a look."`
	Ends      *time.Time `json:"certificate_ends" doc:"The end of the newest certificate that is not revoked."`
	Created   time.Time  `json:"created" doc:"When it was added."`
	Changed   time.Time  `json:"changed" doc:"When somebody changed it last."`
}

// Addresses are some of them.
type Addresses struct {
	Addresses []Address `json:"addresses" doc:"In the order that was asked for."`
}

func address(r mailbox.Row) Address {
	return Address{
		ID: int64(r.ID), Domain: string(r.DomainName), Kind: string(r.Kind), Name: r.Name, Primary: string(r.Primary), Aliases: org.Plain(r.Aliases),
		Applicant: orNull(string(r.Applicant)), Comment: r.Comment, Active: r.Active, Status: string(r.Status), Linked: r.LinkedName,
		Since: utcOr(r.LinkedSince), Suspended: r.Suspended != nil && *r.Suspended, Doubtful: r.Doubtful, Ends: utcOr(r.CertificateEnd),
		Created: utc(r.Created), Changed: utc(r.Changed),
	}
}

func rows(all []mailbox.Row) Addresses {
	out := Addresses{make([]Address, 0, len(all))}
	for _, r := range all {
		out.Addresses = append(out.Addresses, address(r))
	}
	return out
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// etag names the version of what somebody can change of a row.
func etag(r mailbox.Row) string { return fmt.Sprintf(`"v%d"`, r.Version) }

// versions are those that a header If-Match names (RFC 9110, 13.1.1); nil when
// any will do.
func versions(match string) (mailbox.Versions, error) {
	if match == "" || match == "*" {
		return nil, nil
	}
	vs := mailbox.Versions{}
	for tag := range strings.SplitSeq(match, ",") {
		tag = strings.TrimSpace(tag)
		weak := strings.HasPrefix(tag, "W/")
		tag = strings.TrimPrefix(tag, "W/")
		if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
			return nil, errMatchForm
		}
		n, err := strconv.ParseInt(strings.TrimPrefix(tag[1:len(tag)-1], "v"), 10, 64)
		if !weak && err == nil { // what never was a version matches none
			vs = append(vs, n)
		}
	}
	return vs, nil
}

// domainName is a domain as the subjects know it, however it is written.
func domainName(s string) string {
	if d, ok := org.ParseDomain(s); ok {
		return string(d)
	}
	return s
}

var exampleAddress = Address{
	ID: 4711, Domain: "uni.example", Kind: "personal", Name: "Lee, Alice", Primary: "alice.lee@uni.example", Aliases: []string{"alee@uni.example"},
	Active: true, Status: "open", Created: time.Date(2027, 3, 14, 9, 26, 53, 0, time.UTC), Changed: time.Date(2027, 3, 14, 9, 26, 53, 0, time.UTC),
}
