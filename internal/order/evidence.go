package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/lint"
	"petschaft/internal/org"
)

// evidence is why a certificate was issued for an application.
func (b *Book) evidence(ctx context.Context, tx pgx.Tx, i intent, checks *lint.Report) (*cert.Evidence, error) {
	e := &cert.Evidence{
		Holder: &cert.Somebody{Account: i.Account, Name: i.Holder}, Terms: &cert.Terms{}, Checks: checks,
	}
	err := tx.QueryRow(ctx, `select proof, terms, created from application where id = $1`, i.ID).Scan(&e.Addresses, &e.Terms.Version, &e.Terms.Accepted)
	if err != nil {
		return nil, fmt.Errorf("read what is known of application %d: %w", i.ID, err)
	}
	return e, nil
}

// nameProofs are what shows at at that the names belong to the organisation.
func nameProofs(owned []org.ServerName, names []string, at time.Time) []cert.NameProof {
	all := make([]cert.NameProof, len(names))
	for i, n := range names {
		all[i].Name = n
		if verdict, by := org.Judge(owned, n, at); verdict == org.Own {
			all[i] = cert.NameProof{Name: n, Domain: string(by.Name), Method: by.Method, By: by.By, From: by.From, Until: by.ProvenUntil()}
		}
	}
	return all
}

// serverEvidence is why a certificate was issued for an order.
func (b *Book) serverEvidence(ctx context.Context, tx pgx.Tx, o ServerOrder, checks *lint.Report) (*cert.Evidence, error) {
	e := &cert.Evidence{Organisation: o.OrganisationName, Checks: checks, Order: &cert.Approval{
		Submitted: o.Created, SubmittedBy: cert.Somebody{Account: o.Submitter, Name: o.SubmitterName}, Approved: o.Approved,
	}}
	if o.Decider != nil && o.DeciderName != nil {
		e.Order.ApprovedBy = &cert.Somebody{Account: *o.Decider, Name: *o.DeciderName}
	}
	if err := tx.QueryRow(ctx, `select proof from server_order where id = $1`, o.ID).Scan(&e.Names); err != nil {
		return nil, fmt.Errorf("read what is known of order %d: %w", o.ID, err)
	}
	return e, nil
}
