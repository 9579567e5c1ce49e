package site_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	chromium "petschaft/internal/browser"
	"petschaft/internal/lane"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// kept counts the keys that wait in the browser of p.
func (w *walk) kept(p *chromium.Page) string {
	w.T.Helper()
	return p.Run(`new Promise((done, failed) => {
		const open = indexedDB.open("petschaft", 1);
		open.onerror = () => failed(open.error);
		open.onupgradeneeded = () => open.result.createObjectStore("key", { keyPath: "id" });
		open.onsuccess = () => {
			const all = open.result.transaction("key").objectStore("key").getAll();
			all.onsuccess = () => { open.result.close(); done(String(all.result.filter((k) => k.account && !("pkcs8" in k) && !k.wrapping.extractable).length)); };
		};
	})`)
}

func (w *walk) keeps(p *chromium.Page, want string) {
	w.T.Helper()
	if got := w.kept(p); got != want {
		w.T.Errorf("got %s keys in the browser of %s, want %s", got, p.URL(), want)
	}
}

// TestAKeyMadeInABrowserNeverLeavesIt applies for a personal and a
// functional address, leaves the page meanwhile, comes back, saves the file,
// uses it, and looks through everything that was ever sent.
func TestAKeyMadeInABrowserNeverLeavesIt(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "de")
	w.LinkRow("ada.adler", "ada", "adler@uni.example")
	w.LinkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	p := w.enter("ada")
	w.ada = p

	release := w.holdBack()
	w.applyHere("ada.adler@uni.example", "")
	p.Await(w.say("key.waits_open"))
	w.section(p, "nav.client_certificates")
	p.Await(w.say("key.waits"))
	p.Has("ada.adler@uni.example")
	p.FollowIn("main", w.say("key.go_on"))
	p.Await(w.say("key.waits_open"))
	release()
	p.Await(w.say("key.password")) // by itself
	personal := w.savedP12("ada.adler@uni.example", "")

	w.applyHere("sekretariat@uni.example", "EC P-256")
	p.Await(w.say("key.password"))
	functional := w.savedP12("sekretariat@uni.example", w.say("key.for_older"))

	sent := strings.Join(p.Sent(), "\n")
	if !strings.Contains(sent, "-----BEGIN CERTIFICATE REQUEST-----") {
		t.Fatal("the requests were not recorded: the applications are missing in them")
	}
	w.nowhere(sent, personal.secrets)
	w.nowhere(sent, functional.secrets)
	w.use(personal)
	w.use(functional)
}

// holdBack keeps certificates from being recorded until it is released.
func (w *walk) holdBack() (release func()) {
	tx := trial.Must(w.Pool.Begin(w.T.Context()))
	trial.Must(tx.Exec(w.T.Context(), `lock table certificate in share mode`))
	return func() { trial.Must(0, tx.Rollback(w.T.Context())) }
}

// applyHere lets the browser make the key; kind is another one than usual. The
// first attempt forgets the terms, and the second uses the same key.
func (w *walk) applyHere(address, kind string) {
	w.T.Helper()
	p := w.ada
	w.section(p, "nav.client_certificates")
	p.FollowIn("main", w.say("mine.apply")+": "+address)
	p.Await(w.say("key.browser"))
	p.Lacks(w.say("apply.csr"))
	if kind != "" {
		p.Toggle(w.say("key.kind_more"))
		p.Choose(kind)
	}
	p.Press(w.say("apply.submit"))
	p.Await(w.say("key.browser"))
	p.Has(w.say("order.terms.required"))
	w.keeps(p, "1")
	if kind != "" {
		p.Toggle(w.say("key.kind_more"))
		p.Choose(kind)
	}
	p.Choose(w.say("apply.terms_accept"))
	p.Press(w.say("apply.submit"))
}

// saved is a P12 file as it lies on the disk of ada.
type saved struct {
	held
	password string
	content  []byte
	secrets  map[string][]byte // what must never be sent
}

