package api

import (
	"context"
	"encoding/hex"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// Certificate is one for servers.
type Certificate struct {
	Reference     string     `json:"reference" doc:"What people call it; that of the order it came of."`
	Organisation  int64      `json:"organisation" doc:"The number of the organisation."`
	Product       string     `json:"product" doc:"The kind of certificate."`
	Names         []string   `json:"names" doc:"As A-labels; the first one is the common name."`
	Subject       string     `json:"subject" doc:"The subject, as text (RFC 4514)."`
	Serial        string     `json:"serial" doc:"Hexadecimal."`
	Fingerprint   string     `json:"fingerprint" doc:"SHA-256, hexadecimal."`
	State         string     `json:"state" enum:"valid,replaced,expired,revoking,revoked,unwanted" doc:"A replaced one is good until its end; revoking: its authority has been asked to revoke it; unwanted: it came too late or twice, and its authority has not revoked it. Do not use one."`
	NotBefore     time.Time  `json:"not_before" doc:"From when it counts."`
	NotAfter      time.Time  `json:"not_after" doc:"Until when it counts."`
	RenewableFrom time.Time  `json:"renewable_from" doc:"From when on it may be renewed."`
	Renewable     bool       `json:"renewable" doc:"Whether it may be renewed now."`
	Renewal       *string    `json:"renewal" doc:"The reference number of the order that renews it now."`
	ReplacedBy    *string    `json:"replaced_by" doc:"The reference number of the certificate that came after it."`
	Revoked       *time.Time `json:"revoked" doc:"When it was revoked."`
	Reason        *string    `json:"reason" doc:"Why it was revoked (RFC 5280, 5.3.1)."`
}

// Certificates are some of them.
type Certificates struct {
	Certificates []Certificate `json:"certificates" doc:"In the order that was asked for."`
}

func (a *API) serverCertificate(c cert.ServerCertificate) Certificate {
	from, _ := c.Renewable()
	now := a.Now()
	out := Certificate{
		Reference: c.Reference, Organisation: int64(c.Organisation), Product: c.Product, Names: c.Names, Subject: c.Subject,
		Serial: hex.EncodeToString(c.Serial), Fingerprint: hex.EncodeToString(c.Fingerprint), State: stateOf(c.Revoked, c.Revoking, c.Unwanted, c.NotAfter, now),
		NotBefore: utc(c.NotBefore), NotAfter: utc(c.NotAfter), RenewableFrom: utc(from), Renewable: cert.MayRenew(c, now) == nil,
		Renewal: c.Renewal, ReplacedBy: c.ReplacedBy, Revoked: utcOr(c.Revoked), Reason: reasonName(c.Reason),
	}
	if out.State == "valid" && c.ReplacedBy != nil {
		out.State = "replaced"
	}
	return out
}

var exampleCertificate = Certificate{
	Reference: "7K2M-9QXD4", Organisation: 3, Product: "tls-multi", Names: []string{"www.uni.example", "uni.example"}, Subject: "CN=www.uni.example",
	Serial: "5b1c", Fingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", State: "valid",
	NotBefore: exampleAddress.Created, NotAfter: exampleAddress.Created.AddDate(0, 0, 90), RenewableFrom: exampleAddress.Created.AddDate(0, 0, 60),
}

func (a *API) certificates(h huma.API) {
	const path = "/certificates"
	const one = path + "/{reference}"
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listCertificates", Method: http.MethodGet, Path: path, Tags: []string{"certificates"}, Summary: "Server certificates",
			Description: "The certificates of the organisations that the token reaches, page by page.",
		},
		verb: person.ReadCertificates, answers: Certificates{[]Certificate{exampleCertificate}},
	}, a.listCertificates)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "getCertificate", Method: http.MethodGet, Path: one, Tags: []string{"certificates"}, Summary: "One server certificate",
			Description: "What a certificate says and how it stands.",
		},
		verb: person.ReadCertificates, answers: exampleCertificate,
	}, a.getCertificate)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "downloadCertificate", Method: http.MethodGet, Path: one + "/download/{format}", Tags: []string{"certificates"},
			Summary: "A file of a server certificate", Description: "The certificate alone or with its chain, as a server takes it.",
		},
		verb: person.ReadCertificates, fails: []Kind{}, files: fileTypes(),
	}, a.downloadCertificate)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "renewCertificate", Method: http.MethodPost, Path: one + "/renewal", Tags: []string{"certificates"}, Summary: "Renew a server certificate",
			Description:   "Orders the same again. What is left out stays as it is; without a request the key stays, too. The order's address is in Location.",
			DefaultStatus: http.StatusCreated,
		},
		verb: person.WriteOrders, types: []string{jsonType}, fails: []Kind{denied, conflict},
		asks: map[string]any{"csr": "-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n"}, answers: exampleOrder,
	}, a.renewCertificate)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "revokeCertificate", Method: http.MethodPost, Path: one + "/revocation", Tags: []string{"certificates"},
			Summary: "Revoke a server certificate", Description: "Ends a certificate for good.",
		},
		verb: person.RevokeCertificates, types: []string{jsonType}, fails: []Kind{denied, conflict},
		asks: map[string]any{"reason": "superseded"}, answers: exampleCertificate,
	}, a.revokeServerCertificate)
}

// fileTypes are the media types of all formats, each once.
func fileTypes() (all []string) {
	seen := map[string]bool{}
	for _, f := range pki.Formats() {
		if !seen[f.Kind] {
			seen[f.Kind], all = true, append(all, f.Kind)
		}
	}
	return all
}

