package organisations_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/org"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestAnOfficerMakesAnOrganisationAndGivesItNames(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	r.As("ada")
	typed := []string{"name", "institut für proben", "identifier", "falsch", "country", "Bayern", "who", "ada"}
	rita.Post("/office/organisations", typed...).Is(http.StatusUnprocessableEntity).
		Has(`href="#f-identifier"`, `href="#f-country"`, `<option value="Bayern" selected>Bayern</option>`, "NTRDE-HRB12345", `value="institut für proben"`, `value="ada"`)
	rita.Post("/office/organisations", append(typed[:4:4], "country", " schweiz ", "who", "ada")...).Is(http.StatusUnprocessableEntity).
		Has(`<option value="CH" selected>Schweiz</option>`).Lacks(`href="#f-country"`)
	typed[3], typed[5] = "GOVDE", "Deutschland"
	rita.Post("/office/organisations", "name", "x", "country", "D", "who", "").Is(http.StatusUnprocessableEntity).Has(`href="#f-country"`, `href="#f-who"`)
	rita.Post("/office/organisations", append(typed[:7:7], "nobody")...).Is(http.StatusUnprocessableEntity).Has(`href="#f-who"`, "gibt es kein Konto")
	rita.Post("/office/organisations", append(typed[:7:7], "rita")...).Is(http.StatusConflict).Has(`href="#f-who"`, "Sich selbst")
	page := rita.Post("/office/organisations", typed...).Is(http.StatusSeeOther).To()
	rita.Get(page).Is(http.StatusOK).Has("institut für proben ist angelegt", "Ada Adler", "ada.adler@uni.example", "GOVDE", "Deutschland (DE)", "Noch ist kein Name eingetragen", sitetest.German("audit.org.organisation_added"))
	rita.Post("/office/organisations", typed...).Is(http.StatusConflict).Has(`href="#f-name"`, "gibt es schon")

	rita.Post(page+"/names", "server_name", "*.Münster.example").Is(http.StatusUnprocessableEntity).Has(`href="#f-server_name"`, "ohne *.", `value="*.Münster.example"`)
	rita.Post(page+"/names", "server_name", "co.uk").Is(http.StatusUnprocessableEntity).Has("gehört keiner Organisation allein")
	rita.Post(page+"/names", "server_name", "uni.example").Is(http.StatusConflict).Has(`href="#f-server_name"`, "gehört schon zu einer anderen Organisation")
	name := rita.Post(page+"/names", "server_name", "Münster.example", "wildcard", "on").Is(http.StatusSeeOther).To()
	rita.Get(name).Is(http.StatusOK).Has("münster.example", "nicht validiert", `value="Rita Amt"`, "zurzeit")
	rita.Get("/office").Has("münster.example (institut für proben) ist noch nicht validiert")
	far := r.Clock.Now().AddDate(0, 0, 398).Format(time.DateOnly)
	rita.Post(name, "wildcard", "on", "proof_method", "DNS TXT", "proof_by", "Rita", "proof_from", r.Clock.Now().Format(time.DateOnly), "proof_until", far).
		Is(http.StatusUnprocessableEntity).Has(`href="#f-proof_until"`, "Nach den Regeln", `value="DNS TXT"`, `value="`+far+`"`)
	rita.Post(name, "proof_method", "DNS TXT", "proof_from", "bald").Is(http.StatusUnprocessableEntity).Has(`href="#f-proof_from"`)
	rita.Post(name, "proof_method", "DNS TXT", "proof_from", r.Clock.Now().AddDate(0, 0, -21).Format("2.1.2006"), "proof_until", "bald").Is(http.StatusUnprocessableEntity).Has(`href="#f-proof_until"`, "Datum")
	rita.Post(name, "wildcard", "on", "proof_method", "DNS TXT", "proof_by", "Rita", "proof_from", r.Clock.Now().Format(time.DateOnly)).
		Is(http.StatusSeeOther).Follow().Has("Änderungen sind gespeichert", "validiert", "bis ", "DNS TXT · Rita", sitetest.German("audit.org.name_validated"), "In Zertifikaten", "Servername: münster.example")
}

