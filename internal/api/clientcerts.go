package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/cert"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// ClientCertificate is a certificate issued for addresses of a row.
type ClientCertificate struct {
	ID          int64      `json:"id" doc:"The number of the certificate."`
	Reference   string     `json:"reference" doc:"What people call it."`
	Domain      string     `json:"email_domain" doc:"The domain of its row."`
	Row         int64      `json:"address" doc:"The number of the row."`
	Active      bool       `json:"address_active" doc:"Whether the row is active; then only the holder and the registration office can revoke."`
	Holder      string     `json:"holder" doc:"The name of the account that it was issued to."`
	Emails      []string   `json:"emails" doc:"The addresses that it names."`
	Subject     string     `json:"subject" doc:"The subject, as text (RFC 4514)."`
	Serial      string     `json:"serial" doc:"Hexadecimal."`
	Fingerprint string     `json:"fingerprint" doc:"SHA-256, hexadecimal."`
	State       string     `json:"state" enum:"valid,expired,revoking,revoked,unwanted" doc:"Where it stands now; revoking: its authority has been asked to revoke it; unwanted: it came too late or twice, and its authority has not revoked it. Do not use one."`
	NotBefore   time.Time  `json:"not_before" doc:"From when it counts."`
	NotAfter    time.Time  `json:"not_after" doc:"Until when it counts."`
	Revoked     *time.Time `json:"revoked" doc:"When it was revoked."`
	Reason      *string    `json:"reason" doc:"Why it was revoked (RFC 5280, 5.3.1)."`
}

// ClientCertificates are some of them.
type ClientCertificates struct {
	Certificates []ClientCertificate `json:"client_certificates" doc:"Newest first."`
}

// reasons are the names by which RFC 5280 knows them, as one may give them.
var reasons = map[string]pki.Reason{
	"unspecified": pki.Unspecified, "keyCompromise": pki.KeyCompromise, "affiliationChanged": pki.AffiliationChanged, "superseded": pki.Superseded,
	"cessationOfOperation": pki.CessationOfOperation, "privilegeWithdrawn": pki.PrivilegeWithdrawn,
}

// reasonName is the name of a reason that was given; nil for none.
func reasonName(given *int16) *string {
	for name, r := range reasons {
		if given != nil && int16(r) == *given {
			return &name
		}
	}
	return nil
}

// stateOf says where a certificate stands at now.
func stateOf(revoked, revoking *time.Time, unwanted bool, notAfter, now time.Time) string {
	switch {
	case revoked != nil:
		return "revoked"
	case revoking != nil:
		return "revoking"
	case unwanted:
		return "unwanted"
	case now.After(notAfter):
		return "expired"
	}
	return "valid"
}

func (a *API) clientCertificate(c cert.Certificate) ClientCertificate {
	return ClientCertificate{
		ID: int64(c.ID), Reference: c.Reference, Domain: string(c.DomainName), Row: int64(c.RowID), Active: c.RowActive, Holder: c.Holder,
		Emails: c.Emails, Subject: c.Subject, Serial: hex.EncodeToString(c.Serial), Fingerprint: hex.EncodeToString(c.Fingerprint),
		State: stateOf(c.Revoked, c.Revoking, c.Unwanted, c.NotAfter, a.Now()), NotBefore: utc(c.NotBefore), NotAfter: utc(c.NotAfter), Revoked: utcOr(c.Revoked),
		Reason: reasonName(c.Reason),
	}
}

var exampleClient = ClientCertificate{
	ID: 99, Reference: "C-7K2M-9QXD", Domain: "uni.example", Row: 4711, Holder: "Alice Lee", Emails: []string{"alice.lee@uni.example"},
	Subject: "CN=alice.lee@uni.example", Serial: "5b1c", Fingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	State: "valid", NotBefore: exampleAddress.Created, NotAfter: exampleAddress.Created.AddDate(2, 0, 0),
}

func (a *API) clientCertificates(h huma.API) {
	const path = "/client-certificates"
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listClientCertificates", Method: http.MethodGet, Path: path, Tags: []string{"client-certificates"},
			Summary: "Client certificates of an address", Description: "The certificates that name an address, newest first, page by page.",
		},
		verb: person.ReadClientCertificates, answers: ClientCertificates{[]ClientCertificate{exampleClient}},
	}, a.listClientCertificates)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "getClientCertificate", Method: http.MethodGet, Path: path + "/{id}", Tags: []string{"client-certificates"},
			Summary: "One client certificate", Description: "A certificate of a row of the domains that the token reaches.",
		},
		verb: person.ReadClientCertificates, answers: exampleClient,
	}, a.getClientCertificate)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "revokeClientCertificate", Method: http.MethodPost, Path: path + "/{id}/revocation", Tags: []string{"client-certificates"},
			Summary: "Revoke a client certificate", Description: "Ends a certificate for good; its holder is told. As the contact of a domain you must deactivate the row first.",
		},
		verb: person.RevokeClientCertificates, types: []string{jsonType}, fails: []Kind{conflict},
		asks: map[string]any{"reason": "cessationOfOperation"}, answers: exampleClient,
	}, a.revokeClientCertificate)
}

type clientListInput struct {
	ByEmail
	Paged
}

type clientListAnswer struct {
	Link string `header:"Link" doc:"The pages beside this one: first, next (RFC 8288)."`
	Body ClientCertificates
}

func (a *API) listClientCertificates(ctx context.Context, by person.Actor, in *clientListInput) (*clientListAnswer, error) {
	email, err := in.read()
	if err != nil {
		return nil, err
	}
	before, err := afterID(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.Cert.OfAddress(ctx, by, email, cert.ID(before), in.Limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = postgres.Cursor{ID: int64(found[in.Limit-1].ID)}.String()
	}
	out := &clientListAnswer{Body: ClientCertificates{make([]ClientCertificate, 0, len(found))}}
	for _, c := range found {
		out.Body.Certificates = append(out.Body.Certificates, a.clientCertificate(c))
	}
	out.Link = a.links("/client-certificates", in.Paged, url.Values{"email": {string(email)}}, "", next)
	return out, nil
}

// OfCertificate is a client certificate in a path.
type OfCertificate struct {
	ID int64 `path:"id" minimum:"1" doc:"The number of the certificate."`
}

type clientAnswer struct {
	Body ClientCertificate
}

func (a *API) getClientCertificate(ctx context.Context, by person.Actor, in *OfCertificate) (*clientAnswer, error) {
	c, err := a.Cert.One(ctx, by, cert.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &clientAnswer{a.clientCertificate(c)}, nil
}

// Revocation is why a certificate is to be revoked.
type Revocation struct {
	Reason string `json:"reason" enum:"unspecified,keyCompromise,affiliationChanged,superseded,cessationOfOperation" doc:"As in RFC 5280, 5.3.1."`
}

type revokeInput struct {
	OfCertificate
	Body Revocation
}

func (a *API) revokeClientCertificate(ctx context.Context, by person.Actor, in *revokeInput) (*clientAnswer, error) {
	if err := a.Cert.Revoke(ctx, by, cert.ID(in.ID), reasons[in.Body.Reason]); err != nil {
		return nil, err
	}
	return a.getClientCertificate(ctx, by, &in.OfCertificate)
}