type certificateListInput struct {
	Paged
	State        string `query:"state" enum:"valid,ending,over,all" default:"valid" doc:"ending: the time to renew them has come; over: expired, revoked, replaced or unwanted."`
	Q            string `query:"q" maxLength:"200" doc:"Only certificates that have all these words in a name, the reference number or the serial number; 300 at most."`
	Sort         string `query:"sort" enum:"end,-end,name,-name,issued,-issued,reference,-reference" default:"end" doc:"The order; - turns it round."`
	Organisation int64  `query:"organisation" minimum:"0" doc:"Only certificates of that organisation."`
}

func (in certificateListInput) view() cert.ServerView {
	by, desc := strings.CutPrefix(in.Sort, "-")
	return cert.ServerView{
		Which: cert.Which(in.State), Text: strings.TrimSpace(in.Q), Sort: cert.ServerSort(by), Desc: desc, Size: in.Limit, Cursor: in.Cursor,
		Organisation: org.OrganisationID(in.Organisation),
	}
}

func (in certificateListInput) query() url.Values {
	q := url.Values{}
	for name, v := range map[string][2]string{"state": {in.State, "valid"}, "q": {in.Q, ""}, "sort": {in.Sort, "end"}} {
		if v[0] != v[1] {
			q.Set(name, v[0])
		}
	}
	if in.Organisation != 0 {
		q.Set("organisation", number(in.Organisation))
	}
	return q
}

type certificatesAnswer struct {
	Link string `header:"Link" doc:"The pages beside this one: first, prev, next (RFC 8288)."`
	Body Certificates
}

func (a *API) listCertificates(ctx context.Context, by person.Actor, in *certificateListInput) (*certificatesAnswer, error) {
	page, err := a.Cert.Servers(ctx, by, in.view())
	if err != nil {
		return nil, cursorFault(err, in.Cursor)
	}
	if page.Many {
		return nil, wrongParameter("q", "api.many_hits", "most", cert.MaxHits)
	}
	out := &certificatesAnswer{Body: Certificates{make([]Certificate, 0, len(page.Certificates))}}
	for _, c := range page.Certificates {
		out.Body.Certificates = append(out.Body.Certificates, a.serverCertificate(c))
	}
	out.Link = a.links("/certificates", in.Paged, in.query(), page.Prev, page.Next)
	return out, nil
}

type certificateAnswer struct {
	Body Certificate
}

func (a *API) getCertificate(ctx context.Context, by person.Actor, in *OfReference) (*certificateAnswer, error) {
	c, err := a.Cert.Server(ctx, by, in.read())
	if err != nil {
		return nil, err
	}
	return &certificateAnswer{a.serverCertificate(c)}, nil
}

type downloadInput struct {
	OfReference
	Format string `path:"format" enum:"certificate.pem,x509chain.pem,fullchain.pem,issuers.pem,certificate.cer,certificate.p7b" doc:"certificate.pem: alone; x509chain.pem: with all issuers and the root; fullchain.pem: without the root; issuers.pem: issuers and root only; certificate.cer: alone, DER; certificate.p7b: all, PKCS#7."`
}

type fileAnswer struct {
	ContentType string `header:"Content-Type" doc:"The format."`
	Disposition string `header:"Content-Disposition" doc:"The file's name."`
	Body        []byte
}

func (a *API) downloadCertificate(ctx context.Context, by person.Actor, in *downloadInput) (*fileAnswer, error) {
	f, known := pki.FormatCalled(in.Format)
	if !known {
		return nil, fault.New(fault.Missing, "fault.missing")
	}
	name, content, err := a.Cert.ServerFile(ctx, by, in.read(), f, a.Chains)
	if err != nil {
		return nil, err
	}
	return &fileAnswer{f.Kind, mime.FormatMediaType("attachment", map[string]string{"filename": name}), content}, nil
}

// Renewal is what of a certificate is to become different.
type Renewal struct {
	CSR     string   `json:"csr,omitempty" doc:"A new certification request as PEM; left out, the key stays."`
	Names   []string `json:"names,omitempty" maxItems:"50" doc:"All names, where they change."`
	Product string   `json:"product,omitempty" doc:"Another kind of certificate; left out, it stays."`
	Comment string   `json:"comment,omitempty" doc:"For the registration office."`
}

type renewInput struct {
	OfReference
	Body Renewal
}

func (a *API) renewCertificate(ctx context.Context, by person.Actor, in *renewInput) (*orderAddedAnswer, error) {
	c, err := a.Cert.Server(ctx, by, in.read())
	if err != nil {
		return nil, err
	}
	w := order.Wish{Organisation: c.Organisation, Product: c.Product, CSR: in.Body.CSR, Names: c.Names, Comment: in.Body.Comment}
	if in.Body.Product != "" {
		w.Product = in.Body.Product
	}
	if len(in.Body.Names) > 0 {
		w.Names = in.Body.Names
	}
	return a.submit(ctx, by, order.Submission{Wish: w, Renews: c.Reference})
}

type revokeServerInput struct {
	OfReference
	Body Revocation
}

func (a *API) revokeServerCertificate(ctx context.Context, by person.Actor, in *revokeServerInput) (*certificateAnswer, error) {
	if err := a.Cert.RevokeServer(ctx, by, in.read(), reasons[in.Body.Reason]); err != nil {
		return nil, err
	}
	return a.getCertificate(ctx, by, &in.OfReference)
}
