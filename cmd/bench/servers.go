package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/web/paths"
)

// fillServers puts n server certificates into an organisation whose ends lie in
// one year and whose lives are 90 days: 300 days of it are over, 30 end soon.
const fillServers = `
	insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, subject, emails, search, not_before, not_after, issued,
		organisation, common_name, names, product, server_order, renewable, phase, turns, revoked, reason)
	select reference, 'tls', '\x01', serial, @der, sha256(serial), sha256(serial), 'CN=' || name, '{}',
		' ' || lower(reference) || ' ' || encode(serial, 'hex') || ' ' || name || ' ' || other, e - interval '90 days', e, e - interval '90 days',
		@organisation::bigint, name, array[name, other], 'tls-multi', i, e - interval '30 days',
		case when over then 'over' when e < @now + interval '30 days' then 'ending' else 'valid' end,
		case when over then null when e < @now + interval '30 days' then e else e - interval '30 days' end,
		case when revoked then e - interval '80 days' end, case when revoked then 4 end
	from (
		select i, e, e < @now or i % 25 = 0 as over, i % 25 = 0 as revoked, words[1 + (i * 7) % cardinality(words)] || i % 50000 || '.' || @zone as name,
			words[1 + (i * 3) % cardinality(words)] || i || '.' || @zone as other,
			substr(upper(md5(i || @zone)), 1, 4) || '-' || lpad(upper(to_hex(i)), 5, '0') || @organisation::bigint as reference,
			decode(md5('serial' || i || @zone), 'hex') as serial
		from generate_series(1, @n::int) i,
			lateral (select @now::timestamptz + (i::bigint * 7919 % 525600 - 432000) * interval '1 minute' as e) x,
			(select string_to_array('www mail cloud login api shop wiki git moodle portal vpn ftp ns ldap idp sso events jobs static cdn', ' ') as words) w
	) x`

// servers measures lists, searches and downloads of server certificates.
func servers(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer func() { r.close() }()
	if r, err = r.withAuthority(ctx); err != nil {
		return nil, err
	}
	real, err := r.serverCertificates(ctx, 100)
	if err != nil {
		return nil, err
	}
	err = r.bulk(ctx, "certificate", func() error {
		return errors.Join(r.fillServers(ctx, "small.example", 1000), r.fillServers(ctx, "large.example", c.Rows))
	})
	if err != nil {
		return nil, err
	}
	if _, err := r.DB.Exec(ctx, "vacuum analyze"); err != nil {
		return nil, err
	}
	var all []figure
	for _, measure := range []func(context.Context) ([]figure, error){r.serverLists, r.serverSearches} {
		f, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, f...)
	}
	f, err := r.downloads(ctx, real)
	return append(all, f), err
}

func (r *rig) organisation(ctx context.Context, name string) (id org.OrganisationID, err error) {
	err = r.DB.QueryRow(ctx, `insert into organisation (name, country, contact, appointed, created) values ($1, 'DE', $2, now(), now()) returning id`,
		name, r.actor.Account).Scan(&id)
	return id, err
}

func (r *rig) fillServers(ctx context.Context, name string, n int) error {
	began := time.Now()
	o, err := r.organisation(ctx, name)
	if err != nil {
		return err
	}
	der := make([]byte, 700) // as long as a real one, and as hard to compress
	rand.Read(der)
	_, err = r.DB.Exec(ctx, fillServers, pgx.NamedArgs{"organisation": o, "zone": name, "n": n, "now": time.Now(), "der": der})
	fmt.Printf("filled %s with %d server certificates in %v\n", name, n, time.Since(began).Round(time.Second))
	return err
}

