package sitetest

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
	"testing"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

// found makes the portal's authorities.
func (r *Rig) found(cfg portal.Config) {
	r.T.Helper()
	db, sealer, err := cfg.Database(r.T.Context())
	if err != nil {
		r.T.Fatal(err)
	}
	defer db.Close()
	o := ca.Options{Organisation: "Universität Beispiel", Country: "DE", Now: r.Clock.Now(), PKIURL: trial.Must(url.Parse(cfg.PKIURL))}
	if err := ca.Init(r.T.Context(), db, sealer, o); err != nil {
		r.T.Fatal(err)
	}
}

// NewKey is a private key and a request for it, both in PEM.
func NewKey(name string, change ...func(*x509.CertificateRequest)) (key, csr string) {
	k := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}
	for _, f := range change {
		f(template)
	}
	der := trial.Must(x509.CreateCertificateRequest(rand.Reader, template, k))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: trial.Must(x509.MarshalPKCS8PrivateKey(k))})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func NewCSR(name string) string { _, csr := NewKey(name); return csr }

// LinkRow makes a personal row of uni.example and links it to somebody, without
// their mails.
func (r *Rig) LinkRow(local, sub string, aliases ...string) mailbox.ID {
	r.T.Helper()
	return r.LinkInput(mailbox.Input{Kind: mailbox.Personal, Name: People[sub], Primary: local + "@uni.example", Aliases: aliases}, sub)
}

// LinkInput is LinkRow for any row.
func (r *Rig) LinkInput(in mailbox.Input, sub string) mailbox.ID {
	r.T.Helper()
	ctx := r.T.Context()
	row, _ := r.AddRow(in)
	trial.Must(r.Mailbox.Challenge(ctx, r.Actors["nora"], "uni.example", row))
	for _, sql := range []string{
		`insert into link (row_id, account, addresses, round, since)
			select r.id, $2, array(select lower(x) from unnest(r.primary_address || r.aliases) x), c.id, $3
			from address_row r join challenge_round c on c.row_id = r.id where r.id = $1`,
		`update challenge set state = 'confirmed', ended = $3, account = $2 where row_id = $1`,
		`update challenge_round set outcome = 'complete', ended = $3 where row_id = $1 and $2::bigint > 0`,
		`update address_row set status = 'confirmed' where id = $1 and $2::bigint > 0 and $3::timestamptz is not null`,
	} {
		trial.Must(r.Pool.Exec(ctx, sql, row, r.Actors[sub].Account, r.Clock.Now()))
	}
	return row
}

// Applied is an application that waits.
func (r *Rig) Applied(sub string, row mailbox.ID) order.ID {
	r.T.Helper()
	made, err := r.Order.Apply(r.T.Context(), r.Actors[sub], row, order.Input{CSR: NewCSR("antrag"), Terms: r.Order.Terms})
	if err != nil {
		r.T.Fatalf("apply: %v", err)
	}
	return made.ID
}

// Certified is a certificate as it comes of an application.
func (r *Rig) Certified(sub string, row mailbox.ID) cert.ID {
	r.T.Helper()
	n := r.Applied(sub, row)
	if err := r.Order.Issue(r.T.Context(), n); err != nil {
		r.T.Fatalf("issue: %v", err)
	}
	var a order.Application
	r.Until("the application is over", func() bool { // a job may have it in hand
		a = trial.Must(r.Order.One(r.T.Context(), r.Actors[sub], n))
		return a.Ended != nil
	})
	if a.Certificate == nil {
		r.T.Fatalf("application %d is %s (%s), want a certificate", n, a.State, a.Reason)
	}
	return *a.Certificate
}

// Failed is an application that the authority turned down.
func (r *Rig) Failed(sub string, row mailbox.ID) order.ID {
	r.T.Helper()
	n := r.Applied(sub, row)
	trial.Must(r.Pool.Exec(r.T.Context(), `update application set state = 'failed', reason = 'order.failed.authority', ended = $2 where id = $1`, n, r.Clock.Now()))
	trial.Must(r.Pool.Exec(r.T.Context(), `update intent set state = 'refused', reason = 'order.failed.authority', since = $2, next_look = null where number = $1`, n, r.Clock.Now()))
	return n
}

// Upload sends a form with a file, as a browser does.
func (b *Browser) Upload(path, file string, form ...string) Answer {
	b.Rig.T.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(form); i += 2 {
		trial.Must(0, m.WriteField(form[i], form[i+1]))
	}
	part := trial.Must(m.CreateFormFile("file", "antrag.csr"))
	trial.Must(part.Write([]byte(file)))
	trial.Must(0, m.Close())
	req := trial.Must(http.NewRequest(http.MethodPost, b.Rig.At(path), strings.NewReader(body.String())))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.Send(req)
}

func PemBlocks(t *testing.T, text string) (all []*x509.Certificate) {
	t.Helper()
	for rest := []byte(text); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			if strings.TrimSpace(string(rest)) != "" {
				t.Errorf("the file holds more than certificates: %q", rest)
			}
			return all
		}
		all = append(all, trial.Must(x509.ParseCertificate(b.Bytes)))
	}
}

// Findings are what a failed issuance left for the office.
const Findings = `[{"rule": "validity", "whom": "office", "id": "lint.validity", "args": ["days", 1000, "most", 825]},
	{"rule": "e_dnsname_not_valid_tld", "whom": "office", "id": "lint.zlint", "args": ["rule", "e_dnsname_not_valid_tld", "text", "DNSNames must have a valid TLD", "source", "BRs: 3.2.2.4"]}]`

// Reported is a report by somebody about a certificate of theirs.
func (r *Rig) Reported(sub string) (id int64) {
	r.T.Helper()
	ctx, n := r.T.Context(), r.Clock.Now()
	reference := r.Served(r.Organisation, ECKey().Public(), 90, "gemeldet.uni.example")
	c := trial.Must(r.Cert.Server(ctx, r.Actors["rita"], reference))
	trial.Must(0, r.Pool.QueryRow(ctx, `insert into key_report (reference, key, certificate, word, reason, words, email, account, created, due)
		select 'R-' || reference, key, id, false, 1, 'Der Schlüssel lag im Netz.', 'finder@anderswo.example', $2, $3, $4 from certificate where id = $1 returning id`,
		c.ID, r.Actors[sub].Account, n, n.Add(compromise.ReportLife)).Scan(&id))
	return id
}
