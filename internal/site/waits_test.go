package site_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// slowly is a portal beside whose own authority another one issues for mailboxes
// and servers, which takes its time.
func slowly(t *testing.T) (*sitetest.Rig, *catest.Server) {
	t.Helper()
	var r *sitetest.Rig
	outside := catest.New(t)
	outside.Clock(func() time.Time { return r.Clock.Now() })
	outside.Always(catest.Person)
	r = sitetest.New(t, with(outside))
	return r, outside
}

func with(outside *catest.Server) func(*portal.Config) {
	return func(c *portal.Config) {
		c.Registry = issuance.Registry{"vertrauen": {Authority: outside.Client(), Mail: true, Servers: true}}
	}
}

// chosen sends the certificates of uni.example and of a product to it.
func chosen(r *sitetest.Rig) {
	r.T.Helper()
	trial.Must(r.Pool.Exec(r.T.Context(), `update email_domain set authority = 'vertrauen' where name = 'uni.example'`))
	trial.Must(0, r.Order.SetProductAuthority(r.T.Context(), r.Actors["rita"], "tls-single", "vertrauen"))
}

// looked is an application for which the authority was asked.
func looked(r *sitetest.Rig, sub string, local string) order.ID {
	r.T.Helper()
	n := r.Applied(sub, r.LinkRow(local, sub))
	trial.Must(0, r.Order.Issue(r.T.Context(), n))
	return n
}

// placed is an order for which the authority was asked.
func placed(r *sitetest.Rig, name string) string {
	r.T.Helper()
	reference := r.Ordered(name)
	trial.Must(0, r.Order.Approve(r.T.Context(), r.Actors["rita"], reference, 1))
	trial.Must(0, r.Order.Fulfil(r.T.Context(), trial.Must(r.Order.Server(r.T.Context(), r.Actors["rita"], reference)).ID))
	return reference
}

var refreshed = regexp.MustCompile(`data-refresh="([^"]+)"`)

func TestAPageSaysOnWhomAnApplicationWaits(t *testing.T) {
	t.Parallel()
	r, outside := slowly(t)
	chosen(r)
	n := looked(r, "ada", "ada.adler")
	path, ada, rita := paths.Application(n), r.As("ada"), r.As("rita")
	trial.Must(r.Pool.Exec(t.Context(), `update intent set said = 'Frau Blau prüft das.' where number = $1`, n))
	shown := ada.Get(path).Is(http.StatusOK).Has("Wartet auf vertrauen", "Dort muss sich erst jemand", "Wartet seit", "Nächste Nachfrage", "Antrag zurückziehen", `data-every="20"`).Lacks("Frau Blau")
	rita.Get(path).Is(http.StatusOK).Has("Wartet auf vertrauen", "Frau Blau prüft das.").Lacks("Antrag zurückziehen")
	ada.Get(paths.ClientCertificates).Has("wird bearbeitet", "auf vertrauen.", "Ihr Antrag ist unterwegs.").Lacks("Frau Blau")
	fragment := refreshed.FindStringSubmatch(shown.Content)[1]
	ada.Get(fragment).Is(http.StatusNoContent)

	outside.Always(catest.Broken)
	r.Clock.Advance(3 * time.Minute)
	trial.Must(0, r.Order.Issue(t.Context(), n))
	ada.Get(fragment).Is(http.StatusOK).Has("antwortet im Moment nicht", "data-refresh").Lacks("Nachfragen ohne Antwort", "data-over", "<html")
	r.As("rita").Get(path).Has("antwortet im Moment nicht", "Nachfragen ohne Antwort")
	outside.Always(catest.Person)
	r.Clock.Advance(time.Hour)
	trial.Must(0, r.Order.Issue(t.Context(), n))
	r.As("rita").Get(paths.OfficeWaits).Is(http.StatusOK).Has("Nichts dauert lange")
	r.Clock.Advance(issuance.LongWait)
	ada, rita = r.As("ada"), r.As("rita")
	ada.Get(path).Has("ungewöhnlich lange")
	rita.Get("/").Has("Ein Antrag oder Auftrag wartet lange", `href="`+paths.OfficeWaits+`"`)
	rita.Get(path).Has("Bitte fragen Sie bei der Zertifizierungsstelle nach", paths.OfficeWaits)
	rita.Get(paths.OfficeWaits).Has(`href="`+path+`"`, "Ada Adler", "ada.adler@uni.example", "vertrauen", "Dort muss sich jemand")
}

