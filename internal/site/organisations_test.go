package site_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/org"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
)

func TestAnOfficerMakesAnOrganisationAndGivesItNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	r.as("ada")
	typed := []string{"name", "institut für proben", "identifier", "falsch", "country", "Bayern", "who", "ada"}
	rita.post("/office/organisations", typed...).status(http.StatusUnprocessableEntity).
		has(`href="#f-identifier"`, `href="#f-country"`, `<option value="Bayern" selected>Bayern</option>`, "NTRDE-HRB12345", `value="institut für proben"`, `value="ada"`)
	rita.post("/office/organisations", append(typed[:4:4], "country", " schweiz ", "who", "ada")...).status(http.StatusUnprocessableEntity).
		has(`<option value="CH" selected>Schweiz</option>`).lacks(`href="#f-country"`)
	typed[3], typed[5] = "GOVDE", "Deutschland"
	rita.post("/office/organisations", "name", "x", "country", "D", "who", "").status(http.StatusUnprocessableEntity).has(`href="#f-country"`, `href="#f-who"`)
	rita.post("/office/organisations", append(typed[:7:7], "nobody")...).status(http.StatusUnprocessableEntity).has(`href="#f-who"`, "gibt es kein Konto")
	rita.post("/office/organisations", append(typed[:7:7], "rita")...).status(http.StatusConflict).has(`href="#f-who"`, "Sich selbst")
	page := rita.post("/office/organisations", typed...).status(http.StatusSeeOther).to()
	rita.get(page).status(http.StatusOK).has("institut für proben ist angelegt", "Ada Adler", "ada.adler@uni.example", "GOVDE", "Deutschland (DE)", "Noch ist kein Name eingetragen", de("audit.org.organisation_added"))
	rita.post("/office/organisations", typed...).status(http.StatusConflict).has(`href="#f-name"`, "gibt es schon")

	rita.post(page+"/names", "server_name", "*.Münster.example").status(http.StatusUnprocessableEntity).has(`href="#f-server_name"`, "ohne *.", `value="*.Münster.example"`)
	rita.post(page+"/names", "server_name", "co.uk").status(http.StatusUnprocessableEntity).has("gehört keiner Organisation allein")
	rita.post(page+"/names", "server_name", "uni.example").status(http.StatusConflict).has(`href="#f-server_name"`, "gehört schon zu einer anderen Organisation")
	name := rita.post(page+"/names", "server_name", "Münster.example", "wildcard", "on").status(http.StatusSeeOther).to()
	rita.get(name).status(http.StatusOK).has("münster.example", "nicht validiert", `value="Rita Amt"`, "zurzeit")
	rita.get("/office").has("münster.example (institut für proben) ist noch nicht validiert")
	far := r.clock.Now().AddDate(0, 0, 398).Format(time.DateOnly)
	rita.post(name, "wildcard", "on", "proof_method", "DNS TXT", "proof_by", "Rita", "proof_from", r.clock.Now().Format(time.DateOnly), "proof_until", far).
		status(http.StatusUnprocessableEntity).has(`href="#f-proof_until"`, "Nach den Regeln", `value="DNS TXT"`, `value="`+far+`"`)
	rita.post(name, "proof_method", "DNS TXT", "proof_from", "bald").status(http.StatusUnprocessableEntity).has(`href="#f-proof_from"`)
	rita.post(name, "proof_method", "DNS TXT", "proof_from", r.clock.Now().AddDate(0, 0, -21).Format("2.1.2006"), "proof_until", "bald").status(http.StatusUnprocessableEntity).has(`href="#f-proof_until"`, "Datum")
	rita.post(name, "wildcard", "on", "proof_method", "DNS TXT", "proof_by", "Rita", "proof_from", r.clock.Now().Format(time.DateOnly)).
		status(http.StatusSeeOther).follow().has("Änderungen sind gespeichert", "validiert", "bis ", "DNS TXT · Rita", de("audit.org.name_validated"), "In Zertifikaten", "Servername: münster.example")
}

