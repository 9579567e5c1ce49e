package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// EmailDomain is a domain whose addresses somebody looks after.
type EmailDomain struct {
	Name       string     `json:"name" doc:"As it stands in addresses: lower case, A-labels."`
	Unicode    string     `json:"unicode" doc:"For the eye."`
	Group      string     `json:"group" doc:"The contact group that looks after it."`
	Validation string     `json:"validation" enum:"domain,mailbox" doc:"Whether the domain is validated itself or each address by its challenge."`
	Until      *time.Time `json:"validated_until" doc:"Until when the domain's own validation counts."`
	Rows       Counts     `json:"rows" doc:"How many rows there are in which state."`
}

// Counts are rows by state.
type Counts struct {
	None          int64 `json:"none" doc:"Nobody is asked: no challenge was sent, or it was withdrawn."`
	Open          int64 `json:"open" doc:"A round waits for confirmations."`
	Confirmed     int64 `json:"confirmed" doc:"Linked to an account."`
	Declined      int64 `json:"declined" doc:"Somebody said of an address that it is not theirs."`
	Expired       int64 `json:"expired" doc:"Not all addresses were confirmed in time, and nobody is linked."`
	Conflict      int64 `json:"conflict" doc:"Two accounts wanted to confirm."`
	Undeliverable int64 `json:"undeliverable" doc:"A mail of the newest round could not be delivered."`
	Inactive      int64 `json:"inactive" doc:"Out of use."`
}

// EmailDomains are all that the token reaches.
type EmailDomains struct {
	Domains []EmailDomain `json:"email_domains" doc:"By name."`
}

func emailDomain(d org.EmailDomain, n map[mailbox.Status]int64) EmailDomain {
	return EmailDomain{
		Name: string(d.Name), Unicode: d.Name.Unicode(), Group: d.GroupName, Validation: string(d.Validation), Until: utcOr(d.ProofUntil),
		Rows: Counts{
			None: n[mailbox.None], Open: n[mailbox.Open], Confirmed: n[mailbox.Confirmed],
			Declined: n[mailbox.RowDeclined], Expired: n[mailbox.RowExpired], Conflict: n[mailbox.RowConflict],
			Undeliverable: n[mailbox.Undeliverable], Inactive: n[mailbox.Inactive],
		},
	}
}

func (a *API) emailDomains(h huma.API) {
	until := time.Date(2028, 1, 31, 0, 0, 0, 0, time.UTC)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listEmailDomains", Method: http.MethodGet, Path: "/email-domains", Tags: []string{"addresses"},
			Summary: "E-mail domains", Description: "The e-mail domains that the token reaches, by name.",
		},
		verb: person.ReadAddresses,
		answers: EmailDomains{[]EmailDomain{{
			Name: "uni.example", Unicode: "uni.example", Group: "Network team", Validation: "domain", Until: &until, Rows: Counts{Open: 3, Confirmed: 1204},
		}}},
	}, a.listEmailDomains)
}

type emailDomainsAnswer struct {
	Body EmailDomains
}

func (a *API) listEmailDomains(ctx context.Context, by person.Actor, _ *struct{}) (*emailDomainsAnswer, error) {
	all, err := a.Org.Domains(ctx, by)
	if err != nil {
		return nil, err
	}
	ids := make([]org.ID, len(all))
	for i, d := range all {
		ids[i] = d.ID
	}
	counts, err := a.Mailbox.Tallies(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := &emailDomainsAnswer{EmailDomains{make([]EmailDomain, 0, len(all))}}
	for _, d := range all {
		out.Body.Domains = append(out.Body.Domains, emailDomain(d, counts[d.ID].Of))
	}
	return out, nil
}