func TestAnApplicantTakesAnApplicationBack(t *testing.T) {
	t.Parallel()
	r, outside := slowly(t)
	chosen(r)
	n := looked(r, "ada", "ada.adler")
	path := paths.Application(n) + "/withdraw"
	for _, who := range []string{"bob", "nora", "rita"} {
		r.As(who).Get(path).Is(http.StatusNotFound)
		r.As(who).Post(path).Is(http.StatusNotFound)
	}
	ada := r.As("ada")
	ada.Get(path).Is(http.StatusOK).Has("ada.adler@uni.example", "schon gefragt", "sofort widerrufen", `action="`+path+`"`)
	ada.Post(path).Is(http.StatusSeeOther).Follow().Is(http.StatusOK).Has("Der Antrag wurde zurückgezogen", "sofort widerrufen").Lacks("data-refresh", "Antrag zurückziehen")
	ada.Get(path).Is(http.StatusConflict).Has("Dafür ist es zu spät", "Antrag zurückgezogen")
	ada.Post(path).Is(http.StatusConflict)
	ada.Get(paths.ClientCertificates).Has("Zertifikat beantragen").Lacks("zurückgezogen")

	outside.Approve(int64(n))
	r.Clock.Advance(3 * time.Minute)
	trial.Must(0, r.Issuance.Look(t.Context(), issuance.Application, issuance.Number(n)))
	if outside.Signed(int64(n)) != 1 {
		t.Fatalf("got %d certificates, want the one that nobody wants any more", outside.Signed(int64(n)))
	}
	r.As("ada").Get(paths.Application(n)).Is(http.StatusOK).Has("Der Antrag wurde zurückgezogen")
	r.Clock.Advance(issuance.LongWait)
	rita := r.As("rita")
	rita.Get(paths.OfficeWaits).Has("Widerruf seit mehr als einem Tag", "ada.adler@uni.example").Lacks("Zurückgezogen oder ohne Recht")
	rita.Get("/").Has("Ein Widerruf dauert länger als einen Tag")
	var late int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from certificate`).Scan(&late))
	trial.Must(0, r.Issuance.Revoke(t.Context(), late))
	rita.Get(paths.OfficeWaits).Has("Nichts dauert lange")
}

func TestAPageSaysOnWhomAnOrderWaits(t *testing.T) {
	t.Parallel()
	r, _ := slowly(t)
	chosen(r)
	reference := placed(r, "www.uni.example")
	trial.Must(r.Pool.Exec(t.Context(), `update intent set said = 'Frau Blau prüft das.'`))
	nora, rita, path := r.As("nora"), r.As("rita"), paths.Order(reference)
	shown := nora.Get(path).Is(http.StatusOK).Has("Wartet auf vertrauen", "Nächste Nachfrage", "Auftrag zurückziehen", "wird bearbeitet").Lacks("Frau Blau")
	nora.Get(refreshed.FindStringSubmatch(shown.Content)[1]).Is(http.StatusNoContent)
	nora.Get(paths.Orders).Has(reference, "wird bearbeitet", "auf vertrauen.")
	rita.Get(paths.OfficeOrder(reference)).Has("Wartet auf vertrauen", "Frau Blau prüft das.")
	rita.Get(paths.OfficeOrders+"?which=open").Has(reference, "wird bearbeitet")
	r.Clock.Advance(issuance.LongWait)
	nora, rita = r.As("nora"), r.As("rita")
	rita.Get(paths.OfficeWaits).Has(paths.OfficeOrder(reference), "Universität Probe", "www.uni.example")
	nora.Get(path+"/withdraw").Is(http.StatusOK).Has("schon gefragt", "sofort widerrufen")
	nora.Post(path+"/withdraw").Is(http.StatusSeeOther).Follow().Has("Der Auftrag wurde zurückgezogen", "sofort widerrufen")
	rita.Get(paths.OfficeWaits).Has(paths.OfficeOrder(reference), "Zurückgezogen oder ohne Recht")
	rita.Get("/").Has("wartet lange auf eine Zertifizierungsstelle")
}

func TestOfficersChooseTheAuthority(t *testing.T) {
	t.Parallel()
	r, _ := slowly(t)
	rita := r.As("rita")
	product := paths.OfficeProduct("tls-single") + "/authority"
	rita.Get(paths.OfficeProducts).Has(`href="`+product+`"`, "Zertifizierungsstelle des Portals")
	rita.Get(product).Is(http.StatusOK).Has(`name="authority"`, `value="vertrauen"`)
	rita.Post(product, "authority", "nirgends").Is(http.StatusUnprocessableEntity).Has("für Server nicht eingerichtet")
	rita.Post(product, "authority", "vertrauen").Is(http.StatusSeeOther).Follow().Has("vertrauen")
	rita.Get(paths.OfficeAudit).Has("Zertifizierungsstelle eines Produkts gewählt", "Zertifizierungsstelle: vertrauen")
	rita.Post(product, "authority", "").Is(http.StatusSeeOther)
	rita.Get(paths.OfficeAudit).Has("Zertifizierungsstelle: Zertifizierungsstelle des Portals")

	var id int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from email_domain where name = 'labor.example'`).Scan(&id))
	domain := fmt.Sprintf("%s/%d", paths.OfficeDomains, id)
	form := func(authority string) []string {
		return []string{"group", fmt.Sprint(r.Group), "validation", "mailbox", "authority", authority}
	}
	rita.Get(domain).Is(http.StatusOK).Has(`name="authority"`, `value="vertrauen"`, "Zertifizierungsstelle des Portals")
	rita.Post(domain, form("nirgends")...).Is(http.StatusUnprocessableEntity).Has("für E-Mail nicht eingerichtet")
	rita.Post(domain, form("vertrauen")...).Is(http.StatusSeeOther).Follow().Has(`<option value="vertrauen" selected`, "Zertifizierungsstelle: vertrauen")
}

