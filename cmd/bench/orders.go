package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// orderEach is how many orders a round submits.
const orderEach = 1000

// orders submits orders that the organisation's rule approves, and waits until
// all are issued, against bare signing plus zlint and the same inserts, with eight
// clients each.
func orders(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer func() { r.close() }()
	if r, err = r.withAuthority(ctx); err != nil {
		return nil, err
	}
	contact, of, err := r.technical(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.DB.Exec(ctx, "analyze"); err != nil { // a portal in use knows how small its small tables are
		return nil, err
	}
	if err := r.Work(ctx); err != nil {
		return nil, err
	}
	defer r.Queue.Stop(ctx)
	var bare, portal []time.Duration
	for i := range rounds {
		b, err := r.bareOrders(ctx, contact, of, orderEach)
		if err != nil {
			return nil, err
		}
		p, err := r.orders(ctx, contact, of, i, orderEach)
		if err != nil {
			return nil, err
		}
		bare, portal = append(bare, b), append(portal, p)
	}
	b, p := rate(orderEach, median(bare)), rate(orderEach, median(portal))
	return []figure{{
		name:     fmt.Sprintf("order to server certificate by the rule, %d clients", issueClients),
		measured: fmt.Sprintf("bare %.0f/s, portal %.0f/s = %.2f ×", b, p, p/b), bound: "≥ 0.25 ×", ok: p >= 0.25*b,
	}}, nil
}

// technical makes an organisation with its contact, a validated name, and the
// rule that approves.
func (r *rig) technical(ctx context.Context) (person.Actor, org.OrganisationID, error) {
	var a person.Account
	err := r.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
		a, err = r.People.SignedIn(ctx, tx, person.Claims{Issuer: "bench", Subject: "contact", Name: "Tim Technik"}, audit.Who{})
		return err
	})
	if err != nil {
		return person.Actor{}, 0, err
	}
	o, err := r.Org.AddOrganisation(ctx, r.actor, org.OrganisationInput{Name: "Bench", Country: "DE", AutoApprove: true, Contact: a.ID})
	if err != nil {
		return person.Actor{}, 0, err
	}
	n, err := r.Org.AddName(ctx, r.actor, o, org.NameInput{Name: "server.example"})
	if err != nil {
		return person.Actor{}, 0, err
	}
	err = r.Org.ValidateName(ctx, r.actor, n, org.Check{Proof: org.Proof{Method: "DNS TXT", By: "Bea Bench", From: time.Now().UTC().Add(-time.Hour)}})
	return person.Actor{Account: a.ID, Name: a.Name}, o, err
}

// bareOrder inserts what bareBeside does, and before it the certificate and the
// order that it ends, with its author.
const bareOrder = `with x as (select nextval(pg_get_serial_sequence('application', 'id')) as id), c as (
		insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, subject, emails, search, not_before, not_after,
			issued, organisation, common_name, names, product, server_order, renewable, phase, turns, remind, chain)
		select @reference, 'bare', 'bare', @serial, @der, sha256(@der), sha256(@spki), 'CN=' || @name, '{}', @search, @at, @until,
			@at, @organisation, @name, @names, 'tls-single', x.id, @until, 'valid', @until, @until, @chain from x returning id, server_order
	), n as (
		insert into server_order (id, reference, form, organisation, product, names, spki, key_kind, search, state, since, submitter, serial,
			not_before, days, profile, certificate, created, ended, approved, proof)
		select c.server_order, @reference, @reference, @organisation, 'tls-single', @names, @spki, 'EC P-256', @search, 'issued', @at, @account,
			@serial, @at, 90, @profile, c.id, @at, @at, @at, jsonb_build_array(jsonb_build_object('name', @name::text, 'method', 'bare')) from c
		returning id, certificate
	), w as (
		insert into server_order_author (server_order, account) select id, @account from n
	)` + bareBeside

// bareOrders is the floor, as bareApplications is: signed, looked at by zlint, and
// written by one statement, with the four audit lines of an order that the rule
// approves.
func (r *rig) bareOrders(ctx context.Context, contact person.Actor, of org.OrganisationID, n int) (time.Duration, error) {
	bare, err := newBareAuthority()
	if err != nil {
		return 0, err
	}
	keys, err := leaves(n)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = share(n, func(i int) error {
		name := strings.ToLower(rand.Text()[:8]) + ".server.example"
		serial, der, err := bare.server(keys[i].Public(), name)
		if err != nil {
			return err
		}
		spki, err := x509.MarshalPKIXPublicKey(keys[i].Public())
		if err != nil {
			return err
		}
		reference := fmt.Sprintf("bare %x", serial)
		_, err = r.DB.Exec(ctx, bareOrder, bare.beside(reference, serial, der, pgx.NamedArgs{
			"authority": "tls", "account": contact.Account, "organisation": of, "name": name, "names": []string{name},
			"emails": []string{}, "profile": pki.TLSDomain, "spki": spki, "until": began.AddDate(0, 0, 90),
			"search":  fmt.Sprintf("%s %s", reference, name),
			"actions": []string{"order.submitted", "order.approved_by_rule", "cert.server_issued", "order.fulfilled"},
			"kind":    "server_order", "kinds": []string{"organisation"}, "things": []int64{int64(of)},
		}))
		return err
	})
	return time.Since(began), err
}

// orders submits a round of n and waits until all are issued.
func (r *rig) orders(ctx context.Context, contact person.Actor, of org.OrganisationID, round, n int) (time.Duration, error) {
	csrs, err := requests(n)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = share(n, func(i int) error {
		_, err := r.Order.Submit(ctx, contact, order.Submission{Form: fmt.Sprintf("%d-%d", round, i), Wish: order.Wish{
			Organisation: of, Product: "tls-single", CSR: csrs[i], Names: []string{fmt.Sprintf("s%d-%d.server.example", round, i)},
		}})
		return err
	})
	if err != nil {
		return 0, err
	}
	for {
		var waiting bool // an index of open orders answers at once
		if err := r.DB.QueryRow(ctx, `select exists (select from server_order where organisation = $1 and ended is null)`, of).Scan(&waiting); err != nil {
			return 0, err
		}
		if !waiting {
			took := time.Since(began)
			var issued int
			err := r.DB.QueryRow(ctx, `select count(*) from server_order where state = 'issued' and form like $1`, fmt.Sprintf("%d-%%", round)).Scan(&issued)
			if err == nil && issued != n {
				err = fmt.Errorf("%d of %d orders were issued", issued, n)
			}
			return took, err
		}
		if time.Since(began) > 2*time.Minute {
			return 0, fmt.Errorf("orders still wait after two minutes")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
