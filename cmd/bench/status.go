package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/ocsp"

	"petschaft/internal/pki"
)

const (
	askedCertificates = 2000
	askedEach         = 40_000
)

// fillMail puts n certificates of the mail authority into the row, whose ends
// lie ahead; of those that are to be, each is revoked.
const fillMail = `insert into certificate (reference, authority, issuer, serial, der, fingerprint, account, row_id, subject, emails, search,
		not_before, not_after, issued, revoked, reason)
	select prefix || i, 'mail', '\x01', serial, '', sha256(serial), @account::bigint, @row::bigint, 'CN=Bea Bench', '{bea@cert.example}', '',
		now(), now() + interval '1 year', now(), case when @revoked::boolean then now() - i * interval '1 second' end,
		case when @revoked::boolean then (array[0, 1, 3, 4, 5, 9])[1 + i % 6] end
	from (select i, prefix, '\x4f' || substr(sha256((prefix || i)::bytea), 1, 15) as serial from generate_series(1, @n::int) i, (select @prefix::text as prefix) p) x`

// status asks about certificates over HTTP, by GET and by POST, against a
// handler that sends bytes of the same size.
func status(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer func() { r.close() }()
	if r, err = r.withAuthority(ctx); err != nil {
		return nil, err
	}
	questions, err := r.questions(ctx)
	if err != nil {
		return nil, err
	}
	a := asker{questions: questions, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: issueClients}}}
	defer a.client.CloseIdleConnections()
	front := httptest.NewServer(r.Handler)
	defer front.Close()
	response, err := a.ask(ctx, front.URL, http.MethodGet, 0)
	if err != nil {
		return nil, err
	}
	static := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/ocsp-response")
		w.Write(response)
	}))
	defer static.Close()
	var all []figure
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		var bare, portal []time.Duration
		for range rounds {
			b, err := a.all(ctx, static.URL, method)
			if err != nil {
				return nil, err
			}
			p, err := a.all(ctx, front.URL, method)
			if err != nil {
				return nil, err
			}
			bare, portal = append(bare, b), append(portal, p)
		}
		b, p := rate(askedEach, median(bare)), rate(askedEach, median(portal))
		all = append(all, figure{
			name:     fmt.Sprintf("OCSP by %s about %d certificates, %d clients", method, askedCertificates, issueClients),
			measured: fmt.Sprintf("fixed bytes %.0f/s, portal %.0f/s = %.2f ×", b, p, p/b), bound: "≥ 0.5 ×", ok: p >= 0.5*b,
		})
	}
	return all, nil
}

// asker asks its questions in turn.
type asker struct {
	questions [][]byte
	client    *http.Client
}

func (a asker) all(ctx context.Context, base, method string) (time.Duration, error) {
	began := time.Now()
	err := share(askedEach, func(i int) error {
		_, err := a.ask(ctx, base, method, i)
		return err
	})
	return time.Since(began), err
}

func (a asker) ask(ctx context.Context, base, method string, i int) ([]byte, error) {
	der, at := a.questions[i%len(a.questions)], base+"/pki/ocsp/mail"
	var question io.Reader
	if method == http.MethodGet {
		at += "/" + url.PathEscape(base64.StdEncoding.EncodeToString(der))
	} else {
		question = bytes.NewReader(der)
	}
	req, err := http.NewRequestWithContext(ctx, method, at, question)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	res, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || len(body) < 300) {
		err = fmt.Errorf("%s %s: status %d, %d bytes", method, at, res.StatusCode, len(body))
	}
	return body, err
}

// mailRow is a row that certificates belong to.
func (r *rig) mailRow(ctx context.Context) (int64, error) {
	d, err := r.domain(ctx, "cert.example")
	if err != nil {
		return 0, err
	}
	rows, err := r.linkedRows(ctx, d, 1)
	if err != nil {
		return 0, err
	}
	return int64(rows[0]), nil
}

