package site_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/cert"
	"petschaft/internal/pki"
	"petschaft/internal/sink"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// held is a certificate as its holder has it: the files that the portal gave,
// the key that it never saw, and the page.
type held struct {
	cert.Certificate
	page             string
	key, leaf, chain string // in PEM
}

// ownCertificate is how ada comes to a certificate for her first row by a
// request of her own, uses it, and revokes it.
func (w *walk) ownCertificate() {
	key, csr := sitetest.NewKey("antrag")
	p := w.form()
	w.ownRequest(p)
	p.Fill(w.say("apply.csr"), csr)
	p.Choose(w.say("apply.terms_accept"))
	h := w.obtain(key)
	trust := w.trust(h, false)
	w.openssl("", h.verify(w, trust)...)
	w.signedMail(h, trust)

	p.Follow(w.say("cert.revoke"))
	w.revoke(p, "pki.reason.superseded")
	w.section(p, "nav.client_certificates")
	p.Lacks(h.Reference)
	p.FollowIn("main", w.say("mine.which_over"))
	p.Has(h.Reference, w.say("cert.state_revoked"))
	w.openssl("certificate revoked", h.verify(w, w.trust(h, true))...)
}

// form leads ada to the form that applies for her only linked row.
func (w *walk) form() *chromium.Page {
	w.T.Helper()
	w.section(w.ada, "nav.client_certificates")
	w.ada.FollowIn("main", w.say("mine.apply"))
	w.ada.Has(w.say("apply.title"), "juergen.mueller@fakultaet.example", "j.mueller@fakultaet.example", sitetest.People["ada"])
	return w.ada
}

// ownRequest chooses to bring a request, where there is a choice.
func (w *walk) ownRequest(p *chromium.Page) {
	w.T.Helper()
	if p.Scripts() {
		p.Await(w.say("key.browser"))
		p.Choose(w.say("apply.key_csr"))
		return
	}
	p.Has(w.say("key.no_script"))
	p.Lacks(w.say("key.browser"))
}

// obtain sends the form, waits for the certificate and fetches its files. The
// certificate is held back until the page has said that it is on its way.
func (w *walk) obtain(key string) held {
	w.T.Helper()
	p, last := w.ada, w.newest()
	tx := trial.Must(w.Pool.Begin(w.T.Context()))
	trial.Must(tx.Exec(w.T.Context(), `lock table certificate in share mode`))
	p.Press(w.say("apply.submit"))
	p.Await(w.say("order.issuing_title"))
	trial.Must(0, tx.Rollback(w.T.Context()))
	if p.Scripts() {
		p.Await(w.say("order.issued_title")) // by itself
		p.Follow(w.say("order.to_certificate"))
	}
	p.Await(w.say("cert.downloads"))
	id := trial.Must(strconv.ParseInt(p.URL()[strings.LastIndex(p.URL(), "/")+1:], 10, 64))
	h := held{Certificate: trial.Must(w.Cert.One(w.T.Context(), w.Actors["ada"], cert.ID(id))), key: key, page: p.URL()}
	p.Has(h.Reference, pki.Colons(h.Serial), w.say("cert.state_valid"), "CN="+sitetest.People["ada"], "juergen.mueller@fakultaet.example", "j.mueller@fakultaet.example")
	h.leaf, h.chain = string(p.Save(h.Reference+".pem")), string(p.Save(h.Reference+"-chain.pem"))
	w.mailed(h.page, last)
	return h
}

// mailed waits for a mail that leads to the page.
func (w *walk) mailed(page string, after int64) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), 20*time.Second)
	defer cancel()
	if _, err := w.Sink.WaitFor(ctx, func(m sink.Mail) bool { return m.ID > after && strings.Contains(m.Text, page) }); err != nil {
		w.T.Errorf("the holder gets no mail about %s: %v", page, err)
	}
}

// trust is a file with the root and the newest list of every authority of the
// chain, fetched from where the certificates say; named tells whether the list
// must name the certificate, which a job of the portal sees to.
func (w *walk) trust(h held, named bool) string {
	w.T.Helper()
	var all bytes.Buffer
	chain := sitetest.PemBlocks(w.T, h.chain)
	for _, c := range chain[:len(chain)-1] {
		var l *x509.RevocationList
		w.Until("the list is there", func() bool {
			res := trial.Must(http.Get(c.CRLDistributionPoints[0]))
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				return false
			}
			l = trial.Must(x509.ParseRevocationList(trial.Must(io.ReadAll(res.Body))))
			return !named || c != chain[0] || slices.ContainsFunc(l.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
				return e.SerialNumber.Cmp(new(big.Int).SetBytes(h.Serial)) == 0
			})
		})
		trial.Must(0, pem.Encode(&all, &pem.Block{Type: "X509 CRL", Bytes: l.Raw}))
	}
	root := trial.Must(http.Get(w.At("/pki/root.pem")))
	defer root.Body.Close()
	all.Write(trial.Must(io.ReadAll(root.Body)))
	return w.file("trust.pem", all.String())
}