func TestATechnicalContactAsksForANameAndTheOfficeAnswers(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora, rita := r.As("nora"), r.As("rita")
	page := nora.Get("/organisations").Is(http.StatusSeeOther).To()
	nora.Get(page).Is(http.StatusOK).Has("Universität Probe", "uni.example", "validiert", "Nora Netz", "durch die Registrierungsstelle", `href="/certificates"`, `href="/orders"`).
		Lacks("In der Verwaltung öffnen", "/office/people")
	nora.Post(page+"/names", "server_name", "192.0.2.1").Is(http.StatusUnprocessableEntity).Has(`href="#f-server_name"`, "nicht für IP-Adressen", `value="192.0.2.1"`)
	nora.Post(page+"/names", "server_name", "www.uni.example").Is(http.StatusConflict).Has("gehört schon zu uni.example")
	nora.Post(page+"/names", "server_name", "Projekt.example", "wildcard", "on").Is(http.StatusSeeOther).Follow().
		Has("Ihre Anfrage nach Projekt.example liegt", "angefragt", "gewünscht", "Zurückziehen")
	answer := rita.Get("/").Has("Universität Probe möchte Zertifikate für projekt.example")
	_, rest, _ := strings.Cut(answer.Text(), "möchte Zertifikate für projekt.example")
	_, rest, _ = strings.Cut(rest, `href="`)
	name, _, _ := strings.Cut(rest, `"`)
	rita.Get(name).Is(http.StatusOK).Has("von Nora Netz am", "Anfrage ablehnen")
	rita.Get(name + "/end").Is(http.StatusOK).Has("Anfrage nach projekt.example ablehnen?")
	rita.Post(name+"/end", "why", " ").Is(http.StatusUnprocessableEntity).Has(`href="#f-why"`)
	rita.Post(name+"/end", "why", "Die Domain gehört jemand anderem.").Is(http.StatusSeeOther).Follow().Has("Die Anfrage nach projekt.example ist abgelehnt")
	nora.Get(page).Has("Abgelehnte und beendete Namen", "Die Domain gehört jemand anderem.")
	rita.Get("/").Lacks("projekt.example")

	id := trial.Must(r.Org.AskName(t.Context(), r.Actors["nora"], r.Organisation, org.NameInput{Name: "tippfehler.exampel"}))
	nora.Post(fmt.Sprintf("%s/names/%d/withdraw", page, id)).Is(http.StatusSeeOther).Follow().Has("Die Anfrage nach tippfehler.exampel ist zurückgezogen")
	nora.Post(page+"/reminders", "reminders", "netz@uni.example\r\nfalsch").Is(http.StatusUnprocessableEntity).Has(`href="#f-reminders"`, "netz@uni.example\r\nfalsch")
	nora.Post(page+"/reminders", "reminders", "netz@uni.example\r\nzwei@uni.example").Is(http.StatusSeeOther).Follow().Has("netz@uni.example\nzwei@uni.example")
}

func TestANewContactSeesTheOrganisationAndTheOldOneDoesNot(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t, func(c *portal.Config) { c.SecondOfficer = false })
	nora, ada, rita := r.As("nora"), r.As("ada"), r.As("rita")
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	contact := "/office" + own + "/contact"
	ada.Get("/organisations").Is(http.StatusForbidden).Has("ist für technische Ansprechpartner").Lacks(`href="/orders"`)
	ada.Get(own).Is(http.StatusNotFound)
	rita.Get(contact).Is(http.StatusOK).Has("Nora Netz sieht die Organisation ab der nächsten Anfrage nicht mehr")
	rita.Post(contact, "who", "ada", "reason", "Nora Netz ist gegangen.").Is(http.StatusSeeOther).Follow().Has("Ada Adler ist jetzt technischer Ansprechpartner", "Nora Netz → Ada Adler")
	nora.Get(own).Is(http.StatusNotFound)
	nora.Post(own+"/names", "server_name", "x.example").Is(http.StatusNotFound)
	nora.Get("/").Lacks(`href="/orders"`)
	ada.Get(own).Is(http.StatusOK).Has("Ada Adler")
}

