package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
)

const (
	issueClients = 8
	issueEach    = 800
)

// issue leads applications to issued certificates through the queue and the
// local authority, against bare signing plus zlint and the same inserts, with
// eight clients each; and reads the page of somebody with 10,000 certificates.
func issue(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer func() { r.close() }()
	if r, err = r.withAuthority(ctx); err != nil {
		return nil, err
	}
	d, err := r.domain(ctx, "cert.example")
	if err != nil {
		return nil, err
	}
	rows, err := r.linkedRows(ctx, d, 2*rounds*issueEach)
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
	for range rounds {
		b, err := r.bareApplications(ctx, rows[:issueEach])
		if err != nil {
			return nil, err
		}
		p, err := r.applications(ctx, rows[issueEach:2*issueEach])
		if err != nil {
			return nil, err
		}
		rows = rows[2*issueEach:]
		bare, portal = append(bare, b), append(portal, p)
	}
	b, p := rate(issueEach, median(bare)), rate(issueEach, median(portal))
	figures := []figure{{
		name:     fmt.Sprintf("application to certificate, %d clients", issueClients),
		measured: fmt.Sprintf("bare %.0f/s, portal %.0f/s = %.2f ×", b, p, p/b), bound: "≥ 0.3 ×", ok: p >= 0.3*b,
	}}
	mine, err := r.mine(ctx)
	return append(figures, mine), err
}

// withAuthority makes the authority and opens the portal again: it looks for
// one at its start.
func (r *rig) withAuthority(ctx context.Context) (*rig, error) {
	r.config.PKIURL = "http://pki.bench.example"
	db, sealer, err := r.config.Database(ctx)
	if err != nil {
		return r, err
	}
	defer db.Close()
	if err := ca.Init(ctx, db, sealer, ca.Options{Organisation: "Bench", Country: "DE", Now: time.Now().UTC()}); err != nil {
		return r, err
	}
	return r, r.reopen(ctx)
}

// linkedRows are rows linked to the actor, as confirmed rounds leave them.
func (r *rig) linkedRows(ctx context.Context, d org.ID, n int) ([]mailbox.ID, error) {
	rows, err := r.DB.Query(ctx, `
		with a as (insert into address_row (domain, kind, name, primary_address, challenged, status, created, changed)
			select $1, 'personal', 'User ' || i, 'user' || i || '@cert.example', true, 'confirmed', now(), now()
			from generate_series(1, $2::int) i returning id, primary_address),
		n as (insert into challenge_round (row_id, started, started_by, outcome, ended) select id, now(), $3, 'complete', now() from a returning id, row_id)
		insert into link (row_id, account, addresses, round, since)
		select a.id, $3, array[a.primary_address], n.id, now() from a join n on n.row_id = a.id returning row_id`, d, n, r.actor.Account)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[mailbox.ID])
	if err != nil {
		return nil, err
	}
	_, err = r.DB.Exec(ctx, `update account set given_name = 'Bea', family_name = 'Bench', email_verified = false`)
	return ids, err
}

