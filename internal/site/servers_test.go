package site_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
)

// shelf is what shelve makes: server certificates in every state.
type shelf struct{ valid, soon, expired, revoked, replaced, next, renewing, foreign string }

// shelve makes them for nora's organisation, and a foreign one.
func (r *rig) shelve() (s shelf) {
	r.t.Helper()
	key := ecKey().Public()
	expired := r.served(r.organisation, key, 6, "alt.uni.example")
	soon := r.served(r.organisation, key, 30, "endet.uni.example", "xn--mnchen-3ya.uni.example", "c.uni.example")
	renewing := r.served(r.organisation, key, 31, "erneuert.uni.example")
	r.clock.Advance(22 * 24 * time.Hour)
	replaced := r.served(r.organisation, key, 90, "ersetzt.uni.example")
	old := must(r.Cert.Server(r.t.Context(), r.actors["nora"], replaced))
	s = shelf{
		expired: expired, soon: soon, renewing: renewing, replaced: replaced,
		next:    r.replacing(&old.ID, r.organisation, key, 90, "ersetzt.uni.example"),
		valid:   r.served(r.organisation, rsaKey().Public(), 90, "*.shop.uni.example", "shop.uni.example"),
		revoked: r.served(r.organisation, key, 90, "kompromittiert.uni.example"),
	}
	other := must(r.Org.Organisations(r.t.Context(), r.actors["sven"]))[0].ID
	s.foreign = r.served(other, key, 90, "www.institut.example")
	r.renewing(renewing, "ABCD-EFGHJ")
	must(0, r.Cert.RevokeServer(r.t.Context(), r.actors["nora"], s.revoked, pki.KeyCompromise))
	return s
}

func TestMyCertificatesAreListedByStateAndFound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.shelve()
	nora := r.as("nora")
	all := map[string]string{
		"valid": s.valid, "soon": s.soon, "expired": s.expired, "revoked": s.revoked, "replaced": s.replaced, "next": s.next, "renewing": s.renewing,
	}
	sees := func(b *browser, path string, names ...string) {
		t.Helper()
		page := b.get(path).status(http.StatusOK)
		shown := map[string]bool{}
		for _, n := range names {
			shown[n] = true
		}
		for name, reference := range all {
			if got := strings.Contains(page.body, ">"+reference+"<"); got != shown[name] {
				t.Errorf("%s: the %s one is shown: %v, want %v", path, name, got, shown[name])
			}
		}
		if strings.Contains(page.body, s.foreign) != strings.HasPrefix(path, "/office") {
			t.Errorf("%s: the foreign one is shown: %v", path, strings.Contains(page.body, s.foreign))
		}
	}
	sees(nora, "/certificates", "valid", "soon", "next", "renewing")
	sees(nora, "/certificates?which=ending", "soon", "renewing")
	sees(nora, "/certificates?which=over", "expired", "revoked", "replaced")
	sees(nora, "/certificates?which=all", "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	sees(nora, "/certificates?which=all&at=unfug&sort=unfug&size=7", "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	sees(nora, "/certificates?which=all&organisation="+fmt.Sprint(r.organisation), "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	sees(r.as("rita"), "/office/server-certificates?which=all", "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	r.as("sven").get("/certificates?which=all").has("www.institut.example", s.foreign).lacks("shop.uni.example")
	r.as("sven").get("/certificates?organisation=" + fmt.Sprint(r.organisation)).status(http.StatusNotFound)
	c := must(r.Cert.Server(t.Context(), r.actors["nora"], s.valid))
	for _, q := range []string{
		"shop.uni", "*.shop", c.Reference, strings.ToLower(strings.ReplaceAll(c.Reference, "-", "+")), fmt.Sprintf("%x", c.Serial), pki.Colons(c.Serial), fmt.Sprintf("%X", c.Fingerprint),
		pki.Colons(c.Fingerprint),
	} {
		nora.get("/certificates?q="+q).status(http.StatusOK).has(">"+s.valid+"<", "Ein Zertifikat passt").lacks(">" + s.soon + "<")
	}
	nora.get("/certificates?q=m%C3%BCnchen").has(s.soon, "+ 2 weitere Namen")
	nora.get("/certificates?q=gibtesnicht").has("Kein Zertifikat passt zu „gibtesnicht“")
	nora.get("/certificates").has("Neuer Auftrag", "*.shop.uni.example", "+ ein weiterer Name", "Verlängerung läuft", "/orders/ABCD-EFGHJ")
	if page := nora.get("/certificates?which=all").body; strings.Count(page, "/renew\"") != 2 || !strings.Contains(page, "/certificates/"+s.soon+"/renew") || !strings.Contains(page, "/certificates/"+s.expired+"/renew") {
		t.Errorf("got %d buttons to renew, want those of what ends soon and of what ended lately", strings.Count(page, "/renew\""))
	}
	r.as("niko").get("/certificates").status(http.StatusForbidden)
}

// TestAListOfManyAsksAsOftenAsAListOfFew: no query for each line.
func TestAListOfManyAsksAsOftenAsAListOfFew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reference := r.served(r.organisation, ecKey().Public(), 90, "www.uni.example")
	nora := r.as("nora")
	count := func() int {
		nora.get("/certificates")
		n := pgtest.Queries(t, r.db)
		nora.get("/certificates").has(reference)
		return n()
	}
	one := count()
	for range 60 {
		r.served(r.organisation, ecKey().Public(), 90, "www.uni.example")
	}
	if many := count(); many > one {
		t.Errorf("a page of 50 takes %d queries, one of 1 takes %d", many, one)
	}
	page := nora.get("/certificates?sort=name&desc=1").has("50 Zertifikate auf dieser Seite", "Weiter", `aria-sort="descending"`)
	_, next, _ := strings.Cut(page.text(), `href="/certificates?at=`)
	next, _, _ = strings.Cut(next, `"`)
	nora.get("/certificates?at="+next).has("11 Zertifikate auf dieser Seite", "Zurück", "Zum Anfang").lacks(">Weiter<")
}

