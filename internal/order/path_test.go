package order_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/pki"
	"petschaft/internal/queue"
	"petschaft/internal/sink"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// openssl runs the command in dir and returns what it says.
func openssl(dir string, args ...string) (string, error) {
	c := exec.Command("openssl", args...)
	c.Dir = dir
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// files leaves what somebody downloads who checks a certificate.
func (r *rig) files(t *testing.T, c cert.Certificate) (dir string) {
	t.Helper()
	dir = t.TempDir()
	chain := r.local.Chain(ca.Mail)
	write(t, dir, "leaf.pem", pki.PEM(c.DER))
	write(t, dir, "mail.pem", pki.PEM(chain[0]))
	write(t, dir, "root.pem", pki.PEM(chain[1]))
	r.lists(t, dir)
	return dir
}

func (r *rig) lists(t *testing.T, dir string) {
	t.Helper()
	var all []byte
	for _, name := range []string{ca.Root, ca.Mail} {
		l := trial.Must(r.Cert.Newest(t.Context(), name))
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: l.DER})...)
	}
	write(t, dir, "lists.pem", all)
	write(t, dir, "trusted.pem", append(pki.PEM(r.local.Chain(ca.Mail)[1]), all...)) // `openssl cms` reads lists only from there
}

func (r *rig) verify(dir string) (string, error) {
	return openssl(dir, "verify", "-x509_strict", "-attime", strconv.FormatInt(r.Now().Add(time.Minute).Unix(), 10), "-purpose", "smimesign", "-CAfile", "root.pem",
		"-untrusted", "mail.pem", "-crl_check_all", "-CRLfile", "lists.pem", "leaf.pem")
}

func (r *rig) signsMail(t *testing.T, dir string, key crypto.Signer) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	r.ok(t, err)
	write(t, dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	write(t, dir, "mail.txt", []byte("Content-Type: text/plain\r\n\r\nGrüße aus dem Labor\r\n"))
	if out, err := openssl(dir, "cms", "-sign", "-in", "mail.txt", "-signer", "leaf.pem", "-inkey", "key.pem", "-certfile", "mail.pem", "-out", "signed.eml"); err != nil {
		t.Fatalf("sign a mail: %v\n%s", err, out)
	}
	if out, err := r.readsMail(dir); err != nil || !strings.Contains(out, "Grüße aus dem Labor") {
		t.Errorf("verify the signed mail: %v\n%s", err, out)
	}
}

func (r *rig) readsMail(dir string) (string, error) {
	return openssl(dir, "cms", "-verify", "-in", "signed.eml", "-CAfile", "trusted.pem", "-purpose", "smimesign",
		"-attime", strconv.FormatInt(r.Now().Add(time.Minute).Unix(), 10), "-crl_check_all")
}

// TestACertificateIsWhatOpenSSLAndMailProgramsAccept goes from the row to the
// revocation for both kinds of rows and both kinds of keys.
func TestACertificateIsWhatOpenSSLAndMailProgramsAccept(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		functional bool
		key        func(testing.TB) crypto.Signer
		subject    string
	}{
		"personal, RSA 3072":   {false, func(testing.TB) crypto.Signer { return rsaKey() }, "CN=Ada Adler, GN=Ada, SN=Adler"},
		"personal, EC P-256":   {false, func(t testing.TB) crypto.Signer { return ecKey(t) }, "CN=Ada Adler, GN=Ada, SN=Adler"},
		"functional, RSA 3072": {true, func(testing.TB) crypto.Signer { return rsaKey() }, "E=Kasse@uni.example"},
		"functional, EC P-256": {true, func(t testing.TB) crypto.Signer { return ecKey(t) }, "E=Kasse@uni.example"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := localRig(t)
			in := mailbox.Input{Kind: mailbox.Personal, Name: "Never In It", Primary: "Kasse@uni.example", Aliases: []string{"B.Kasse@uni.example", "zahlen@uni.example"}}
			if c.functional {
				in.Kind, in.Applicant = mailbox.Functional, "ada@people.example"
			}
			row, err := r.Mailbox.Add(t.Context(), r.contact, "uni.example", in)
			r.ok(t, err)
			r.confirm(t, r.ada, row.ID)
			key := c.key(t)
			made, err := r.Apply(t.Context(), r.ada, row.ID, order.Input{CSR: csr(t, key), Terms: r.Terms})
			r.ok(t, err)
			id := made.ID
			r.ok(t, r.Issue(t.Context(), id))
			issued := r.one(t, id)
			r.isExactly(t, issued, c.subject, key)
			r.ok(t, r.Cert.SignOldLists(t.Context()))
			dir := r.files(t, issued)
			if out, err := r.verify(dir); err != nil || !strings.Contains(out, "leaf.pem: OK") {
				t.Errorf("openssl verify: %v\n%s", err, out)
			}
			r.signsMail(t, dir, key)
			r.ok(t, r.Cert.Revoke(t.Context(), r.ada, issued.ID, pki.KeyCompromise))
			r.ok(t, r.Cert.SignList(t.Context(), ca.Mail))
			r.lists(t, dir)
			if out, err := r.verify(dir); err == nil || !strings.Contains(out, "certificate revoked") {
				t.Errorf("openssl verify after the revocation: got %v, want it to say that it is revoked\n%s", err, out)
			}
			if out, err := r.readsMail(dir); err == nil {
				t.Errorf("openssl cms took a mail under a revoked certificate\n%s", out)
			}
		})
	}
}

