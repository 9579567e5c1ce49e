package main

import (
	"maps"
	"testing"

	"github.com/jackc/pgx/v5"
)

// issuing are the tables that the portal inserts into on the way to a certificate.
var issuing = []string{
	"application", "server_order", "server_order_author", "intent", "certificate", "address_certificate", "ca_issued", "evidence", "ocsp_answer",
	"audit_line", "audit_about", "letter",
}

// written is how many rows there are of each, and of the jobs that issue.
func written(t *testing.T, r *rig) map[string]int {
	all := map[string]int{}
	for _, table := range issuing {
		var n int
		if err := r.DB.QueryRow(t.Context(), "select count(*) from "+pgx.Identifier{table}.Sanitize()).Scan(&n); err != nil {
			t.Fatal(err)
		}
		all[table] = n
	}
	var jobs int
	if err := r.DB.QueryRow(t.Context(), `select count(*) from river_job where kind = 'bare' or kind like 'issuance%' or kind = 'mail_deliver'`).Scan(&jobs); err != nil {
		t.Fatal(err)
	}
	all["river_job"] = jobs
	return all
}

// more is how many rows f adds to each table.
func more(t *testing.T, r *rig, f func() error) map[string]int {
	before := written(t, r)
	if err := f(); err != nil {
		t.Fatal(err)
	}
	after := written(t, r)
	for table := range after {
		after[table] -= before[table]
	}
	return after
}

// A floor that leaves a row out makes the portal look slow, one that has too many
// makes it look quick.
func TestTheFloorsOfIssuanceInsertWhatThePortalDoes(t *testing.T) {
	ctx, r := t.Context(), trialRig(t)
	r, err := r.withAuthority(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.domain(ctx, "cert.example")
	if err != nil {
		t.Fatal(err)
	}
	const n = issueClients
	rows, err := r.linkedRows(ctx, d, 2*n)
	if err != nil {
		t.Fatal(err)
	}
	contact, of, err := r.technical(ctx)
	if err != nil {
		t.Fatal(err)
	}
	work(t, r)
	bare := more(t, r, func() error { _, err := r.bareApplications(ctx, rows[:n]); return err })
	portal := more(t, r, func() error { _, err := r.applications(ctx, rows[n:]); return err })
	if !maps.Equal(bare, portal) {
		t.Errorf("%d applications: the floor inserted %v, the portal %v", n, bare, portal)
	}
	bare = more(t, r, func() error { _, err := r.bareOrders(ctx, contact, of, n); return err })
	portal = more(t, r, func() error { _, err := r.orders(ctx, contact, of, 0, n); return err })
	if !maps.Equal(bare, portal) {
		t.Errorf("%d orders: the floor inserted %v, the portal %v", n, bare, portal)
	}
}
