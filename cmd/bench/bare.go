package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	zl "github.com/zmap/zlint/v3/lint"

	"petschaft/internal/pki"
)

// bareAuthority signs with crypto/x509 by a P-384 key, as the portal's own
// authorities have, and asks zlint, and nothing else.
type bareAuthority struct {
	key      *ecdsa.PrivateKey
	parent   *x509.Certificate
	rules    zl.Registry
	checks   []byte // as much as the portal keeps of what was checked
	response []byte // as long as a signed one, and as hard to compress, as what follows
	chain    [][]byte
	csr      []byte
}

func newBareAuthority() (bareAuthority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return bareAuthority{}, err
	}
	rules, err := zl.GlobalRegistry().Filter(zl.FilterOptions{
		ExcludeSources: zl.SourceList{zl.CABFEVGuidelines, zl.EtsiEsi, zl.CABFCSBaselineRequirements},
	})
	if err != nil {
		return bareAuthority{}, err
	}
	checks, err := json.Marshal(map[string]any{"version": "bare", "passed": rules.Names()[:30]})
	random := func(n int) []byte {
		b := make([]byte, n)
		rand.Read(b)
		return b
	}
	return bareAuthority{
		key: key, rules: rules, checks: checks, response: random(900), chain: [][]byte{random(550), random(500)}, csr: random(190),
		parent: &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Bare"}, IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte{1}},
	}, err
}

// mail is a certificate for a mailbox under the strict policy, linted.
func (b bareAuthority) mail(public crypto.PublicKey, address string) (serial, der []byte, err error) {
	policy, _ := pki.MailIndividual.Profile()
	return b.sign(public, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Bea Bench"}, EmailAddresses: []string{address}, NotAfter: time.Now().AddDate(2, 0, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, Policies: []x509.OID{policy.Reserved()},
	})
}

// server is a certificate for a server's name, linted.
func (b bareAuthority) server(public crypto.PublicKey, name string) (serial, der []byte, err error) {
	policy, _ := pki.TLSDomain.Profile()
	return b.sign(public, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().AddDate(0, 0, 90),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, Policies: []x509.OID{policy.Reserved()},
	})
}

func (b bareAuthority) sign(public crypto.PublicKey, c *x509.Certificate) (serial, der []byte, err error) {
	serial = pki.NewSerial()
	c.SerialNumber, c.NotBefore, c.KeyUsage = new(big.Int).SetBytes(serial), time.Now(), x509.KeyUsageDigitalSignature
	c.CRLDistributionPoints = []string{"http://pki.bench.example/a.crl"}
	if der, err = x509.CreateCertificate(rand.Reader, c, b.parent, public, b.key); err != nil {
		return nil, nil, err
	}
	read, err := zx509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	zlint.LintCertificateEx(read, b.rules)
	return serial, der, nil
}

// bareBeside are the rows that the portal keeps beside a certificate and what it
// was issued for, which n is (its number and the certificate's): the intent, the
// authority's own record, evidence, an OCSP response, audit lines that wait for
// their seal, and a job that was done, as River leaves it.
const bareBeside = `, t as (
		insert into intent (number, kind, reference, authority, csr, spki, profile, common_name, emails, names, serial, not_before, state, since, asked, chain)
		select n.id, @kind, @reference, @authority, @csr, @spki, @profile, @name, @emails, @names, @serial, @at, 'issued', @at, @at, @chain from n
	), i as (
		insert into ca_issued (intent, authority, serial, asked, der, at, checks)
		select n.id, a.id, @serial, sha256(@der), @der, @at, @checks from n, authority a where a.name = @authority
	), e as (
		insert into evidence (certificate, at, rules, document) select certificate, @at, 'bare', @document from n
	), o as (
		insert into ocsp_answer (certificate, authority, serial, sha1, sha256, this_update, next_update, due)
		select certificate, 'bare', @serial, @response, @response, @at, @until, @until from n
	), l as (
		insert into audit_line (at, account, action, detail, salt, digest)
		select @at, @account, u.action, @detail, @salt, @digest from unnest(@actions::text[]) u (action) returning id
	), b as (
		insert into audit_about (line, kind, id)
		select l.id, t.kind, t.id from l, n, unnest(@kind::text || @kinds::text[], array[n.id] || @things::bigint[]) t (kind, id)
	), u as (
		insert into audit_waiting (line) select id from l
	)
	insert into river_job (kind, args, state, queue, priority, attempt, max_attempts, attempted_by, created_at, scheduled_at, attempted_at, finalized_at)
	select 'bare', jsonb_build_object('number', n.id), 'completed', 'default', 1, 1, 25, '{bare}', @at, @at, @at, @at from n`

// beside fills in what bareBeside wants to know, but whom it is about.
func (b bareAuthority) beside(reference string, serial, der []byte, args pgx.NamedArgs) pgx.NamedArgs {
	detail, _ := json.Marshal(map[string]any{"reference": reference, "serial": serial}) // of strings and bytes
	salt := make([]byte, 16)
	rand.Read(salt)
	digest := sha256.Sum256(append(append([]byte{}, salt...), detail...))
	document, _ := json.Marshal(map[string]any{"reference": reference, "checks": json.RawMessage(b.checks), "beside": strings.Repeat("evidence ", 80)})
	args["reference"], args["serial"], args["der"], args["detail"], args["salt"], args["digest"] = reference, serial, der, string(detail), salt, digest[:]
	args["checks"], args["document"], args["response"], args["at"] = b.checks, document, b.response, time.Now()
	args["chain"], args["csr"] = b.chain, b.csr
	return args
}