func TestATechnicalContactAsksForANameAndTheOfficeAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora, rita := r.as("nora"), r.as("rita")
	page := nora.get("/organisations").status(http.StatusSeeOther).to()
	nora.get(page).status(http.StatusOK).has("Universität Probe", "uni.example", "validiert", "Nora Netz", "durch die Registrierungsstelle", `href="/certificates"`, `href="/orders"`).
		lacks("In der Verwaltung öffnen", "/office/people")
	nora.post(page+"/names", "server_name", "192.0.2.1").status(http.StatusUnprocessableEntity).has(`href="#f-server_name"`, "nicht für IP-Adressen", `value="192.0.2.1"`)
	nora.post(page+"/names", "server_name", "www.uni.example").status(http.StatusConflict).has("gehört schon zu uni.example")
	nora.post(page+"/names", "server_name", "Projekt.example", "wildcard", "on").status(http.StatusSeeOther).follow().
		has("Ihre Anfrage nach Projekt.example liegt", "angefragt", "gewünscht", "Zurückziehen")
	answer := rita.get("/").has("Universität Probe möchte Zertifikate für projekt.example")
	_, rest, _ := strings.Cut(answer.text(), "möchte Zertifikate für projekt.example")
	_, rest, _ = strings.Cut(rest, `href="`)
	name, _, _ := strings.Cut(rest, `"`)
	rita.get(name).status(http.StatusOK).has("von Nora Netz am", "Anfrage ablehnen")
	rita.get(name + "/end").status(http.StatusOK).has("Anfrage nach projekt.example ablehnen?")
	rita.post(name+"/end", "why", " ").status(http.StatusUnprocessableEntity).has(`href="#f-why"`)
	rita.post(name+"/end", "why", "Die Domain gehört jemand anderem.").status(http.StatusSeeOther).follow().has("Die Anfrage nach projekt.example ist abgelehnt")
	nora.get(page).has("Abgelehnte und beendete Namen", "Die Domain gehört jemand anderem.")
	rita.get("/").lacks("projekt.example")

	id := must(r.Org.AskName(t.Context(), r.actors["nora"], r.organisation, org.NameInput{Name: "tippfehler.exampel"}))
	nora.post(fmt.Sprintf("%s/names/%d/withdraw", page, id)).status(http.StatusSeeOther).follow().has("Die Anfrage nach tippfehler.exampel ist zurückgezogen")
	nora.post(page+"/reminders", "reminders", "netz@uni.example\r\nfalsch").status(http.StatusUnprocessableEntity).has(`href="#f-reminders"`, "netz@uni.example\r\nfalsch")
	nora.post(page+"/reminders", "reminders", "netz@uni.example\r\nzwei@uni.example").status(http.StatusSeeOther).follow().has("netz@uni.example\nzwei@uni.example")
}

func TestANewContactSeesTheOrganisationAndTheOldOneDoesNot(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *portal.Config) { c.SecondOfficer = false })
	nora, ada, rita := r.as("nora"), r.as("ada"), r.as("rita")
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	contact := "/office" + own + "/contact"
	ada.get("/organisations").status(http.StatusForbidden).has("ist für technische Ansprechpartner").lacks(`href="/orders"`)
	ada.get(own).status(http.StatusNotFound)
	rita.get(contact).status(http.StatusOK).has("Nora Netz sieht die Organisation ab der nächsten Anfrage nicht mehr")
	rita.post(contact, "who", "ada", "reason", "Nora Netz ist gegangen.").status(http.StatusSeeOther).follow().has("Ada Adler ist jetzt technischer Ansprechpartner", "Nora Netz → Ada Adler")
	nora.get(own).status(http.StatusNotFound)
	nora.post(own+"/names", "server_name", "x.example").status(http.StatusNotFound)
	nora.get("/").lacks(`href="/orders"`)
	ada.get(own).status(http.StatusOK).has("Ada Adler")
}