// bulk drops the indexes of a table that only make it quicker, and makes them
// again after f: so a million rows take a minute and not ten.
func (r *rig) bulk(ctx context.Context, table string, f func() error) error {
	rows, err := r.DB.Query(ctx, `select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid = $1::regclass and not indisunique`, table)
	if err != nil {
		return err
	}
	var name, definition string
	var names, definitions []string
	if _, err := pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		names, definitions = append(names, name), append(definitions, definition)
		return nil
	}); err != nil {
		return err
	}
	if _, err := r.DB.Exec(ctx, "drop index "+strings.Join(names, ", ")); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	for _, d := range definitions {
		if _, err := r.DB.Exec(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// serverCertificates issues n real ones, to be downloaded.
func (r *rig) serverCertificates(ctx context.Context, n int) ([]string, error) {
	o, err := r.organisation(ctx, "echt.example")
	if err != nil {
		return nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := pki.NewKey(private.Public())
	if err != nil {
		return nil, err
	}
	references := make([]string, n)
	for i := range references {
		now := time.Now()
		references[i] = fmt.Sprintf("REAL-%05d", i)
		signed, err := campus.Signed(ctx, r.CA, pki.Request{
			Intent: int64(i + 1), Profile: pki.TLSServer, Key: key, DNS: []string{fmt.Sprintf("www%d.echt.example", i)}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
		})
		if err != nil {
			return nil, err
		}
		err = r.DB.Tx(ctx, func(tx pgx.Tx) error {
			_, err := r.Cert.Record(ctx, tx, r.Cert.Now(), cert.Issuance{
				Reference: references[i], Authority: "tls", Organisation: o, Order: int64(i), Product: "tls-single", Certificate: signed,
			})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return references, nil
}

// serverFloor is the time of a bare query for 50 certificates' columns by
// primary key.
func (r *rig) serverFloor(ctx context.Context) func() error {
	var most int64
	_ = r.DB.QueryRow(ctx, `select max(id) from certificate`).Scan(&most)
	return func() error {
		ids := make([]int64, 50)
		for i := range ids {
			ids[i] = 1 + mathrand.Int64N(most)
		}
		rows, err := r.DB.Query(ctx, `select id, reference, authority, serial, fingerprint, organisation, subject, common_name, names, product, server_order,
			not_before, not_after, issued, revoked, reason, renewal, replaced_by, replaced_at from certificate where id = any($1)`, ids)
		if err != nil {
			return err
		}
		for rows.Next() {
			if _, err := rows.Values(); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

func (r *rig) organisationCalled(ctx context.Context, name string) (id int64, err error) {
	return id, r.DB.QueryRow(ctx, `select id from organisation where name = $1`, name).Scan(&id)
}

func (r *rig) serverLists(ctx context.Context) ([]figure, error) {
	small, err := r.organisationCalled(ctx, "small.example")
	if err != nil {
		return nil, err
	}
	large, err := r.organisationCalled(ctx, "large.example")
	if err != nil {
		return nil, err
	}
	floor := r.serverFloor(ctx)
	var all []figure
	for _, sort := range []string{"end", "name", "issued", "reference"} {
		for _, more := range []string{"", "&which=ending", "&which=over&desc=1", "&which=all"} {
			q := "?sort=" + sort + more
			few, many := fmt.Sprintf("/certificates%s&organisation=%d", q, small), fmt.Sprintf("/certificates%s&organisation=%d", q, large)
			deep, err := r.deep(many)
			if err != nil {
				return nil, err
			}
			f, ts, err := r.alternate(floor, few, many, deep, paths.Certificates+q, paths.OfficeServers+q)
			if err != nil {
				return nil, err
			}
			worst := max(ts[1], ts[2], ts[3], ts[4])
			all = append(all, figure{
				name:     "server certificates, 50, " + q[1:],
				measured: fmt.Sprintf("F %v, 1,000: %v, all: %v, deep: %v, own: %v, office: %v", us(f), us(ts[0]), us(ts[1]), us(ts[2]), us(ts[3]), us(ts[4])),
				bound:    "≤ F + 5 ms, ≤ 1.5 ×",
				ok:       worst <= f+5*time.Millisecond && float64(worst) <= 1.5*float64(ts[0]),
			})
		}
	}
	return all, nil
}

func (r *rig) serverSearches(ctx context.Context) ([]figure, error) {
	var reference, serial, fingerprint string
	err := r.DB.QueryRow(ctx, `select reference, encode(serial, 'hex'), encode(fingerprint, 'hex') from certificate where common_name like '%large%' and phase = 'valid'
		order by id limit 1 offset 10`).Scan(&reference, &serial, &fingerprint)
	if err != nil {
		return nil, err
	}
	floor := r.serverFloor(ctx)
	var all []figure
	for _, text := range []string{
		"large.example", "www", "moodle4711", "moodle47112.large", "vpn sso", "gibtesnicht", "git12", reference, serial, serial[:12], serial[9:25], fingerprint, "w",
	} {
		for _, page := range []string{"/certificates?q=", "/office/server-certificates?which=all&q="} {
			f, ts, err := r.alternate(floor, page+url.QueryEscape(text))
			if err != nil {
				return nil, err
			}
			all = append(all, figure{
				name:     fmt.Sprintf("search %.20q in %.12s", text, page),
				measured: fmt.Sprintf("F %v, page %v = %.1f × F", us(f), us(ts[0]), float64(ts[0])/float64(f)),
				bound:    "≤ 20 × F", ok: ts[0] <= 20*f,
			})
		}
	}
	return all, nil
}
