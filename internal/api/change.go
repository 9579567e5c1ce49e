package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// Change is a member of a merge patch (RFC 7396): not sent, null, or a value.
type Change[T any] struct {
	Sent  bool
	Null  bool
	Value T // the zero value for null
}

// UnmarshalJSON is called only for what is sent.
func (c *Change[T]) UnmarshalJSON(b []byte) error {
	c.Sent, c.Null = true, string(b) == "null"
	return json.Unmarshal(b, &c.Value)
}

// Schema is that of the value.
func (c Change[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// set is what an operation takes: nil for what stays.
func (c Change[T]) set() *T {
	if !c.Sent {
		return nil
	}
	return &c.Value
}

// AddressPatch is what of a row is to become different.
type AddressPatch struct {
	Kind      Change[string]   `json:"kind,omitempty" enum:"personal,functional" doc:"Only until the first challenge was sent."`
	Name      Change[string]   `json:"name,omitempty" doc:"The display name."`
	Aliases   Change[[]string] `json:"aliases,omitempty" nullable:"true" maxItems:"2" doc:"All aliases; null for none. Changing them ends open challenges and suspends the link."`
	Applicant Change[string]   `json:"applicant,omitempty" nullable:"true" doc:"Functional rows only; null for nobody. Changing it ends open challenges and the link."`
	Comment   Change[string]   `json:"comment,omitempty" nullable:"true" doc:"Null for none."`
	Active    Change[bool]     `json:"active,omitempty" doc:"false deactivates the row: open challenges end. true activates it."`
	Person    string           `json:"person,omitempty" enum:"same,other" doc:"Needed with a new name of an inactive, linked row: whether it is still the same person. other ends the link."`
}

// patch is what the operation takes. A merge patch of null takes a value away;
// kind, name and active are always there.
func (p AddressPatch) patch() (mailbox.Patch, error) {
	var bad fault.Fields
	for name, null := range map[string]bool{"kind": p.Kind.Null, "name": p.Name.Null, "active": p.Active.Null} {
		if null {
			bad.Add(name, "api.field.missing")
		}
	}
	out := mailbox.Patch{
		Name: p.Name.set(), Applicant: p.Applicant.set(), Comment: p.Comment.set(), Active: p.Active.set(), Person: mailbox.Person(p.Person),
	}
	if p.Kind.Sent {
		out.Kind = new(mailbox.Kind(p.Kind.Value))
	}
	if p.Aliases.Sent {
		out.Aliases = append([]string{}, p.Aliases.Value...)
	}
	return out, bad.Err()
}

// IfMatch is a condition on the version of a row.
type IfMatch struct {
	Match string `header:"If-Match" example:"\"v3\"" doc:"Only if the row still has one of these versions; without it, whichever it has."`
}

func (a *API) changeAddresses(h huma.API) {
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "changeAddress", Method: http.MethodPatch, Path: rowPath, Tags: []string{"addresses"}, Summary: "Change an address",
			Description: "A merge patch (RFC 7396) of the row, all or nothing. What is not sent stays; what is so already is no change.",
		},
		verb: person.WriteAddresses, types: []string{patchType, jsonType}, fails: []Kind{denied, conflict, precondition},
		asks: map[string]any{"comment": "until 30 September", "active": false}, answers: exampleAddress,
	}, a.changeAddress)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "deleteAddress", Method: http.MethodDelete, Path: rowPath, Tags: []string{"addresses"}, Summary: "Delete an address",
			Description: "Removes a row for which no challenge was ever sent. Any other row can be deactivated.",
		},
		verb: person.WriteAddresses, fails: []Kind{denied, conflict, precondition},
	}, a.deleteAddress)
}

type changeInput struct {
	OfRow
	IfMatch
	Body AddressPatch `contentType:"application/merge-patch+json"`
}

func (a *API) changeAddress(ctx context.Context, by person.Actor, in *changeInput) (*addressAnswer, error) {
	vs, err := versions(in.Match)
	if err != nil {
		return nil, err
	}
	p, err := in.Body.patch()
	if err != nil {
		return nil, err
	}
	r, err := a.Mailbox.Patch(ctx, by, domainName(in.Domain), mailbox.ID(in.ID), vs, p)
	if err != nil {
		return nil, err
	}
	return &addressAnswer{etag(r), address(r)}, nil
}

type deleteInput struct {
	OfRow
	IfMatch
}

func (a *API) deleteAddress(ctx context.Context, by person.Actor, in *deleteInput) (*struct{}, error) {
	vs, err := versions(in.Match)
	if err != nil {
		return nil, err
	}
	return nil, a.Mailbox.DeleteVersion(ctx, by, domainName(in.Domain), mailbox.ID(in.ID), vs)
}