func TestAnOfficerWhoIsTheContactKeepsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must(r.db.Exec(t.Context(), `update organisation set contact = $1 where id = $2`, r.actors["rita"].Account, r.organisation))
	rita := r.as("rita")
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	office := "/office" + own
	var name int64
	must(0, r.db.QueryRow(t.Context(), `select id from server_name where organisation = $1`, r.organisation).Scan(&name))
	validate := fmt.Sprintf("%s/names/%d", office, name)
	rita.get(office).status(http.StatusOK).has("entscheidet jemand anderes").lacks("Namen eintragen", "Anderen Ansprechpartner", "Angaben ändern")
	rita.get(validate).status(http.StatusOK).has("entscheidet jemand anderes").lacks("Angaben speichern", "Namen beenden")
	rita.get(office + "/contact").status(http.StatusForbidden)
	rita.get(validate + "/end").status(http.StatusForbidden)
	for path, form := range map[string][]string{
		office: {"name", "x", "country", "DE", "auto", "on"}, office + "/contact": {"who", "ada"}, office + "/names": {"server_name", "x.example"},
		validate: {"wildcard", "on"}, validate + "/end": {"why", "x"},
	} {
		rita.post(path, form...).status(http.StatusForbidden).has("entscheidet jemand anderes")
	}
	rita.post(own+"/names", "server_name", "projekt.example").status(http.StatusSeeOther)
	rita.get("/office").lacks("möchte Zertifikate für projekt.example")
	rita.get(own).status(http.StatusOK).has("projekt.example", "In der Verwaltung öffnen")
}

func TestForeignOrganisationsDoNotExist(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sven := r.as("sven")
	id := must(r.Org.AskName(t.Context(), r.actors["nora"], r.organisation, org.NameInput{Name: "projekt.example"}))
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	sven.get(own).status(http.StatusNotFound)
	sven.get("/organisations/999999").status(http.StatusNotFound)
	sven.get("/organisations/x").status(http.StatusNotFound)
	his := sven.get("/organisations").status(http.StatusSeeOther).to()
	sven.get(his).status(http.StatusOK).has("Institut Fremd").lacks("projekt.example")
	sven.post(fmt.Sprintf("%s/names/%d/withdraw", own, id)).status(http.StatusNotFound)
	sven.post(fmt.Sprintf("%s/names/%d/withdraw", his, id)).status(http.StatusNotFound) // nora's name through his organisation
	r.as("nora").get(own).has("projekt.example", "angefragt")
	rita := r.as("rita")
	var other org.OrganisationID
	must(0, r.db.QueryRow(t.Context(), `select id from organisation where id <> $1`, r.organisation).Scan(&other))
	rita.get(fmt.Sprintf("/office/organisations/%d/names/%d", other, id)).status(http.StatusNotFound)
}

func TestTheOfficeHearsOfNamesThatLapse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var until time.Time
	must(0, r.db.QueryRow(t.Context(), `select proof_until from server_name where organisation = $1`, r.organisation).Scan(&until))
	r.clock.Advance(until.Sub(r.clock.Now()) - 20*24*time.Hour)
	r.as("rita").get("/").has("Die Validierung von uni.example (Universität Probe) läuft am")
	r.clock.Advance(21 * 24 * time.Hour)
	rita := r.as("rita")
	rita.get("/office").has("Die Validierung von uni.example (Universität Probe) ist am")
	rita.get("/office/organisations").has("1 Name nicht validiert")
	r.as("nora").get(fmt.Sprintf("/organisations/%d", r.organisation)).has("abgelaufen")
}

func TestMoreOrganisationsAskNoMoreQueries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita, nora := r.as("rita"), r.as("nora")
	count := func(b *browser, path string) int {
		t.Helper()
		b.get(path).status(http.StatusOK)
		done := pgtest.Queries(t, r.db)
		b.get(path).status(http.StatusOK)
		return done()
	}
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	paths := []string{"/office/organisations", "/organisations", "/office" + own}
	before := make([]int, len(paths))
	for i, path := range paths {
		before[i] = count(rita, path)
	}
	ownBefore := count(nora, own)
	for i := range 30 {
		must(r.Org.AddOrganisation(t.Context(), r.actors["rita"], org.OrganisationInput{Name: fmt.Sprint("Institut ", i), Country: "DE", Contact: r.actors["ada"].Account}))
		must(r.Org.AddName(t.Context(), r.actors["rita"], r.organisation, org.NameInput{Name: fmt.Sprintf("n%d.example", i)}))
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