func (w *walk) file(name, content string) string {
	w.T.Helper()
	path := filepath.Join(w.T.TempDir(), name)
	trial.Must(0, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// verify asks openssl about h, at the time of the walk.
func (h held) verify(w *walk, trust string) []string {
	return []string{
		"verify", "-crl_check_all", "-attime", fmt.Sprint(w.Clock.Now().Unix()), "-CAfile", trust,
		"-untrusted", w.file("chain.pem", h.chain), w.file("leaf.pem", h.leaf),
	}
}

// openssl runs it; with words it must fail and say them.
func (w *walk) openssl(words string, args ...string) string {
	w.T.Helper()
	out, err := exec.CommandContext(w.T.Context(), "openssl", args...).CombinedOutput()
	if (err != nil) != (words != "") || !strings.Contains(string(out), words) {
		w.T.Errorf("openssl %s: got %v, want it to say %q:\n%s", args[0], err, words, out)
	}
	return string(out)
}

// signedMail signs a mail as ada's mail program would, and reads it as
// somebody else's.
func (w *walk) signedMail(h held, trust string) {
	w.T.Helper()
	mail, above := w.file("mail.eml", ""), ""
	for _, c := range sitetest.PemBlocks(w.T, h.chain)[1:] {
		above += string(pki.PEM(c.Raw))
	}
	w.openssl("", "cms", "-sign", "-text", "-in", w.file("text", "Grüße aus der Fakultät\n"), "-signer", w.file("leaf.pem", h.leaf),
		"-certfile", w.file("above.pem", above), "-inkey", w.file("key.pem", h.key), "-out", mail)
	args := []string{"cms", "-verify", "-text", "-purpose", "smimesign", "-crl_check_all", "-attime", fmt.Sprint(w.Clock.Now().Unix()), "-CAfile", trust, "-in", mail}
	if out := w.openssl("", args...); !strings.Contains(out, "Grüße aus der Fakultät") {
		w.T.Errorf("the signed mail: got %q", out)
	}
}

// revoke gives a reason on the page that asks for one.
func (w *walk) revoke(p *chromium.Page, reason string) {
	w.T.Helper()
	last := w.newest()
	p.Has(w.say("cert.revoke_final"))
	p.Choose(w.say(reason))
	p.Press(w.say("cert.revoke"))
	p.Has(w.say("cert.revoked_done"), w.say(reason), w.say("cert.state_revoked"))
	if p.Offers("main", w.say("cert.revoke")) {
		w.T.Error("a revoked certificate can be revoked again")
	}
	w.mailed(p.URL(), last)
}

// privateKey is pasted by mistake, and is nowhere afterwards.
func (w *walk) privateKey() {
	key, _ := sitetest.NewKey("antrag")
	secret := strings.Split(key, "\n")[1]
	p := w.form()
	w.ownRequest(p)
	p.Fill(w.say("apply.csr"), key)
	p.Choose(w.say("apply.terms_accept"))
	p.Press(w.say("apply.submit"))
	p.Has(w.say("pki.csr.private_key"))
	if got, want := p.Status(), http.StatusUnprocessableEntity; got != want {
		w.T.Errorf("a private key: got status %d, want %d", got, want)
	}
	if got := p.Value(w.say("apply.csr")); got != "" {
		w.T.Errorf("the field still holds %q", got)
	}
	for where, text := range map[string]string{"the page": p.HTML(), "the log": w.Logged.String(), "the database": w.Dump()} {
		if strings.Contains(text, secret) {
			w.T.Errorf("%s holds the private key", where)
		}
	}
}

// contactRevokes: ada's second certificate, by a file this time; an officer
// finds it, and niko revokes it once its row is inactive.
func (w *walk) contactRevokes(row string) {
	key, csr := sitetest.NewKey("antrag")
	p := w.form()
	w.ownRequest(p)
	p.Attach(w.say("apply.file"), "antrag.csr", []byte(csr))
	p.Choose(w.say("apply.terms_accept"))
	h := w.obtain(key)
	w.openssl("", h.verify(w, w.trust(h, false))...)
	w.found(h)

	n := w.niko
	n.Goto(row)
	n.Has(h.Reference, sitetest.People["ada"])
	if n.Offers("main", w.say("cert.revoke_short")) {
		w.T.Error("a contact is offered to revoke a certificate of an active row")
	}
	n.FollowIn("main dl", h.Reference)
	n.Has(w.say("cert.revoke.active"), sitetest.People["ada"])
	n.Goto(h.page + "/revoke")
	n.Has(w.say("cert.revoke.active"))
	if got, want := n.Status(), http.StatusConflict; got != want {
		w.T.Errorf("a contact revokes a certificate of an active row: got status %d, want %d", got, want)
	}
	n.Goto(row)
	n.FollowIn("main", w.say("step.deactivate_button"))
	n.Has(w.say("step.deactivate_advice"))
	n.Press(w.say("step.deactivate_verb"))
	n.Has(w.say("row.notice.certificate"))
	n.FollowIn("main", w.say("cert.revoke_short"))
	n.Has(w.say("cert.revoke_told", "name", sitetest.People["ada"]))
	w.revoke(n, "pki.reason.cessation_of_operation")
	w.openssl("certificate revoked", h.verify(w, w.trust(h, true))...)
	n.Goto(row)
	n.Lacks(w.say("row.notice.certificate"))
	n.FollowIn("main", w.say("step.activate_button"))
	n.Press(w.say("step.activate_verb"))
}

// found is what rita finds by the numbers that people tell her.
func (w *walk) found(h held) {
	p := w.rita
	for _, number := range []string{pki.Colons(h.Serial), h.Reference} {
		w.section(p, "nav.office")
		p.FollowIn("main", w.say("office.certificates"))
		p.Fill(w.say("office.certificates_search"), number)
		p.Press(w.say("table.search"))
		p.FollowIn("main", h.Reference)
		p.Has(sitetest.People["ada"], pki.Colons(h.Serial))
		if p.URL() != h.page || !p.Offers("main", w.say("cert.revoke")) {
			w.T.Errorf("an officer looks for %s: got %s, want %s and to revoke", number, p.URL(), h.page)
		}
	}
}
