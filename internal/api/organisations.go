package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/person"
)

// Organisation is one for whose servers there are certificates.
type Organisation struct {
	ID         int64  `json:"id" doc:"Its number, for orders."`
	Name       string `json:"name" doc:"As it stands in certificates."`
	Identifier string `json:"identifier" doc:"Its organizationIdentifier (S/MIME BR, Appendix A), empty where there is none."`
	Country    string `json:"country" doc:"Two letters (ISO 3166)."`
}

// Organisations are all that the token reaches.
type Organisations struct {
	Organisations []Organisation `json:"organisations" doc:"By name."`
}

func (a *API) organisations(h huma.API) {
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listOrganisations", Method: http.MethodGet, Path: "/organisations", Tags: []string{"orders"}, Summary: "Organisations",
			Description: "The organisations that the token reaches, by name.",
		},
		verb: person.ReadOrders, answers: Organisations{[]Organisation{{ID: 3, Name: "Faculty of Physics", Country: "DE"}}},
	}, a.listOrganisations)
}

type organisationsAnswer struct {
	Body Organisations
}

func (a *API) listOrganisations(ctx context.Context, by person.Actor, _ *struct{}) (*organisationsAnswer, error) {
	all, err := a.Org.Organisations(ctx, by)
	if err != nil {
		return nil, err
	}
	out := &organisationsAnswer{Organisations{make([]Organisation, 0, len(all))}}
	for _, o := range all {
		out.Body.Organisations = append(out.Body.Organisations, Organisation{int64(o.ID), o.Name, o.Identifier, o.Country})
	}
	return out, nil
}