// isExactly compares the names with the account's and the row's: nothing comes
// from the request.
func (r *rig) isExactly(t *testing.T, c cert.Certificate, subject string, key crypto.Signer) {
	t.Helper()
	x, err := x509.ParseCertificate(c.DER)
	r.ok(t, err)
	parsed, err := pki.ParseCertificate(c.DER)
	r.ok(t, err)
	emails := []string{"Kasse@uni.example", "B.Kasse@uni.example", "zahlen@uni.example"}
	if d := cmp.Diff(emails, x.EmailAddresses); d != "" {
		t.Errorf("addresses: -want +got\n%s", d)
	}
	if d := cmp.Diff(emails, c.Emails); d != "" {
		t.Errorf("addresses as recorded: -want +got\n%s", d)
	}
	if parsed.Subject != subject || c.Subject != subject {
		t.Errorf("got subject %q, recorded %q; want %q", parsed.Subject, c.Subject, subject)
	}
	if len(x.DNSNames)+len(x.IPAddresses)+len(x.URIs) > 0 || x.IsCA {
		t.Errorf("got other names %v %v %v or an authority, want the addresses only", x.DNSNames, x.IPAddresses, x.URIs)
	}
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(x.PublicKey) {
		t.Error("the certificate is for another key than the request's")
	}
	if !bytes.Equal(x.SerialNumber.Bytes(), c.Serial) || !bytes.Equal(x.RawIssuer, parsed.Issuer) || !c.NotAfter.Equal(x.NotAfter) || !c.NotBefore.Equal(x.NotBefore) {
		t.Errorf("got recorded %x from %v until %v, want what is in the certificate", c.Serial, c.NotBefore, c.NotAfter)
	}
	if !c.Mine && c.Account != r.ada.Account {
		t.Errorf("got holder %d, want %d", c.Account, r.ada.Account)
	}
}

var linkInMail = regexp.MustCompile(paths.Link + `([A-Za-z0-9_-]{43})`)

// mailTo waits for a mail to the address whose text holds words.
func mailTo(t *testing.T, s *sink.Sink, address, words string) sink.Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	m, err := s.WaitFor(ctx, func(m sink.Mail) bool { return m.For(address) && strings.Contains(m.Text, words) })
	if err != nil {
		t.Fatalf("no mail to %s with %q came: %v", address, words, err)
	}
	return m
}

// TestTheWholeWayByTheQueue lets the jobs do everything: mails, issuance, lists.
func TestTheWholeWayByTheQueue(t *testing.T) {
	t.Parallel()
	s := trial.Must(sink.New(sink.Config{}))
	trial.Must(0, s.Start("127.0.0.1:0"))
	t.Cleanup(func() { s.Close() })
	sender := trial.Must(mail.NewSender(mail.Config{URL: "smtp://" + s.Addr() + "?tls=none", From: "portal@uni.example", Bounce: "bounce@uni.example"}))
	t.Cleanup(sender.Close)
	r := openRig(t, sender)
	r.useLocal(t)
	r.work(t)
	row := trial.Must(r.Mailbox.Add(t.Context(), r.contact, "uni.example", mailbox.Input{Kind: mailbox.Personal, Name: "Ada", Primary: "ada@uni.example"})).ID
	trial.Must(r.Mailbox.Challenge(t.Context(), r.contact, "uni.example", row))
	token := linkInMail.FindStringSubmatch(mailTo(t, s, "ada@uni.example", paths.Link).Text)[1]
	_, err := r.Mailbox.Confirm(t.Context(), r.ada, mailbox.Digest(token))
	r.ok(t, err)
	id := r.apply(t, r.ada, row)
	link := "https://portal.example/client-certificates/"
	mailTo(t, s, "ada@uni.example", link)
	c := r.one(t, id)
	r.ok(t, r.Cert.Revoke(t.Context(), r.ada, c.ID, pki.Superseded))
	trial.Until(t, "the list names the certificate", func() bool {
		l, err := r.Cert.Newest(t.Context(), ca.Mail)
		if fault.Is(err, fault.Missing) {
			return false
		}
		r.ok(t, err)
		x, err := x509.ParseRevocationList(l.DER)
		r.ok(t, err)
		return len(x.RevokedCertificateEntries) == 1 && bytes.Equal(x.RevokedCertificateEntries[0].SerialNumber.Bytes(), c.Serial)
	})
	trial.Until(t, "two letters to the holder were sent", func() bool {
		return r.campus.Scalar(`select count(*) from letter where state = 'sent' and recipient = 'ada@uni.example'`) == 2
	})
}

func (r *rig) work(t *testing.T) {
	t.Helper()
	w := river.NewWorkers()
	r.Mailbox.Jobs(w)
	r.Mailbox.Outbox.Jobs(w)
	r.Cert.Jobs(w)
	r.Issuance.Jobs(w)
	r.Jobs(w)
	r.ok(t, r.Queue.Start(t.Context(), queue.Work{Workers: w, Log: testLog(t)}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Queue.Stop(ctx); err != nil {
			t.Errorf("stop queue: %v", err)
		}
	})
}

func TestApplyingSaysWhatOfTheRequestIsLeftOut(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	made, err := r.Apply(t.Context(), r.ada, r.linked(t, r.ada, "ada@uni.example"), order.Input{CSR: csr(t, ecKey(t)), Terms: r.Terms})
	r.ok(t, err)
	var ids []string
	for _, d := range made.LeftOut {
		ids = append(ids, d.ID)
	}
	if made.ID == 0 || !slices.Equal(ids, []string{"pki.dropped.common_name", "pki.dropped.email"}) {
		t.Errorf("got application %d without %q, want one without the foreign name and address", made.ID, ids)
	}
}