func TestWithOneAuthorityThereIsNothingToChoose(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	var id int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from email_domain where name = 'labor.example'`).Scan(&id))
	rita.Get(fmt.Sprintf("%s/%d", paths.OfficeDomains, id)).Is(http.StatusOK).Lacks(`name="authority"`)
	rita.Get(paths.OfficeProducts).Is(http.StatusOK).Lacks("/authority", "Zertifizierungsstelle des Portals")
	rita.Get(paths.OfficeProduct("tls-single") + "/authority").Is(http.StatusOK).Has("nichts zu wählen").Lacks(`name="authority"`)
}

// TestAPageSaysThatAnAuthorityIsNotSetUp: it does not wait there, for nobody asks.
func TestAPageSaysThatAnAuthorityIsNotSetUp(t *testing.T) {
	t.Parallel()
	r, outside := slowly(t)
	chosen(r)
	n := r.Applied("ada", r.LinkRow("ada.adler", "ada"))
	there := r.Issuance.Registry
	r.Issuance.Registry = there.With(nil)
	delete(r.Issuance.Registry, "vertrauen")
	trial.Must(0, r.Order.Issue(t.Context(), n))
	path, ada, rita := paths.Application(n), r.As("ada"), r.As("rita")
	ada.Get(path).Is(http.StatusOK).Has("nicht eingerichtet", "Die Registrierungsstelle sieht das", "Antrag zurückziehen", "data-refresh").Lacks("order.no_authority", "Wer das Portal betreibt")
	rita.Get(path).Is(http.StatusOK).Has("nicht eingerichtet", "Wer das Portal betreibt").Lacks("order.no_authority")
	rita.Get("/").Has("nicht eingerichtet", `href="`+paths.OfficeWaits+`"`)
	rita.Get(paths.OfficeWaits).Is(http.StatusOK).Has(`href="`+path+`"`, "ada.adler@uni.example", "wird nicht gefragt").Lacks("order.no_authority")
	r.Issuance.Registry = there
	outside.Always(catest.Good)
	r.Clock.Advance(time.Hour)
	trial.Must(0, r.Order.Issue(t.Context(), n))
	if a := trial.Must(r.Order.One(t.Context(), r.Actors["rita"], n)); a.State != order.Issued {
		t.Errorf("got it %s, want it issued once its authority is there again", a.State)
	}
}