// savedP12 saves the file of the certificate whose page is open.
func (w *walk) savedP12(address, choice string) saved {
	w.T.Helper()
	p := w.ada
	w.keeps(p, "1")
	if choice != "" {
		p.Choose(choice)
	}
	s := saved{password: p.Run(`document.getElementById("p12-password").textContent`)}
	name, content := p.Download(w.say("key.save"))
	if !strings.HasPrefix(name, address+"-") || !strings.HasSuffix(name, ".p12") {
		w.T.Errorf("got a file called %q", name)
	}
	p.Await(w.say("key.saved", "file", name))
	w.keeps(p, "0")
	_, again := p.Download(w.say("key.save_again"))
	must3(pkcs12.DecodeChain(again, s.password))
	p.Reload()
	p.Await(w.say("key.p12_none"))

	key, leaf, above := must3(pkcs12.DecodeChain(content, s.password))
	s.content, s.leaf, s.chain = content, string(pki.PEM(leaf.Raw)), string(pki.PEM(leaf.Raw))
	for _, c := range above {
		s.chain += string(pki.PEM(c.Raw))
	}
	if leaf.EmailAddresses[0] != address || len(above) != 2 {
		w.T.Errorf("got a certificate for %s with %d above it, want %s and 2", leaf.EmailAddresses, len(above), address)
	}
	s.secrets = map[string][]byte{"the password": []byte(s.password), "the password without dashes": []byte(strings.ReplaceAll(s.password, "-", ""))}
	for what, b := range secretParts(key) {
		s.secrets[what] = b
	}
	for at := 64; at+24 < len(content); at += 400 {
		s.secrets[fmt.Sprintf("the P12 file from byte %d", at)] = content[at : at+24]
	}
	return s
}

func must3[A, B, C any](a A, b B, c C, err error) (A, B, C) {
	if err != nil {
		panic(fmt.Sprintf("setting up: %v", err))
	}
	return a, b, c
}

// secretParts are pieces of a private key's numbers.
func secretParts(key any) map[string][]byte {
	parts := map[string][]byte{}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		for name, b := range map[string][]byte{
			"d": k.D.Bytes(), "p": k.Primes[0].Bytes(), "q": k.Primes[1].Bytes(),
			"d mod p-1": k.Precomputed.Dp.Bytes(), "d mod q-1": k.Precomputed.Dq.Bytes(), "1/q mod p": k.Precomputed.Qinv.Bytes(),
		} {
			parts[name+" of the private key"], parts["the end of "+name] = b[8:28], b[len(b)-20:]
		}
	case *ecdsa.PrivateKey:
		b := trial.Must(k.Bytes())
		parts["d of the private key"], parts["the end of d"] = b[4:18], b[18:]
	}
	return parts
}

// spellings are the ways in which bytes may be hidden in text.
func spellings(b []byte) map[string]string {
	all := map[string]string{
		"as it is": string(b), "in hex": hex.EncodeToString(b), "in HEX": strings.ToUpper(hex.EncodeToString(b)), "escaped": url.QueryEscape(string(b)),
		"as numbers": strings.Trim(strings.ReplaceAll(fmt.Sprint(b), " ", ","), "[]"), "in colons": strings.ToLower(pki.Colons(b)),
	}
	for shift := range 3 { // wherever in a longer text the bytes begin
		for how, e := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			cut := b[shift : shift+(len(b)-shift)/3*3]
			all[fmt.Sprintf("in %s after %d", how, shift)] = e.EncodeToString(cut)
			all[fmt.Sprintf("in %s after %d, escaped", how, shift)] = url.QueryEscape(e.EncodeToString(cut))
		}
	}
	return all
}