func TestAnOfficerWhoIsTheContactKeepsNothing(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	trial.Must(r.Pool.Exec(t.Context(), `update organisation set contact = $1 where id = $2`, r.Actors["rita"].Account, r.Organisation))
	rita := r.As("rita")
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	office := "/office" + own
	var name int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from server_name where organisation = $1`, r.Organisation).Scan(&name))
	validate := fmt.Sprintf("%s/names/%d", office, name)
	rita.Get(office).Is(http.StatusOK).Has("entscheidet jemand anderes").Lacks("Namen eintragen", "Anderen Ansprechpartner", "Angaben ändern")
	rita.Get(validate).Is(http.StatusOK).Has("entscheidet jemand anderes").Lacks("Angaben speichern", "Namen beenden")
	rita.Get(office + "/contact").Is(http.StatusForbidden)
	rita.Get(validate + "/end").Is(http.StatusForbidden)
	for path, form := range map[string][]string{
		office: {"name", "x", "country", "DE", "auto", "on"}, office + "/contact": {"who", "ada"}, office + "/names": {"server_name", "x.example"},
		validate: {"wildcard", "on"}, validate + "/end": {"why", "x"},
	} {
		rita.Post(path, form...).Is(http.StatusForbidden).Has("entscheidet jemand anderes")
	}
	rita.Post(own+"/names", "server_name", "projekt.example").Is(http.StatusSeeOther)
	rita.Get("/office").Lacks("möchte Zertifikate für projekt.example")
	rita.Get(own).Is(http.StatusOK).Has("projekt.example", "In der Verwaltung öffnen")
}

func TestForeignOrganisationsDoNotExist(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	sven := r.As("sven")
	id := trial.Must(r.Org.AskName(t.Context(), r.Actors["nora"], r.Organisation, org.NameInput{Name: "projekt.example"}))
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	sven.Get(own).Is(http.StatusNotFound)
	sven.Get("/organisations/999999").Is(http.StatusNotFound)
	sven.Get("/organisations/x").Is(http.StatusNotFound)
	his := sven.Get("/organisations").Is(http.StatusSeeOther).To()
	sven.Get(his).Is(http.StatusOK).Has("Institut Fremd").Lacks("projekt.example")
	sven.Post(fmt.Sprintf("%s/names/%d/withdraw", own, id)).Is(http.StatusNotFound)
	sven.Post(fmt.Sprintf("%s/names/%d/withdraw", his, id)).Is(http.StatusNotFound) // nora's name through his organisation
	r.As("nora").Get(own).Has("projekt.example", "angefragt")
	rita := r.As("rita")
	var other org.OrganisationID
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from organisation where id <> $1`, r.Organisation).Scan(&other))
	rita.Get(fmt.Sprintf("/office/organisations/%d/names/%d", other, id)).Is(http.StatusNotFound)
}

func TestTheOfficeHearsOfNamesThatLapse(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	var until time.Time
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select proof_until from server_name where organisation = $1`, r.Organisation).Scan(&until))
	r.Clock.Advance(until.Sub(r.Clock.Now()) - 20*24*time.Hour)
	r.As("rita").Get("/").Has("Die Validierung von uni.example (Universität Probe) läuft am")
	r.As("nora").Get("/").Has("Die Prüfung von uni.example (Universität Probe) endet in 20 Tagen", fmt.Sprintf("/organisations/%d#names", r.Organisation)).Lacks("Alles erledigt")
	r.As("sven").Get("/").Lacks("uni.example (")
	r.Clock.Advance(21 * 24 * time.Hour)
	rita := r.As("rita")
	rita.Get("/office").Has("Die Validierung von uni.example (Universität Probe) ist am")
	r.As("nora").Get("/").Has("Die Prüfung von uni.example (Universität Probe) ist am", "warten Aufträge dafür")
	rita.Get("/office/organisations").Has("1 Name nicht validiert")
	name := trial.Must(r.Org.AddName(t.Context(), r.Actors["rita"], r.Organisation, org.NameInput{Name: "neu.example"}))
	trial.Must(0, r.Org.ValidateName(t.Context(), r.Actors["rita"], name, org.Check{Proof: org.Proof{Method: "DNS TXT", By: "RA", From: r.Clock.Now()}}))
	trial.Must(r.Org.AskName(t.Context(), r.Actors["nora"], r.Organisation, org.NameInput{Name: "wunsch.example"}))
	rita.Get("/office/organisations").Has("1 Name validiert, 1 Name nicht validiert, 1 Name angefragt")
	r.As("nora").Get(fmt.Sprintf("/organisations/%d", r.Organisation)).Has("abgelaufen")
}

func TestMoreOrganisationsAskNoMoreQueries(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita, nora := r.As("rita"), r.As("nora")
	count := func(b *sitetest.Browser, path string) int {
		t.Helper()
		b.Get(path).Is(http.StatusOK)
		done := pgtest.Queries(t, r.Pool)
		b.Get(path).Is(http.StatusOK)
		return done()
	}
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	paths := []string{"/office/organisations", "/organisations", "/office" + own}
	before := make([]int, len(paths))
	for i, path := range paths {
		before[i] = count(rita, path)
	}
	ownBefore := count(nora, own)
	for i := range 30 {
		trial.Must(r.Org.AddOrganisation(t.Context(), r.Actors["rita"], org.OrganisationInput{Name: fmt.Sprint("Institut ", i), Country: "DE", Contact: r.Actors["ada"].Account}))
		trial.Must(r.Org.AddName(t.Context(), r.Actors["rita"], r.Organisation, org.NameInput{Name: fmt.Sprintf("n%d.example", i)}))
	}
	for i, path := range paths {
		if got := count(rita, path); got != before[i] {
			t.Errorf("%s: got %d queries with 30 more, want %d as before", path, got, before[i])
		}
	}
	if got := count(nora, own); got != ownBefore {
		t.Errorf("%s: got %d queries with 30 more names, want %d as before", own, got, ownBefore)
	}
}