func TestThePageOfAServerCertificateTellsHowItStands(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.shelve()
	nora := r.as("nora")
	page := func(reference string) answer { return nora.get("/certificates/" + reference).status(http.StatusOK) }
	page(s.valid).has("*.shop.uni.example", "Universität Probe", "noch 90 von 90 Tagen", "RSA 2048", "TLS, ein Name", "Root", "Serverzertifikat ausgestellt", "im letzten Drittel",
		"Fingerabdruck (SHA‑1)", "/orders/"+s.valid, "Zertifikat widerrufen").lacks("/renew\"")
	page(s.soon).has("Dieses Zertifikat endet in 8 Tagen", "/certificates/"+s.soon+"/renew", "münchen.uni.example")
	page(s.expired).has("abgelaufen", "/certificates/"+s.expired+"/renew").lacks("noch 1 von")
	page(s.renewing).has("Der Auftrag ABCD-EFGHJ verlängert dieses Zertifikat").lacks("/renew\"")
	page(s.replaced).has("ersetzt", "durch "+s.next+" ersetzt", "/certificates/"+s.next).lacks("/renew\"")
	page(s.next).has("Ersetzt", "/certificates/"+s.replaced)
	page(s.revoked).has("widerrufen", "Der private Schlüssel ist in fremden Händen").lacks("/revoke\"", "/renew\"", "im letzten Drittel")
	nora.get("/certificates/" + s.foreign).status(http.StatusNotFound)
	nora.get("/certificates/XXXX-XXXXX").status(http.StatusNotFound)
	r.as("rita").get("/certificates/"+s.valid).has("/office/server-certificates", "/certificates/"+s.valid+"/revoke")
	r.as("rita").get("/office/audit?action=cert.").has("Serverzertifikat ausgestellt", "/certificates/"+s.valid)
	english := r.as("nora")
	english.lang = "en"
	english.get("/certificates/"+s.soon).has("Certificate with chain", "ends in 8 days", "Renew")
	if c := must(r.Cert.Server(t.Context(), r.actors["nora"], s.soon)); cert.MayRenew(c, r.clock.Now()) != nil {
		t.Error("the button stands where the gate is closed")
	}
}

func TestTheTechnicalContactRevokesForGood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reference := r.served(r.organisation, ecKey().Public(), 90, "www.uni.example")
	path := "/certificates/" + reference
	nora := r.as("nora")
	nora.get(path+"/revoke").status(http.StatusOK).has("lässt sich nicht zurücknehmen", "richten Sie dort zuerst", "www.uni.example").lacks("Das Recht auf das Zertifikat wurde entzogen")
	for _, form := range [][]string{nil, {"reason", "9"}, {"reason", "6"}, {"reason", "x"}} {
		nora.post(path+"/revoke", form...).status(http.StatusUnprocessableEntity).has("Bitte füllen Sie dieses Feld aus", `href="#f-reason"`)
	}
	for _, who := range []string{"sven", "niko"} {
		r.as(who).get(path + "/revoke").status(http.StatusNotFound)
		r.as(who).post(path+"/revoke", "reason", "0").status(http.StatusNotFound)
	}
	nora.post(path+"/revoke", "reason", "4").status(http.StatusSeeOther).follow().has("Das Zertifikat ist widerrufen", "widerrufen")
	nora.post(path+"/revoke", "reason", "4").status(http.StatusConflict)
	nora.get(path + "/revoke").status(http.StatusConflict)
	r.as("rita").post("/certificates/"+r.served(r.organisation, ecKey().Public(), 90, "b.uni.example")+"/revoke", "reason", "9").status(http.StatusSeeOther)
}

func TestTheOverviewTellsOfServerCertificatesThatEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.shelve()
	r.as("nora").get("/").has("Das Serverzertifikat für endet.uni.example endet am", "/certificates/"+s.soon+"/renew").lacks("erneuert.uni.example", "ersetzt.uni.example")
	r.as("sven").get("/").lacks("Serverzertifikat")
	for range 10 {
		r.served(r.organisation, ecKey().Public(), 6, "viele.uni.example")
	}
	r.clock.Advance(5 * 24 * time.Hour)
	r.as("nora").get("/").has("Weitere Serverzertifikate enden bald", "/certificates?which=ending")
}

// TestASuccessorSeesAllAtOnce, and the one before nothing any more.
func TestASuccessorSeesAllAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.shelve()
	must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		return r.Org.Reassign(t.Context(), tx, r.actors["rita"], r.organisation, r.actors["bob"].Account)
	}))
	bob, nora := r.as("bob"), r.as("nora")
	for _, reference := range []string{s.valid, s.expired, s.revoked, s.replaced} {
		bob.get("/certificates?which=all").has(reference)
		for _, end := range []string{"", "/x509chain.pem"} {
			bob.get("/certificates/" + reference + end).status(http.StatusOK)
			nora.get("/certificates/" + reference + end).status(http.StatusNotFound)
		}
	}
	nora.get("/certificates").status(http.StatusForbidden)
}
