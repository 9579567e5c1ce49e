package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

const (
	rowsPath = "/email-domains/{domain}/addresses"
	rowPath  = rowsPath + "/{id}"
)

// InDomain is a domain in a path.
type InDomain struct {
	Domain string `path:"domain" example:"uni.example" doc:"The name of the e-mail domain."`
}

// OfRow is a row in a path.
type OfRow struct {
	InDomain
	ID int64 `path:"id" minimum:"1" doc:"The number of the row."`
}

func (a *API) addresses(h huma.API) {
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listAddresses", Method: http.MethodGet, Path: rowsPath, Tags: []string{"addresses"}, Summary: "Addresses of a domain",
			Description: "The rows of a domain, page by page. The header Link leads to the pages beside this one.",
		},
		verb: person.ReadAddresses, answers: Addresses{[]Address{exampleAddress}},
	}, a.listAddresses)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "addAddress", Method: http.MethodPost, Path: rowsPath, Tags: []string{"addresses"}, Summary: "Add an address",
			Description: "Makes an active row. It sends no mail.", DefaultStatus: http.StatusCreated,
		},
		verb: person.WriteAddresses, types: []string{jsonType}, fails: []Kind{denied, conflict},
		asks:    map[string]any{"kind": "personal", "name": "Lee, Alice", "primary": "alice.lee@uni.example", "aliases": []string{"alee@uni.example"}},
		answers: exampleAddress,
	}, a.addAddress)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "getAddress", Method: http.MethodGet, Path: rowPath, Tags: []string{"addresses"}, Summary: "One address",
			Description: "One row. Its ETag names the version of what can be changed of it, for If-Match.",
		},
		verb: person.ReadAddresses, answers: exampleAddress,
	}, a.getAddress)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "findAddresses", Method: http.MethodGet, Path: "/addresses", Tags: []string{"addresses"}, Summary: "Look an address up",
			Description: "The rows that have an address, as their primary one or as an alias, in all domains that the token reaches. Active ones first.",
		},
		verb: person.ReadAddresses, answers: Addresses{[]Address{exampleAddress}},
	}, a.findAddresses)
}

type listInput struct {
	InDomain
	Paged
	Status string `query:"status" enum:"none,open,confirmed,declined,expired,conflict,undeliverable,inactive" doc:"Only rows that stand there."`
	Q      string `query:"q" maxLength:"200" doc:"Only rows that have all these words in the name, the comment or the part of an address before the @; a word with an @ is the beginning of an address or, as @uni, of its domain. A thousand at most."`
	Sort   string `query:"sort" enum:"name,-name,primary,-primary,status,-status,end,-end,comment,-comment" default:"name" doc:"The order; - turns it round. What is empty comes last either way. end is that of the newest certificate."`
}

// view is what of a domain's rows is asked for.
func (in listInput) view() mailbox.View {
	by, desc := strings.CutPrefix(in.Sort, "-")
	return mailbox.View{
		Status: mailbox.Status(in.Status), Text: strings.TrimSpace(in.Q), Sort: mailbox.Sort(by), Desc: desc, Size: in.Limit, Cursor: in.Cursor,
	}
}

func (in listInput) query() url.Values {
	q := url.Values{}
	for name, v := range map[string]string{"status": in.Status, "q": in.Q, "sort": in.Sort} {
		if v != "" && (name != "sort" || v != "name") {
			q.Set(name, v)
		}
	}
	return q
}

type addressesAnswer struct {
	Link string `header:"Link" doc:"The pages beside this one: first, prev, next (RFC 8288)."`
	Body Addresses
}

func (a *API) listAddresses(ctx context.Context, by person.Actor, in *listInput) (*addressesAnswer, error) {
	d, err := a.Org.Domain(ctx, by, domainName(in.Domain))
	if err != nil {
		return nil, err
	}
	page, err := a.Mailbox.Rows(ctx, by, d, in.view())
	if err != nil {
		return nil, cursorFault(err, in.Cursor)
	}
	if page.Many {
		return nil, wrongParameter("q", "api.many_hits", "most", mailbox.MaxHits)
	}
	path := "/email-domains/" + string(d.Name) + "/addresses"
	return &addressesAnswer{a.links(path, in.Paged, in.query(), page.Prev, page.Next), rows(page.Rows)}, nil
}

// NewAddress is a row to be.
type NewAddress struct {
	Kind      string   `json:"kind" enum:"personal,functional" doc:"functional only in domains that are validated themselves."`
	Name      string   `json:"name" doc:"The display name: at most 1024 bytes."`
	Primary   string   `json:"primary" doc:"In the domain of the path; it never changes."`
	Aliases   []string `json:"aliases,omitempty" nullable:"true" maxItems:"2" doc:"In domains of the same contact group."`
	Applicant *string  `json:"applicant,omitempty" nullable:"true" doc:"Functional rows only: whose mail the challenge goes to."`
	Comment   *string  `json:"comment,omitempty" nullable:"true" doc:"At most 1024 bytes."`
}

func (n NewAddress) input() mailbox.Input {
	in := mailbox.Input{Kind: mailbox.Kind(n.Kind), Name: n.Name, Primary: n.Primary, Aliases: n.Aliases}
	if n.Applicant != nil {
		in.Applicant = *n.Applicant
	}
	if n.Comment != nil {
		in.Comment = *n.Comment
	}
	return in
}

type addInput struct {
	InDomain
	Body NewAddress
}

type addedAnswer struct {
	Location string `header:"Location" doc:"The address of the row."`
	ETag     string `header:"ETag" doc:"The version of the row."`
	Body     Address
}

func (a *API) addAddress(ctx context.Context, by person.Actor, in *addInput) (*addedAnswer, error) {
	r, err := a.Mailbox.Add(ctx, by, domainName(in.Domain), in.Body.input())
	if err != nil {
		return nil, err
	}
	return &addedAnswer{a.at("/email-domains/%s/addresses/%d", r.DomainName, r.ID), etag(r), address(r)}, nil
}

type addressAnswer struct {
	ETag string `header:"ETag" doc:"The version of the row."`
	Body Address
}

func (a *API) getAddress(ctx context.Context, by person.Actor, in *OfRow) (*addressAnswer, error) {
	r, err := a.Mailbox.Row(ctx, by, domainName(in.Domain), mailbox.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &addressAnswer{etag(r), address(r)}, nil
}

// ByEmail is an address that is looked for.
type ByEmail struct {
	Email string `query:"email" required:"true" example:"alice.lee@uni.example" doc:"The address, whole; upper and lower case do not matter."`
}

func (in ByEmail) read() (org.Address, error) {
	a, wrong := org.ParseAddress(in.Email)
	if wrong != "" {
		return "", wrongParameter("email", wrong)
	}
	return a, nil
}

type foundAnswer struct {
	Body Addresses
}

func (a *API) findAddresses(ctx context.Context, by person.Actor, in *ByEmail) (*foundAnswer, error) {
	email, err := in.read()
	if err != nil {
		return nil, err
	}
	found, err := a.Mailbox.Holding(ctx, by, email)
	if err != nil {
		return nil, err
	}
	return &foundAnswer{rows(found)}, nil
}