// nowhere looks for secrets in what was sent, and in what the portal kept of it.
func (w *walk) nowhere(sent string, secrets map[string][]byte) {
	w.T.Helper()
	places := map[string]string{"what the browser sent": sent, "the log": w.Logged.String(), "the database": w.Dump()}
	for what, b := range secrets {
		if len(b) < 12 {
			w.T.Errorf("%s has only %d bytes to look for", what, len(b))
		}
		for how, text := range spellings(b) {
			for where, all := range places {
				if strings.Contains(all, text) {
					w.T.Errorf("%s holds %s, %s", where, what, how)
				}
			}
		}
	}
}

// use signs a mail with the file, as OpenSSL opens it, and reads one that was
// encrypted for its owner.
func (w *walk) use(s saved) {
	w.T.Helper()
	file := w.file("datei.p12", string(s.content))
	s.key = w.openssl("", "pkcs12", "-in", file, "-passin", "pass:"+s.password, "-nocerts", "-noenc")
	trust := w.trust(s.held, false)
	w.openssl("", s.verify(w, trust)...)
	w.signedMail(s.held, trust)

	const text = "Nur für die Empfängerin\n"
	mail, leaf := w.file("mail.eml", ""), w.file("leaf.pem", s.leaf)
	w.openssl("", "cms", "-encrypt", "-aes-256-cbc", "-text", "-in", w.file("text", text), "-out", mail, leaf)
	if bytes.Contains(trial.Must(os.ReadFile(mail)), []byte("Empf")) {
		w.T.Error("the mail is not encrypted")
	}
	got := w.openssl("", "cms", "-decrypt", "-text", "-in", mail, "-recip", leaf, "-inkey", w.file("key.pem", s.key))
	if !strings.Contains(got, text[:len(text)-1]) {
		w.T.Errorf("the encrypted mail: got %q", got)
	}
}

// TestAKeyInABrowserThatIsNotNeededIsThrownAway: the application failed.
func TestAKeyInABrowserThatIsNotNeededIsThrownAway(t *testing.T) {
	t.Parallel()
	w, row := waitingWalk(t)
	r, p := w.Rig, w.ada
	trial.Must(r.Pool.Exec(t.Context(), `update application set state = 'refused', reason = 'mailbox.apply.suspended', ended = $1`, r.Clock.Now()))
	p.Await(w.say("key.waits_over")) // by itself
	w.keeps(p, "1")
	p.Toggle(w.say("key.forget_title"))
	p.Click(w.say("key.forget"))
	p.Await(w.say("key.forgotten"))
	w.keeps(p, "0")

	p.Goto(r.At(fmt.Sprintf("/client-certificates/apply/%d", row)))
	p.Await(w.say("key.browser"))
	p.Press(w.say("apply.submit")) // the terms are missing
	p.Await(w.say("order.terms.required"))
	w.keeps(p, "1")
	w.section(p, "nav.client_certificates")
	p.Await(w.say("key.waits"))
	p.FollowIn("main", w.say("key.go_on")) // nothing was sent yet
	p.Has(w.say("apply.title"))
	w.section(p, "nav.client_certificates")
	p.Await(w.say("key.waits"))
	p.Toggle(w.say("key.forget_title"))
	p.Click(w.say("key.forget"))
	p.Await(w.say("key.forgotten"))
	w.keeps(p, "0")
}