// share runs n jobs by eight clients.
func share(n int, job func(i int) error) error {
	var wg sync.WaitGroup
	errs := make(chan error, issueClients)
	for k := range issueClients {
		wg.Go(func() {
			for i := k; i < n; i += issueClients {
				if err := job(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// bareApplication inserts what bareBeside does, and before it the certificate, the
// application that it ends, and the row's note of it.
const bareApplication = `with c as (
		insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, account, row_id, subject, emails, search,
			not_before, not_after, issued, remind, chain)
		values (@reference, 'bare', 'bare', @serial, @der, sha256(@der), sha256(@spki), @account, @row, 'CN=' || @name, @emails, @search,
			@at, @until, @at, @until, @chain) returning id
	), n as (
		insert into application (reference, row_id, account, spki, key_kind, terms, state, profile, common_name, given_name, surname, emails, serial,
			not_before, certificate, created, ended, proof)
		select @reference, @row, @account, @spki, 'EC P-256', 'bare', 'issued', @profile, @name, 'Bea', 'Bench', @emails, @serial,
			@at, c.id, @at, @at, jsonb_build_array(jsonb_build_object('address', (@emails::text[])[1], 'validation', 'domain')) from c returning id, certificate
	), k as (
		insert into address_certificate (certificate, row_id, account, issued, ends, addresses)
		select certificate, @row, @account, @at, @until, @emails from n
	), r as (
		update address_row set certificate_end = @until where id = @row
	)` + bareBeside

// bareApplications is the floor: for each row crypto/x509 signs with a key like the
// authority's, zlint looks at it, and one statement, which is one transaction,
// inserts what the portal has written when an application is over, into the same
// tables with their indexes and triggers.
//
// The floor knows everything beforehand: it reads nothing, asks for no right,
// checks no request, holds no lock, writes each row once in its last state and
// wakes nobody. Neither side posts a letter, for nobody here has a verified
// address. Its OCSP response is random bytes; those of the portal are signed.
func (r *rig) bareApplications(ctx context.Context, rows []mailbox.ID) (time.Duration, error) {
	bare, err := newBareAuthority()
	if err != nil {
		return 0, err
	}
	keys, err := leaves(len(rows))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = share(len(rows), func(i int) error {
		address := fmt.Sprintf("user%d@cert.example", rows[i])
		serial, der, err := bare.mail(keys[i].Public(), address)
		if err != nil {
			return err
		}
		spki, err := x509.MarshalPKIXPublicKey(keys[i].Public())
		if err != nil {
			return err
		}
		reference := fmt.Sprintf("bare %x", serial)
		_, err = r.DB.Exec(ctx, bareApplication, bare.beside(reference, serial, der, pgx.NamedArgs{
			"authority": "mail", "account": r.actor.Account, "row": rows[i], "spki": spki, "until": began.AddDate(2, 0, 0),
			"profile": pki.MailIndividual, "name": "Bea Bench", "emails": []string{address}, "names": []string{},
			"search": fmt.Sprintf("%s bea bench %s", reference, address), "actions": []string{"order.applied", "cert.issued"},
			"kind": "application", "kinds": []string{"address_row", "account"}, "things": []int64{int64(rows[i]), int64(r.actor.Account)},
		}))
		return err
	})
	return time.Since(began), err
}

// leaves are n keys: everybody has one of their own.
func leaves(n int) ([]*ecdsa.PrivateKey, error) {
	all := make([]*ecdsa.PrivateKey, n)
	return all, share(n, func(i int) (err error) {
		all[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		return err
	})
}

// requests are n of them, each with a key of its own.
func requests(n int) ([]string, error) {
	keys, err := leaves(n)
	if err != nil {
		return nil, err
	}
	all := make([]string, n)
	return all, share(n, func(i int) error {
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, keys[i])
		all[i] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
		return err
	})
}

// applications applies for each row and waits until all are issued.
func (r *rig) applications(ctx context.Context, rows []mailbox.ID) (time.Duration, error) {
	csrs, err := requests(len(rows))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = share(len(rows), func(i int) error {
		_, err := r.Order.Apply(ctx, r.actor, rows[i], order.Input{CSR: csrs[i], Terms: r.Order.Terms})
		return err
	})
	if err != nil {
		return 0, err
	}
	for {
		var waiting bool // an index of open applications answers at once
		if err := r.DB.QueryRow(ctx, `select exists (select from application where ended is null)`).Scan(&waiting); err != nil {
			return 0, err
		}
		if !waiting {
			took := time.Since(began)
			var issued int
			err := r.DB.QueryRow(ctx, `select count(*) from application where state = 'issued' and row_id = any($1)`, rows).Scan(&issued)
			if err == nil && issued != len(rows) {
				err = fmt.Errorf("%d of %d applications were issued", issued, len(rows))
			}
			return took, err
		}
		if time.Since(began) > 2*time.Minute {
			return 0, fmt.Errorf("applications still wait after two minutes")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// mine is the page of somebody with 10,000 certificates.
func (r *rig) mine(ctx context.Context) (figure, error) {
	_, err := r.DB.Exec(ctx, `insert into certificate (reference, authority, issuer, serial, der, fingerprint, account, row_id, subject, emails, search,
			not_before, not_after, issued)
		select 'BEN-' || i, authority, issuer, decode(md5(i::text), 'hex'), der, fingerprint, account, row_id, subject, emails, search || i,
			not_before, not_after, issued
		from generate_series(1, 10000) i, (select * from certificate order by id limit 1) c`)
	if err != nil {
		return figure{}, err
	}
	if _, err := r.DB.Exec(ctx, `delete from link where row_id not in (select row_id from link order by row_id limit 3)`); err != nil {
		return figure{}, err
	}
	if _, err := r.DB.Exec(ctx, "vacuum analyze"); err != nil {
		return figure{}, err
	}
	floor, ts, err := r.against(ctx, "/client-certificates?which=all")
	if err != nil {
		return figure{}, err
	}
	return figure{
		name: "client certificates of somebody with 10,000", measured: fmt.Sprintf("F %v, page %v", us(floor), us(ts[0])), bound: "≤ F + 5 ms",
		ok: ts[0] <= floor+5*time.Millisecond,
	}, nil
}
