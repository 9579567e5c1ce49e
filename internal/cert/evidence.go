package cert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// evidenceFormat is the version of the fields of Evidence.
const evidenceFormat = 1

// Evidence is why a certificate was issued, as it was known then. It is written
// once and offered as a file.
type Evidence struct {
	Format       int            `json:"format"`
	Reference    string         `json:"reference"`
	Authority    string         `json:"authority,omitempty"`           // that signed it, by its name in the portal
	AuthorityRef string         `json:"authority_reference,omitempty"` // of the request there, if it has any
	Issuer       string         `json:"issuer"`
	Serial       string         `json:"serial"`
	SHA256       string         `json:"sha256"`
	Subject      string         `json:"subject"`
	NotBefore    time.Time      `json:"not_before"`
	NotAfter     time.Time      `json:"not_after"`
	Recorded     time.Time      `json:"recorded"`
	Holder       *Somebody      `json:"holder,omitempty"`
	Organisation string         `json:"organisation,omitempty"` // whose servers these are
	Addresses    []AddressProof `json:"addresses,omitempty"`
	Names        []NameProof    `json:"names,omitempty"`
	Terms        *Terms         `json:"terms,omitempty"`
	Order        *Approval      `json:"order,omitempty"`
	Checks       *lint.Report   `json:"checks,omitempty"`
}

// Somebody is a person by the number of their account and by the name they had.
type Somebody struct {
	Account person.ID `json:"account"`
	Name    string    `json:"name"`
}

// Terms are the terms of use that somebody accepted.
type Terms struct {
	Version  string    `json:"version"`
	Accepted time.Time `json:"accepted"`
}

// NameProof is what shows that a server's name belongs to an organisation.
type NameProof struct {
	Name   string     `json:"name"`
	Domain string     `json:"domain,omitempty"` // that was validated, and covers it
	Method string     `json:"method,omitempty"`
	By     string     `json:"by,omitempty"`
	From   *time.Time `json:"from,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
}

// Approval is who ordered a server's certificate and who approved it.
type Approval struct {
	Submitted   time.Time  `json:"submitted"`
	SubmittedBy Somebody   `json:"submitted_by"`
	Approved    *time.Time `json:"approved,omitempty"`
	ApprovedBy  *Somebody  `json:"approved_by,omitempty"` // nil: by the rule of the organisation
}

// of fills in what the certificate itself says.
func (e Evidence) of(c pki.Certificate, now time.Time) Evidence {
	issuer, err := pki.NameText(c.Issuer)
	if err != nil {
		issuer = pki.Colons(c.Issuer)
	}
	e.Format, e.Issuer, e.Serial, e.SHA256 = evidenceFormat, issuer, c.SerialText(), c.Fingerprints().SHA256
	e.Subject, e.NotBefore, e.NotAfter, e.Recorded = c.Subject, c.NotBefore, c.NotAfter, now.UTC()
	return e
}

// evidence is what is kept of why the certificate n was issued.
func (i Issuance) evidence(now time.Time, n ID) pgx.NamedArgs {
	e, rules := *i.Evidence, ""
	if e.Checks != nil {
		rules = e.Checks.Version
	}
	e.Reference, e.Authority = i.Reference, i.Authority
	return pgx.NamedArgs{"id": n, "now": now, "rules": rules, "document": e.of(i.Certificate, now)}
}

// Evidence returns that of a client certificate to who may see it; findings from outside to officers. One
// from before there was evidence has none: that is missing.
func (b *Book) Evidence(ctx context.Context, by person.Actor, id ID) (Evidence, error) {
	c, err := b.One(ctx, by, id)
	if err != nil {
		return Evidence{}, err
	}
	return b.evidence(ctx, by, c.ID)
}

// ServerEvidence returns that of a server's certificate; likewise.
func (b *Book) ServerEvidence(ctx context.Context, by person.Actor, reference string) (Evidence, error) {
	c, err := b.Server(ctx, by, reference)
	if err != nil {
		return Evidence{}, err
	}
	return b.evidence(ctx, by, c.ID)
}

// Outside tells whether an authority outside signed it: then it was checked when it came.
func (e Evidence) Outside() bool { return e.Authority != "" && !pki.OwnAuthority(e.Authority) }

func (b *Book) evidence(ctx context.Context, by person.Actor, id ID) (e Evidence, err error) {
	var document []byte
	err = b.DB.QueryRow(ctx, `select document from evidence where certificate = $1`, id).Scan(&document)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, fault.New(fault.Missing, "cert.no_evidence")
	}
	if err != nil {
		return e, fmt.Errorf("read the evidence of certificate %d: %w", id, err)
	}
	err = json.Unmarshal(document, &e)
	if e.Outside() && !by.Officer { // who holds it can do nothing about what was found
		e.Checks = nil
	}
	return e, err
}