// TestThatKeysCannotBeMadeInABrowserIsSaid, whatever is lacking.
func TestThatKeysCannotBeMadeInABrowserIsSaid(t *testing.T) {
	t.Parallel()
	lane.Browser(t)
	r := sitetest.New(t)
	w := &walk{Rig: r, lang: "de"}
	w.room = chromium.Open(t, r.Base, r.Issuer)
	row := r.LinkRow("ada.adler", "ada")
	for lacks, script := range map[string]string{
		"IndexedDB":       `Object.defineProperty(window, "indexedDB", { value: undefined })`,
		"storage":         `IDBFactory.prototype.open = function () { throw new DOMException("private window", "SecurityError") }`,
		"WebCrypto":       `Object.defineProperty(crypto, "subtle", { value: undefined })`,
		"keys in storage": `const put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (v) { if (v.wrapping) throw new DOMException("no keys", "DataCloneError"); return put.call(this, v) }`,
	} {
		w.options = []chromium.Option{chromium.Speaking("de"), chromium.Beforehand(script)}
		p := w.enter("ada")
		p.Goto(r.At(fmt.Sprintf("/client-certificates/apply/%d", row)))
		p.Await(w.say("key.unable"))
		p.Has(w.say("apply.key_csr"), w.say("apply.csr"))
		p.Lacks(w.say("key.browser"))
		p.Fill(w.say("apply.csr"), sitetest.NewCSR(""))
		p.Press(w.say("apply.submit"))
		p.Has(w.say("order.terms.required"), w.say("apply.csr"))
		if got, want := p.Status(), http.StatusUnprocessableEntity; got != want {
			t.Errorf("without %s: got status %d, want %d", lacks, got, want)
		}
	}
	w.options = []chromium.Option{chromium.Speaking("de"), chromium.Beforehand(`Object.defineProperty(crypto, "subtle", { value: undefined })`)}
	p := w.enter("nora")
	p.Goto(r.At("/orders/new"))
	p.Await(w.say("key.unable"))
	p.Lacks(w.say("key.browser"))
	p.Fill(w.say("apply.csr"), sitetest.NewCSR("www.uni.example"))
	p.Press(w.say("serverorder.next"))
	p.Has(w.say("server.names"))
}

// TestTheKeyOfAServerInABrowserIsSavedBeforeAnythingIsSent orders with keys that the
// browser makes.
func TestTheKeyOfAServerInABrowserIsSavedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "de")
	w.rita = w.enter("rita")
	p := w.enter("nora")
	for kind, server := range map[string]string{"EC P-256": "www.uni.example", "RSA-3072": "*.uni.example"} {
		w.section(p, "nav.orders")
		p.FollowIn("main", w.say("serverorder.new"))
		p.Await(w.say("key.browser"))
		p.Click(w.say("serverorder.next"))
		p.Await(w.say("key.missing"))
		p.Click(w.say("key.make_file"))
		p.Await(w.say("key.nameless"))
		before := len(p.Sent())
		p.Choose(kind)
		p.Fill(w.say("key.server"), server)
		name, content := p.Download(w.say("key.make_file"))
		p.Await(w.say("key.file_saved"))
		if sent := p.Sent()[before:]; len(sent) != 0 {
			t.Errorf("making a key sends %q", sent)
		}
		if want := strings.Replace(server, "*", "wildcard", 1) + ".key.pem"; name != want {
			t.Errorf("got a file called %s, want %s", name, want)
		}
		p.Has(name)
		p.Press(w.say("serverorder.next"))
		p.Has(w.say("cert.key"))
		if got := p.Value(w.say("server.names")); got != server {
			t.Errorf("got the names %q, want %q", got, server)
		}
		w.matches(p, server, content)
	}
}

// matches orders and compares the certificate with the key on the disk.
func (w *walk) matches(p *chromium.Page, server string, content []byte) {
	w.T.Helper()
	if strings.HasPrefix(server, "*") {
		p.Choose(w.say("server.product_wildcard"))
	} else {
		p.Choose(w.say("server.product_single"))
	}
	p.Press(w.say("serverorder.check_button"))
	reference := w.submit(p)
	w.fulfil(p, reference)
	b, rest := pem.Decode(content)
	if b == nil || b.Type != "PRIVATE KEY" || len(rest) > 0 {
		w.T.Fatalf("got %.60q, want one key in PKCS#8", content)
	}
	key := trial.Must(x509.ParsePKCS8PrivateKey(b.Bytes))
	c := trial.Must(x509.ParseCertificate(trial.Must(w.Cert.Server(w.T.Context(), w.Actors["nora"], reference)).DER))
	public := key.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool })
	if !public.Equal(c.PublicKey) {
		w.T.Errorf("the certificate for %s does not belong to the key that was saved", server)
	}
	w.nowhere(strings.Join(p.Sent(), "\n"), secretParts(key))
}
