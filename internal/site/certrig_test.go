package site_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/portal"
)

// found makes the portal's authorities.
func (r *rig) found(cfg portal.Config) {
	r.t.Helper()
	db, sealer, err := cfg.Database(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	o := ca.Options{Organisation: "Universität Beispiel", Country: "DE", Now: r.clock.Now(), PKIURL: must(url.Parse(cfg.PKIURL))}
	if err := ca.Init(r.t.Context(), db, sealer, o); err != nil {
		r.t.Fatal(err)
	}
}

// newKey is a private key and a request for it, both in PEM.
func newKey(name string, change ...func(*x509.CertificateRequest)) (key, csr string) {
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}
	for _, f := range change {
		f(template)
	}
	der := must(x509.CreateCertificateRequest(rand.Reader, template, k))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(k))})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func newCSR(name string) string { _, csr := newKey(name); return csr }

// linkRow makes a personal row of uni.example and links it to somebody, without
// their mails.
func (r *rig) linkRow(local, sub string, aliases ...string) mailbox.ID {
	r.t.Helper()
	return r.linkInput(mailbox.Input{Kind: mailbox.Personal, Name: names[sub], Primary: local + "@uni.example", Aliases: aliases}, sub)
}

// linkInput is linkRow for any row.
func (r *rig) linkInput(in mailbox.Input, sub string) mailbox.ID {
	r.t.Helper()
	ctx := r.t.Context()
	row, _ := r.addRow(in)
	must(r.Mailbox.Challenge(ctx, r.actors["nora"], "uni.example", row))
	for _, sql := range []string{
		`insert into link (row_id, account, addresses, round, since)
			select r.id, $2, array(select lower(x) from unnest(r.primary_address || r.aliases) x), c.id, $3
			from address_row r join challenge_round c on c.row_id = r.id where r.id = $1`,
		`update challenge set state = 'confirmed', ended = $3, account = $2 where row_id = $1`,
		`update challenge_round set outcome = 'complete', ended = $3 where row_id = $1 and $2::bigint > 0`,
		`update address_row set status = 'confirmed' where id = $1 and $2::bigint > 0 and $3::timestamptz is not null`,
	} {
		must(r.db.Exec(ctx, sql, row, r.actors[sub].Account, r.clock.Now()))
	}
	return row
}

// applied is an application that waits.
func (r *rig) applied(sub string, row mailbox.ID) order.ID {
	r.t.Helper()
	made, err := r.Order.Apply(r.t.Context(), r.actors[sub], row, order.Input{CSR: newCSR("antrag"), Terms: r.Order.Terms})
	if err != nil {
		r.t.Fatalf("apply: %v", err)
	}
	return made.ID
}

// certified is a certificate as it comes of an application.
func (r *rig) certified(sub string, row mailbox.ID) cert.ID {
	r.t.Helper()
	n := r.applied(sub, row)
	if err := r.Order.Issue(r.t.Context(), n); err != nil {
		r.t.Fatalf("issue: %v", err)
	}
	a := must(r.Order.One(r.t.Context(), r.actors[sub], n))
	if a.Certificate == nil {
		r.t.Fatalf("application %d is %s (%s), want a certificate", n, a.State, a.Reason)
	}
	return *a.Certificate
}

// failed is an application that the authority turned down.
func (r *rig) failed(sub string, row mailbox.ID) order.ID {
	r.t.Helper()
	n := r.applied(sub, row)
	must(r.db.Exec(r.t.Context(), `update application set state = 'failed', reason = 'order.failed.authority', profile = 'mail-personal',
		emails = (select primary_address || aliases from address_row r where r.id = row_id), serial = '\x01', not_before = $2, ended = $2 where id = $1`, n, r.clock.Now()))
	return n
}

// upload sends a form with a file, as a browser does.
func (b *browser) upload(path, file string, form ...string) answer {
	b.r.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(form); i += 2 {
		must(0, m.WriteField(form[i], form[i+1]))
	}
	part := must(m.CreateFormFile("file", "antrag.csr"))
	must(part.Write([]byte(file)))
	must(0, m.Close())
	req := must(http.NewRequest(http.MethodPost, b.r.at(path), strings.NewReader(body.String())))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(req)
}
