package servers_test

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
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestMyCertificatesAreListedByStateAndFound(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	s := r.Shelve()
	nora := r.As("nora")
	all := map[string]string{
		"valid": s.Valid, "soon": s.Soon, "expired": s.Expired, "revoked": s.Revoked, "replaced": s.Replaced, "next": s.Next, "renewing": s.Renewing,
	}
	sees := func(b *sitetest.Browser, path string, names ...string) {
		t.Helper()
		page := b.Get(path).Is(http.StatusOK)
		shown := map[string]bool{}
		for _, n := range names {
			shown[n] = true
		}
		for name, reference := range all {
			if got := strings.Contains(page.Content, ">"+reference+"<"); got != shown[name] {
				t.Errorf("%s: the %s one is shown: %v, want %v", path, name, got, shown[name])
			}
		}
		if strings.Contains(page.Content, s.Foreign) != strings.HasPrefix(path, "/office") {
			t.Errorf("%s: the foreign one is shown: %v", path, strings.Contains(page.Content, s.Foreign))
		}
	}
	sees(nora, "/certificates", "valid", "soon", "next", "renewing", "expired") // which may be renewed yet
	sees(nora, "/certificates?which=ending", "soon", "renewing", "expired")
	sees(nora, "/certificates?which=over", "expired", "revoked", "replaced")
	sees(nora, "/certificates?which=all", "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	sees(nora, "/certificates?which=all&at=unfug&sort=unfug&size=7", "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	sees(nora, "/certificates?which=all&organisation="+fmt.Sprint(r.Organisation), "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	sees(r.As("rita"), "/office/server-certificates?which=all", "valid", "soon", "expired", "revoked", "replaced", "next", "renewing")
	r.As("sven").Get("/certificates?which=all").Has("www.institut.example", s.Foreign).Lacks("shop.uni.example")
	r.As("sven").Get("/certificates?organisation=" + fmt.Sprint(r.Organisation)).Is(http.StatusNotFound)
	c := trial.Must(r.Cert.Server(t.Context(), r.Actors["nora"], s.Valid))
	for _, q := range []string{
		"shop.uni", "*.shop", c.Reference, strings.ToLower(strings.ReplaceAll(c.Reference, "-", "+")), fmt.Sprintf("%x", c.Serial), pki.Colons(c.Serial), fmt.Sprintf("%X", c.Fingerprint),
		pki.Colons(c.Fingerprint),
	} {
		nora.Get("/certificates?q="+q).Is(http.StatusOK).Has(">"+s.Valid+"<", "Ein Zertifikat passt").Lacks(">" + s.Soon + "<")
	}
	nora.Get("/certificates?q=m%C3%BCnchen").Has(s.Soon, "+ 2 weitere Namen")
	nora.Get("/certificates?q=gibtesnicht").Has("Kein Zertifikat passt zu „gibtesnicht“")
	nora.Get("/certificates").Has("Neuer Auftrag", "*.shop.uni.example", "+ ein weiterer Name", "Verlängerung läuft", "/orders/ABCD-EFGHJ")
	if page := nora.Get("/certificates?which=all").Content; strings.Count(page, "/renew\"") != 2 || !strings.Contains(page, "/certificates/"+s.Soon+"/renew") || !strings.Contains(page, "/certificates/"+s.Expired+"/renew") {
		t.Errorf("got %d buttons to renew, want those of what ends soon and of what ended lately", strings.Count(page, "/renew\""))
	}
	r.As("niko").Get("/certificates").Is(http.StatusForbidden)
}

// TestAListOfManyAsksAsOftenAsAListOfFew: no query for each line.
func TestAListOfManyAsksAsOftenAsAListOfFew(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	reference := r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example")
	nora := r.As("nora")
	count := func() int {
		nora.Get("/certificates")
		n := pgtest.Queries(t, r.Pool)
		nora.Get("/certificates").Has(reference)
		return n()
	}
	one := count()
	for range 60 {
		r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example")
	}
	if many := count(); many > one {
		t.Errorf("a page of 50 takes %d queries, one of 1 takes %d", many, one)
	}
	page := nora.Get("/certificates?sort=name&desc=1").Has("50 Zertifikate auf dieser Seite", "Weiter", `aria-sort="descending"`)
	_, next, _ := strings.Cut(page.Text(), `href="/certificates?at=`)
	next, _, _ = strings.Cut(next, `"`)
	nora.Get("/certificates?at="+next).Has("11 Zertifikate auf dieser Seite", "Zurück", "Zum Anfang").Lacks(">Weiter<")
}

func TestThePageOfAServerCertificateTellsHowItStands(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	s := r.Shelve()
	nora := r.As("nora")
	page := func(reference string) sitetest.Answer {
		return nora.Get("/certificates/" + reference).Is(http.StatusOK)
	}
	page(s.Valid).Has("*.shop.uni.example", "Universität Probe", "noch 90 von 90 Tagen", "RSA 2048", "TLS, ein Name", "Root", "Serverzertifikat ausgestellt", "im letzten Drittel",
		"Fingerabdruck (SHA‑1)", "/orders/"+s.Valid, "Zertifikat widerrufen").Lacks("/renew\"")
	page(s.Soon).Has("Dieses Zertifikat endet in 8 Tagen", "/certificates/"+s.Soon+"/renew", "münchen.uni.example")
	page(s.Expired).Has("abgelaufen", "/certificates/"+s.Expired+"/renew").Lacks("noch 1 von")
	page(s.Renewing).Has("Der Auftrag ABCD-EFGHJ verlängert dieses Zertifikat").Lacks("/renew\"")
	page(s.Replaced).Has("ersetzt", "durch "+s.Next+" ersetzt", "/certificates/"+s.Next).Lacks("/renew\"")
	page(s.Next).Has("Ersetzt", "/certificates/"+s.Replaced)
	page(s.Revoked).Has("widerrufen", "Der private Schlüssel ist in fremden Händen").Lacks("/revoke\"", "/renew\"", "im letzten Drittel")
	nora.Get("/certificates/" + s.Foreign).Is(http.StatusNotFound)
	nora.Get("/certificates/XXXX-XXXXX").Is(http.StatusNotFound)
	r.As("rita").Get("/certificates/"+s.Valid).Has("/office/server-certificates", "/certificates/"+s.Valid+"/revoke")
	r.As("rita").Get("/office/audit?action=cert.").Has("Serverzertifikat ausgestellt", "/certificates/"+s.Valid)
	english := r.As("nora")
	english.Lang = "en"
	english.Get("/certificates/"+s.Soon).Has("Certificate with chain", "ends in 8 days", "Renew")
	if c := trial.Must(r.Cert.Server(t.Context(), r.Actors["nora"], s.Soon)); cert.MayRenew(c, r.Clock.Now()) != nil {
		t.Error("the button stands where the gate is closed")
	}
}

func TestTheTechnicalContactRevokesForGood(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	reference := r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example")
	path := "/certificates/" + reference
	nora := r.As("nora")
	nora.Get(path+"/revoke").Is(http.StatusOK).Has("lässt sich nicht zurücknehmen", "richten Sie dort zuerst", "www.uni.example").Lacks("Das Recht auf das Zertifikat wurde entzogen")
	for _, form := range [][]string{nil, {"reason", "9"}, {"reason", "6"}, {"reason", "x"}} {
		nora.Post(path+"/revoke", form...).Is(http.StatusUnprocessableEntity).Has("Bitte füllen Sie dieses Feld aus", `href="#f-reason"`)
	}
	for _, who := range []string{"sven", "niko"} {
		r.As(who).Get(path + "/revoke").Is(http.StatusNotFound)
		r.As(who).Post(path+"/revoke", "reason", "0").Is(http.StatusNotFound)
	}
	nora.Post(path+"/revoke", "reason", "4").Is(http.StatusSeeOther).Follow().Has("Das Zertifikat ist widerrufen", "widerrufen")
	nora.Post(path+"/revoke", "reason", "4").Is(http.StatusConflict)
	nora.Get(path + "/revoke").Is(http.StatusOK).Has("Ist der Schlüssel kompromittiert?").Lacks("richten Sie dort zuerst") // the one reason that is still taken
	nora.Post(path+"/revoke", "reason", "1").Is(http.StatusSeeOther).Follow().Has("Der private Schlüssel ist in fremden Händen")
	nora.Post(path+"/revoke", "reason", "1").Is(http.StatusConflict)
	nora.Get(path + "/revoke").Is(http.StatusConflict)
	r.As("rita").Post("/certificates/"+r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "b.uni.example")+"/revoke", "reason", "9").Is(http.StatusSeeOther)
}

func TestTheOverviewTellsOfServerCertificatesThatEnd(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	s := r.Shelve()
	r.As("nora").Get("/").Has("Das Serverzertifikat für endet.uni.example endet in 8 Tagen", "/certificates/"+s.Soon+"/renew").Lacks("erneuert.uni.example", "ersetzt.uni.example")
	r.As("sven").Get("/").Lacks("Serverzertifikat")
	for range 10 {
		r.Served(r.Organisation, sitetest.ECKey().Public(), 6, "viele.uni.example")
	}
	r.Clock.Advance(5 * 24 * time.Hour)
	r.As("nora").Get("/").Has("4 weitere Serverzertifikate sind zu erneuern", "/certificates?which=ending")
}

// TestASuccessorSeesAllAtOnce, and the one before nothing any more.
func TestASuccessorSeesAllAtOnce(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	s := r.Shelve()
	trial.Must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		return r.Org.Reassign(t.Context(), tx, r.Clock.Now(), r.Actors["rita"], r.Organisation, r.Actors["bob"].Account)
	}))
	bob, nora := r.As("bob"), r.As("nora")
	for _, reference := range []string{s.Valid, s.Expired, s.Revoked, s.Replaced} {
		bob.Get("/certificates?which=all").Has(reference)
		for _, end := range []string{"", "/x509chain.pem"} {
			bob.Get("/certificates/" + reference + end).Is(http.StatusOK)
			nora.Get("/certificates/" + reference + end).Is(http.StatusNotFound)
		}
	}
	nora.Get("/certificates").Is(http.StatusForbidden)
}
