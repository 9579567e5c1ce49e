package site_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/handover"
	"petschaft/internal/sink"
)

var (
	grouped = regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}\b`)
	hidden  = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// form is what the page's form sends along unseen.
func (a answer) form(action string) (pairs []string) {
	a.b.r.t.Helper()
	_, rest, ok := strings.Cut(a.body, `action="`+action+`"`)
	if !ok {
		a.b.r.t.Fatalf("%s has no form for %s:\n%s", a.Request.URL, action, a.excerpt())
	}
	rest, _, _ = strings.Cut(rest, "</form>")
	for _, m := range hidden.FindAllStringSubmatch(rest, -1) {
		pairs = append(pairs, m[1], m[2])
	}
	return pairs
}

const handovers = "/organisations/handovers"

// review takes nora from her organisation's page to what is said before a
// handover.
func (r *rig) review(nora *browser, to string) answer {
	r.t.Helper()
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	return nora.post(handovers, append(nora.get(own).form(handovers), "email", email(to))...).status(http.StatusOK)
}

func TestAnOrganisationIsHandedOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	r.second()
	nora, ada := r.as("nora"), r.as("ada")
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	must(0, r.Org.SetReminders(t.Context(), r.actors["nora"], r.organisation, []string{"netz@uni.example", "alt@uni.example"}))
	r.served(r.organisation, ecKey().Public(), 90, "www.uni.example")
	open := r.ordered("neu.uni.example")
	review := r.review(nora, "ada").has("Universität Probe übergeben", "Ada Adler", "ada.adler@uni.example", "So läuft die Übergabe ab", "?organisation=", "Andere Organisationen")
	begun := append(review.form(handovers), "step", "offer")
	page := nora.post(handovers, begun...).status(http.StatusOK).has("Nur jetzt zu sehen", "Nicht per Mail", "persönlich oder am Telefon")
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the page with the session password: got Cache-Control %q, want no-store", got)
	}
	password := grouped.FindString(page.text())
	if password == "" {
		t.Fatalf("no session password in\n%s", page.excerpt())
	}
	nora.post(handovers, begun...).status(http.StatusConflict).has("schon angezeigt").lacks(password) // a reload, or back
	nora.get(handovers).status(http.StatusSeeOther)
	nora.get(own).has("Die Übergabe an Ada Adler läuft", "Ada Adler angeboten", "Wartet auf die Antwort von Ada Adler", "Übergabe zurücknehmen").lacks(password)
	nora.get("/").has("Ada Adler hat auf die Übergabe von „Universität Probe“ noch nicht geantwortet").lacks(password)

	link := r.handoverLink("ada.adler@uni.example")
	ada.get("/").has("Nora Netz möchte Ihnen „Universität Probe“ übergeben", link)
	ada.get(link).status(http.StatusOK).has("Übernahme von Universität Probe", "Nora Netz", "Was Annehmen bedeutet", "Übernahme annehmen").lacks("Sitzungspasswort</label>", password)
	ada.get(own).status(http.StatusNotFound)
	ada.post(link+"/accept").status(http.StatusSeeOther).follow().has("Sie haben die Übernahme angenommen", `name="password"`).lacks("Was Annehmen bedeutet", password)
	ada.get("/").has("um „Universität Probe“ von Nora Netz zu übernehmen")
	nora.get("/").has("Ada Adler hat die Übernahme von „Universität Probe“ angenommen")
	ada.get(own).status(http.StatusNotFound)
	nora.get(own).status(http.StatusOK)

	ada.post(link+"/finish", "password", "falsch").status(http.StatusUnprocessableEntity).has(`href="#f-password"`, "stimmt nicht").lacks(password)
	typed := " " + strings.NewReplacer("-", "  ", "0", "o", "1", "l").Replace(strings.ToLower(password)) + "\t"
	done := ada.post(link+"/finish", "password", typed).status(http.StatusSeeOther)
	if got := done.to(); got != own {
		t.Errorf("after the end: got led to %q, want the organisation's page %q", got, own)
	}
	done.follow().status(http.StatusOK).has("Sie sind jetzt technischer Ansprechpartner", "netz@uni.example", "Auswahl bestätigen", "Ada Adler hat übernommen")
	ada.get("/").has("noch Adressen für Erinnerungen zu bestätigen")
	ada.post(own+"/reminders/confirm", "keep", "netz@uni.example").status(http.StatusSeeOther).follow().has("Eine Adresse ist übernommen", "netz@uni.example").lacks("alt@uni.example", "Auswahl bestätigen")
	ada.get("/orders/" + open).status(http.StatusOK)
	ada.get(link).status(http.StatusOK).has("abgeschlossen").lacks(`name="password"`)
	for _, path := range []string{own, link, "/orders/" + open} {
		nora.get(path).status(http.StatusNotFound)
	}
	nora.get("/organisations").follow().status(http.StatusOK).has("Sternwarte Probe")
	r.nowhere(password)
}

// handoverLink waits for the mail about a handover and returns where it leads.
func (r *rig) handoverLink(to string) string {
	r.t.Helper()
	m, err := r.sink.WaitFor(r.t.Context(), func(m sink.Mail) bool { return m.For(to) && strings.Contains(m.Text, r.base+"/handovers/") })
	if err != nil {
		r.t.Fatalf("no mail about a handover to %s: %v", to, err)
	}
	_, rest, _ := strings.Cut(m.Text, r.base+"/handovers/")
	return "/handovers/" + strings.Fields(rest)[0]
}

// nowhere fails when the session password is in the database, the log or a mail.
func (r *rig) nowhere(password string) {
	r.t.Helper()
	for _, form := range []string{password, strings.ReplaceAll(password, "-", "")} {
		if strings.Contains(r.logged.String(), form) {
			r.t.Error("the log holds the session password")
		}
		for _, m := range r.sink.Mails() {
			if strings.Contains(m.Text+m.HTML, form) {
				r.t.Errorf("a mail to %v holds the session password", m.To)
			}
		}
		for _, table := range []string{"handover", "audit_line", "letter", "river_job", "sessions"} {
			var n int
			must(0, r.db.QueryRow(r.t.Context(), `select count(*) from `+table+` x where x::text ilike '%' || $1 || '%'`, form).Scan(&n))
			if n > 0 {
				r.t.Errorf("table %s holds the session password", table)
			}
		}
	}
}

func TestOnlyTheSuccessorAnswersAHandover(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.offered("ada")
	path := fmt.Sprintf("/handovers/%d", h.ID)
	offered := func() {
		t.Helper()
		if got := must(r.Handover.One(t.Context(), r.actors["ada"], h.ID)).State; got != handover.Offered {
			t.Fatalf("got the handover %s, want it as it was", got)
		}
	}
	stranger := r.anonymous()
	for _, b := range []*browser{stranger, r.as("ada")} { // a mail scanner, with a session and without
		for _, method := range []string{http.MethodGet, http.MethodHead, "OPTIONS"} {
			for _, step := range []string{"", "/accept", "/decline", "/finish", "/cancel"} {
				b.ask(method, path+step)
			}
		}
	}
	for _, step := range []string{"/accept", "/decline", "/finish", "/cancel"} {
		stranger.post(path + step).status(http.StatusForbidden)
	}
	if got := stranger.get(path).to(); got != "/signin?next=%2Fhandovers%2F"+fmt.Sprint(h.ID) {
		t.Errorf("who is not signed in: got led to %q, want to the sign-in and back", got)
	}
	for _, who := range []string{"bob", "sven", "rita"} {
		b := r.as(who)
		foreign := b.get(path).status(http.StatusNotFound).has("hier nicht zu sehen", names[who]).lacks("Universität", "Nora", "Ada")
		if none := b.get("/handovers/999999").status(http.StatusNotFound); none.excerpt() != foreign.excerpt() {
			t.Errorf("%s can tell a foreign handover from none:\n%s\n%s", who, foreign.excerpt(), none.excerpt())
		}
		for _, step := range []string{"/accept", "/decline", "/finish", "/cancel"} {
			b.post(path+step, "password", h.Password).status(http.StatusNotFound)
		}
	}
	nora := r.as("nora")
	for _, step := range []string{"/accept", "/decline", "/finish"} {
		nora.post(path+step, "password", h.Password).status(http.StatusForbidden)
	}
	offered()
	ada := r.as("ada")
	ada.post(path+"/finish", "password", h.Password).status(http.StatusConflict).has("Nehmen Sie die Übergabe zuerst an", "Übernahme annehmen") // the order of steps
	ada.get(path + "/cancel").status(http.StatusForbidden)
	ada.post(path + "/cancel").status(http.StatusForbidden)
	offered()
}

func TestTheSixthTryFindsTheHandoverLocked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.accepted("ada")
	ada, nora, path := r.as("ada"), r.as("nora"), fmt.Sprintf("/handovers/%d/finish", h.ID)
	for left := 4; left > 0; left-- {
		ada.post(path, "password", "ABCD-ABCD-ABCD-ABCD").status(http.StatusUnprocessableEntity)
		if left > 1 {
			ada.get(fmt.Sprintf("/handovers/%d", h.ID)).has(fmt.Sprintf("Es bleiben %d Versuche", left))
		}
	}
	ada.get(fmt.Sprintf("/handovers/%d", h.ID)).has("Es bleibt ein Versuch")
	ada.post(path, "password", "ABCD-ABCD-ABCD-ABCD").status(http.StatusConflict).has("gesperrt").lacks(`name="password"`)
	ada.post(path, "password", h.Password).status(http.StatusConflict).has("gesperrt")
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	nora.get(own).status(http.StatusOK).has("Nach fünf falschen Sitzungspasswörtern gesperrt")
	nora.get("/").has("ist nach fünf falschen Sitzungspasswörtern gesperrt")
	ada.get(own).status(http.StatusNotFound)
}

func TestTwoTabsThatFinishAtOnceMakeOneHandover(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.accepted("ada")
	ada := r.as("ada")
	var wait sync.WaitGroup
	got := make([]answer, 2)
	for i := range got {
		wait.Go(func() { got[i] = ada.post(fmt.Sprintf("/handovers/%d/finish", h.ID), "password", h.Password) })
	}
	wait.Wait()
	if got[0].StatusCode > got[1].StatusCode {
		got[0], got[1] = got[1], got[0]
	}
	got[0].status(http.StatusSeeOther)
	got[1].status(http.StatusConflict).has("abgeschlossen", fmt.Sprintf("/organisations/%d", r.organisation))
}

func TestWhoCannotBecomeTheContactIsSaidInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.second()
	nora := r.as("nora")
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	form := nora.get(own).has(`value="nora.netz@uni.example"`, "muss sich schon einmal").form(handovers)
	try := func(email, words string) {
		t.Helper()
		nora.post(handovers, append(form[:len(form):len(form)], "email", email)...).status(http.StatusUnprocessableEntity).
			has(`href="#f-email"`, words, `value="`+email+`"`, "Technischer Ansprechpartner")
	}
	try("niemand@uni.example", "noch niemand angemeldet")
	try("nora.netz@uni.example", "Ihr eigenes Konto")
	try("kein at", "")
	r.known("bob")
	must(0, r.People.Lock(t.Context(), r.actors["rita"], r.actors["bob"].Account, "Test"))
	try(email("bob"), "gesperrt")
	must(r.db.Exec(t.Context(), `update account set email = $1, email_verified = true where id = any($2)`, "doppelt@uni.example", []int64{int64(r.actors["ada"].Account), int64(r.actors["niko"].Account)}))
	try("doppelt@uni.example", "mehrere Konten")

	list := nora.get("/organisations").status(http.StatusOK).has("Sternwarte Probe", "Mehrere Organisationen übergeben")
	nora.post(handovers, append(list.form(handovers), "email", email("ada"))...).status(http.StatusUnprocessableEntity).has("Wählen Sie mindestens eine Organisation", `value="ada.adler@uni.example"`)
	nora.post(handovers, "row", fmt.Sprint(r.organisation), "email", "niemand@uni.example").status(http.StatusUnprocessableEntity).
		has(`href="#f-email"`, fmt.Sprintf(`value="%d" checked`, r.organisation))
	nora.post(handovers, "row", "999999", "email", email("ada")).status(http.StatusNotFound)
}

func TestSeveralOrganisationsGoOverEachByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	second := r.second()
	nora, ada := r.as("nora"), r.as("ada")
	chosen := []string{"row", fmt.Sprint(r.organisation), "row", fmt.Sprint(second), "email", email("ada")}
	review := nora.post(handovers, chosen...).status(http.StatusOK).has("2 Organisationen übergeben", "Universität Probe", "Sternwarte Probe", "für jede Organisation ein eigenes Sitzungspasswort")
	page := nora.post(handovers, append(review.form(handovers), "step", "offer")...).status(http.StatusOK).has("Ihre 2 Sitzungspasswörter")
	passwords := grouped.FindAllString(page.text(), -1)
	if len(passwords) != 2 || passwords[0] == passwords[1] {
		t.Fatalf("got the session passwords %q, want one for each organisation", passwords)
	}
	nora.get("/organisations").has("angeboten")
	open := must(r.Handover.Mine(t.Context(), r.actors["ada"]))
	if len(open) != 2 {
		t.Fatalf("got %d handovers, want 2", len(open))
	}
	first := open[0]
	if first.Organisation != r.organisation {
		first = open[1]
	}
	path := fmt.Sprintf("/handovers/%d", first.ID)
	ada.post(path + "/accept").status(http.StatusSeeOther)
	ada.post(path+"/finish", "password", passwords[1]).status(http.StatusUnprocessableEntity) // that of the other one
	ada.post(path+"/finish", "password", passwords[0]).status(http.StatusSeeOther)
	nora.get(fmt.Sprintf("/organisations/%d", second)).status(http.StatusOK).has("Die Übergabe an Ada Adler läuft")
	nora.get(fmt.Sprintf("/organisations/%d", r.organisation)).status(http.StatusNotFound)
	nora.get("/").has("„Sternwarte Probe“ noch nicht geantwortet").lacks("Universität Probe")
}

func TestAHandoverEndsWithoutOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora, ada := r.as("nora"), r.as("ada")
	own := fmt.Sprintf("/organisations/%d", r.organisation)
	path := func(h handover.WithPassword) string { return fmt.Sprintf("/handovers/%d", h.ID) }

	declined := path(r.accepted("ada"))
	ada.post(declined+"/decline").status(http.StatusSeeOther).follow().has("Nora Netz erfährt davon", "abgelehnt").lacks("Annehmen</button>")
	nora.get(own).has("Ada Adler hat abgelehnt", "Weiter zur Übergabe").lacks("Übergabe zurücknehmen")
	nora.get("/").has("Ada Adler hat die Übernahme von „Universität Probe“ abgelehnt")

	taken := path(r.offered("ada"))
	nora.get(taken+"/cancel").status(http.StatusOK).has("Universität Probe", "Ada Adler erfährt davon")
	nora.post(taken+"/cancel").status(http.StatusSeeOther).follow().has("ist zurückgenommen", "Zurückgenommen", "Frühere Übergaben")
	nora.get("/").lacks("„Universität Probe“") // she took it back herself
	ada.get(taken).status(http.StatusOK).has("zurückgenommen")
	ada.post(taken + "/accept").status(http.StatusConflict).has("zurückgenommen").lacks("Übernahme annehmen")
	nora.post(taken + "/cancel").status(http.StatusConflict)
	nora.get(taken + "/cancel").status(http.StatusConflict)

	old := path(r.offered("ada"))
	r.known("bob")
	r.review(nora, "bob").has("Die laufende Übergabe von „Universität Probe“ an Ada Adler wird dadurch ersetzt")
	last := r.offered("bob")
	ada.get(old).has("durch eine neuere ersetzt")
	r.clock.Advance(handover.Life + time.Minute)
	bob := r.as("bob")
	bob.get(path(last)).has("abgelaufen").lacks("Übernahme annehmen")
	bob.post(path(last) + "/accept").status(http.StatusConflict).has("abgelaufen")
	bob.get("/").lacks("übergeben")
	nora = r.as("nora")
	nora.get(own).has("Abgelaufen").lacks("Übergabe zurücknehmen")
	must(0, r.Handover.Tick(t.Context()))
	nora.get("/").has("Die Übergabe von „Universität Probe“ an Bob Bach ist abgelaufen")
}

func TestASecondOfficerConfirmsAnotherContact(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.known("ada", "nora", "bob")
	rita, rolf := r.as("rita"), r.as("rolf")
	office := fmt.Sprintf("/office/organisations/%d", r.organisation)
	contact, waits := office+"/contact", office+"/reassignment"
	rita.get(contact).status(http.StatusOK).has("nicht selbst übergeben kann", "jemand anderes aus der Registrierungsstelle")
	rita.post(contact, "who", "nobody", "reason", "x").status(http.StatusUnprocessableEntity).has(`href="#f-who"`, "x</textarea>")
	rita.post(contact).status(http.StatusUnprocessableEntity).has(`href="#f-who"`, `href="#f-reason"`)
	rita.post(contact, "who", "ada").status(http.StatusUnprocessableEntity).has(`href="#f-reason"`, `value="ada"`)
	rita.post(contact, "who", "rita", "reason", "x").status(http.StatusUnprocessableEntity).has(`href="#f-who"`, "Sich selbst")
	rita.post(contact, "who", "nora", "reason", "x").status(http.StatusUnprocessableEntity).has(`href="#f-who"`, "schon der technische Ansprechpartner")
	rita.post(contact, "who", "ada", "reason", "Nora Netz hat das Haus verlassen.").status(http.StatusSeeOther).follow().
		has("Ada Adler ist vorgeschlagen", "Rita Amt schlägt Ada Adler", waits).lacks("Anderen Ansprechpartner bestimmen")
	rita.post(contact, "who", "bob", "reason", "x").status(http.StatusConflict).has("wartet schon")
	r.as("nora").get(fmt.Sprintf("/organisations/%d", r.organisation)).status(http.StatusOK)

	page := rita.get(waits).status(http.StatusOK).has("Nora Netz hat das Haus verlassen.", "Vorschlag verwerfen").lacks("Wechsel bestätigen")
	form := page.form(waits + "/drop")
	rita.post(waits+"/confirm", form...).status(http.StatusForbidden)
	rita.get("/office").lacks("das muss noch jemand bestätigen")
	rolf.get("/").has("Rita Amt schlägt Ada Adler als Ansprechpartner von Universität Probe vor", waits)
	rolf.get(waits).status(http.StatusOK).has("Wechsel bestätigen")
	other := must(r.Org.Organisations(t.Context(), r.actors["sven"]))[0].ID
	rolf.post(fmt.Sprintf("/office/organisations/%d/reassignment/confirm", other), form...).status(http.StatusConflict)
	rolf.post(waits+"/confirm", form...).status(http.StatusSeeOther).follow().has("Der Wechsel ist bestätigt", "Nora Netz → Ada Adler", "das Haus verlassen")
	rolf.get(waits).status(http.StatusSeeOther)
	rolf.post(waits+"/confirm", form...).status(http.StatusConflict)
	r.as("nora").get(fmt.Sprintf("/organisations/%d", r.organisation)).status(http.StatusNotFound)
	r.as("ada").get(fmt.Sprintf("/organisations/%d", r.organisation)).status(http.StatusOK)

	rolf.post(contact, "who", "bob", "reason", "Irrtum").status(http.StatusSeeOther)
	rita.post(waits+"/confirm", form...).status(http.StatusConflict) // of the one before
	rita.post(waits+"/drop", rita.get(waits).form(waits+"/drop")...).status(http.StatusSeeOther).follow().has("ist verworfen", "Anderen Ansprechpartner bestimmen")
}

func TestTheOrdersOfOneOrganisationAreFoundByIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	second := r.second()
	reference := r.ordered("www.uni.example")
	nora := r.as("nora")
	nora.get(fmt.Sprintf("/orders?organisation=%d", r.organisation)).has(reference)
	nora.get(fmt.Sprintf("/orders?organisation=%d", second)).lacks(reference)
	foreign := must(r.Org.Organisations(t.Context(), r.actors["sven"]))[0].ID
	r.as("sven").get(fmt.Sprintf("/orders?organisation=%d", r.organisation)).status(http.StatusOK).lacks(reference)
	nora.get(fmt.Sprintf("/orders?organisation=%d", foreign)).status(http.StatusOK).lacks("<tbody")
}