// questions are about certificates whose responses are signed.
func (r *rig) questions(ctx context.Context) ([][]byte, error) {
	row, err := r.mailRow(ctx)
	if err != nil {
		return nil, err
	}
	_, err = r.DB.Exec(ctx, fillMail, pgx.NamedArgs{"account": r.actor.Account, "row": row, "revoked": false, "n": askedCertificates, "prefix": "ASK-"})
	if err != nil {
		return nil, err
	}
	if err := r.Cert.NoteMissingResponses(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := r.Cert.RefreshResponses(ctx); err != nil {
		return nil, err
	}
	fmt.Printf("signed the responses about %d certificates in %v\n", askedCertificates, time.Since(began).Round(time.Millisecond))
	authority, err := x509.ParseCertificate(r.CA.Chain("mail")[0])
	if err != nil {
		return nil, err
	}
	rows, err := r.DB.Query(ctx, `select serial from certificate order by id`)
	if err != nil {
		return nil, err
	}
	serials, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, err
	}
	all := make([][]byte, len(serials))
	for i, serial := range serials {
		all[i], err = ocsp.CreateRequest(&x509.Certificate{SerialNumber: new(big.Int).SetBytes(serial)}, authority, &ocsp.RequestOptions{Hash: crypto.SHA1})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

const listed = 100_000

// lists signs a list of 100,000 entries, read from the database and kept there,
// against bare signing of the same entries.
func lists(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer func() { r.close() }()
	if r, err = r.withAuthority(ctx); err != nil {
		return nil, err
	}
	row, err := r.mailRow(ctx)
	if err != nil {
		return nil, err
	}
	_, err = r.DB.Exec(ctx, fillMail, pgx.NamedArgs{"account": r.actor.Account, "row": row, "revoked": true, "n": listed, "prefix": "OFF-"})
	if err != nil {
		return nil, err
	}
	if _, err := r.DB.Exec(ctx, "vacuum analyze certificate"); err != nil {
		return nil, err
	}
	bare, err := bareList(ctx, r)
	if err != nil {
		return nil, err
	}
	var floor, signed, whole []time.Duration
	for range rounds {
		for _, m := range []struct {
			into *[]time.Duration
			do   func() error
		}{{&floor, bare.sign}, {&signed, bare.signOurs}, {&whole, func() error { return r.Cert.SignList(ctx, "mail") }}} {
			took, err := timed(1, m.do)
			if err != nil {
				return nil, err
			}
			*m.into = append(*m.into, took)
		}
	}
	if l, err := r.Cert.Newest(ctx, "mail"); err != nil || l.Entries != listed {
		return nil, fmt.Errorf("the list has %d entries: %w", l.Entries, err)
	}
	f, s, w := median(floor), median(signed), median(whole)
	return []figure{{
		name:     "revocation list of 100,000, read, signed and kept",
		measured: fmt.Sprintf("bare %v, signed %v = %.2f ×, all of it %v = %.2f ×", ms(f), ms(s), float64(s)/float64(f), ms(w), float64(w)/float64(f)),
		bound:    "≤ 2 ×", ok: w <= 2*f,
	}}, nil
}

func ms(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// unsigned is what a list is made of, for both ways to sign it.
type unsigned struct {
	authority *x509.Certificate
	key       crypto.Signer
	entries   []x509.RevocationListEntry
	revoked   []pki.Revocation
	number    int64
}

func bareList(ctx context.Context, r *rig) (*unsigned, error) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	authority, err := pki.NewRoot(pki.Authority{Organisation: "Bare", Country: "DE", Role: "CA", Years: 1, NotBefore: now}, key)
	if err != nil {
		return nil, err
	}
	u := &unsigned{authority: authority, key: key}
	rows, err := r.DB.Query(ctx, `select serial, revoked as at, reason from certificate where revoked is not null order by serial`)
	if err != nil {
		return nil, err
	}
	if u.revoked, err = pgx.CollectRows(rows, pgx.RowToStructByName[pki.Revocation]); err != nil {
		return nil, err
	}
	for _, e := range u.revoked {
		u.entries = append(u.entries, x509.RevocationListEntry{
			SerialNumber: new(big.Int).SetBytes(e.Serial), RevocationTime: e.At.UTC(), ReasonCode: int(e.Reason),
		})
	}
	return u, nil
}

func (u *unsigned) sign() error {
	u.number++
	_, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(u.number), ThisUpdate: time.Now(), NextUpdate: time.Now().AddDate(0, 0, 7), RevokedCertificateEntries: u.entries,
	}, u.authority, u.key)
	return err
}

func (u *unsigned) signOurs() error {
	u.number++
	_, err := pki.Issuer{Certificate: u.authority, Signer: u.key}.SignCRL(u.number, u.revoked, time.Now(), time.Now().AddDate(0, 0, 7))
	return err
}
