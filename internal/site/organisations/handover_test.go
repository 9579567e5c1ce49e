package organisations_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/handover"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// formOf is what the page's form sends along unseen.
func formOf(a sitetest.Answer, action string) (pairs []string) {
	a.Browser.Rig.T.Helper()
	_, rest, ok := strings.Cut(a.Content, `action="`+action+`"`)
	if !ok {
		a.Browser.Rig.T.Fatalf("%s has no form for %s:\n%s", a.Request.URL, action, a.Excerpt())
	}
	rest, _, _ = strings.Cut(rest, "</form>")
	for _, m := range sitetest.HiddenFields.FindAllStringSubmatch(rest, -1) {
		pairs = append(pairs, m[1], m[2])
	}
	return pairs
}

const handovers = "/organisations/handovers"

// review takes nora from her organisation's page to what is said before a
// handover.
func review(r *sitetest.Rig, nora *sitetest.Browser, to string) sitetest.Answer {
	r.T.Helper()
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	return nora.Post(handovers, append(formOf(nora.Get(own), handovers), "email", sitetest.Email(to))...).Is(http.StatusOK)
}

func TestAnOrganisationIsHandedOver(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	r.Second()
	nora, ada := r.As("nora"), r.As("ada")
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	trial.Must(0, r.Org.SetReminders(t.Context(), r.Actors["nora"], r.Organisation, []string{"netz@uni.example", "alt@uni.example"}))
	r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example")
	open := r.Ordered("neu.uni.example")
	review := review(r, nora, "ada").Has("Universität Probe übergeben", "Ada Adler", "ada.adler@uni.example", "So läuft die Übergabe ab", "?organisation=", "Andere Organisationen")
	begun := append(formOf(review, handovers), "step", "offer")
	half := append(formOf(nora.Get(own), handovers), "email", sitetest.Email("ada"))
	unsent := nora.Post("/language?lang=en&by=post&next="+own+"&to="+handovers, half...).Is(http.StatusOK)
	unsent.Has(`name="email"`, `value="`+sitetest.Email("ada")+`"`, "None of it has been saved yet").Lacks(`value="offer"`) // the form, not its next step
	nora.Post("/language", "lang", "de")
	page := nora.Post(handovers, begun...).Is(http.StatusOK).Has("Nur jetzt zu sehen", "Nicht per Mail", "persönlich oder am Telefon")
	page.Lacks("data-lang") // it would throw the password away
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the page with the session password: got Cache-Control %q, want no-store", got)
	}
	password := sitetest.Grouped.FindString(page.Text())
	if password == "" {
		t.Fatalf("no session password in\n%s", page.Excerpt())
	}
	nora.Post(handovers, begun...).Is(http.StatusConflict).Has("schon angezeigt").Lacks(password) // a reload, or back
	nora.Get(handovers).Is(http.StatusSeeOther)
	nora.Get(own).Has("Die Übergabe an Ada Adler läuft", "Ada Adler angeboten", "Wartet auf die Antwort von Ada Adler", "Übergabe zurücknehmen").Lacks(password)
	nora.Get("/").Has("Ada Adler hat auf die Übergabe von „Universität Probe“ noch nicht geantwortet").Lacks(password)

	link := r.HandoverLink("ada.adler@uni.example")
	ada.Get("/").Has("Nora Netz möchte Ihnen „Universität Probe“ übergeben", link)
	ada.Get(link).Is(http.StatusOK).Has("Übernahme von Universität Probe", "Nora Netz", "Was Annehmen bedeutet", "Übernahme annehmen").Lacks("Sitzungspasswort</label>", password)
	ada.Get(own).Is(http.StatusNotFound)
	ada.Post(link+"/accept").Is(http.StatusSeeOther).Follow().Has("Sie haben die Übernahme angenommen", `name="password"`).Lacks("Was Annehmen bedeutet", password)
	ada.Get("/").Has("um „Universität Probe“ von Nora Netz zu übernehmen")
	nora.Get("/").Has("Ada Adler hat die Übernahme von „Universität Probe“ angenommen")
	ada.Get(own).Is(http.StatusNotFound)
	nora.Get(own).Is(http.StatusOK)

	ada.Post(link+"/finish", "password", "falsch").Is(http.StatusUnprocessableEntity).Has(`href="#f-password"`, "stimmt nicht").Lacks(password)
	typed := " " + strings.NewReplacer("-", "  ", "0", "o", "1", "l").Replace(strings.ToLower(password)) + "\t"
	done := ada.Post(link+"/finish", "password", typed).Is(http.StatusSeeOther)
	if got := done.To(); got != own {
		t.Errorf("after the end: got led to %q, want the organisation's page %q", got, own)
	}
	done.Follow().Is(http.StatusOK).Has("Sie sind jetzt technischer Ansprechpartner", "netz@uni.example", "Auswahl bestätigen", "Ada Adler hat übernommen")
	ada.Get("/").Has("noch Adressen für Erinnerungen zu bestätigen")
	ada.Post(own+"/reminders/confirm", "keep", "netz@uni.example").Is(http.StatusSeeOther).Follow().Has("Eine Adresse ist übernommen", "netz@uni.example").Lacks("alt@uni.example", "Auswahl bestätigen")
	ada.Get("/orders/" + open).Is(http.StatusOK)
	ada.Get(link).Is(http.StatusOK).Has("abgeschlossen").Lacks(`name="password"`)
	for _, path := range []string{own, link, "/orders/" + open} {
		nora.Get(path).Is(http.StatusNotFound)
	}
	nora.Get("/organisations").Follow().Is(http.StatusOK).Has("Sternwarte Probe")
	nowhere(r, password)
}

// nowhere fails when the session password is in the database, the log or a mail.
func nowhere(r *sitetest.Rig, password string) {
	r.T.Helper()
	for _, form := range []string{password, strings.ReplaceAll(password, "-", "")} {
		if strings.Contains(r.Logged.String(), form) {
			r.T.Error("the log holds the session password")
		}
		for _, m := range r.Sink.Mails() {
			if strings.Contains(m.Text+m.HTML, form) {
				r.T.Errorf("a mail to %v holds the session password", m.To)
			}
		}
		for _, table := range []string{"handover", "audit_line", "letter", "river_job", "sessions"} {
			var n int
			trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select count(*) from `+table+` x where x::text ilike '%' || $1 || '%'`, form).Scan(&n))
			if n > 0 {
				r.T.Errorf("table %s holds the session password", table)
			}
		}
	}
}

func TestOnlyTheSuccessorAnswersAHandover(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	h := r.Offered("ada")
	path := fmt.Sprintf("/handovers/%d", h.ID)
	offered := func() {
		t.Helper()
		if got := trial.Must(r.Handover.One(t.Context(), r.Actors["ada"], h.ID)).State; got != handover.Offered {
			t.Fatalf("got the handover %s, want it as it was", got)
		}
	}
	stranger := r.Anonymous()
	for _, b := range []*sitetest.Browser{stranger, r.As("ada")} { // a mail scanner, with a session and without
		for _, method := range []string{http.MethodGet, http.MethodHead, "OPTIONS"} {
			for _, step := range []string{"", "/accept", "/decline", "/finish", "/cancel"} {
				b.Ask(method, path+step)
			}
		}
	}
	for _, step := range []string{"/accept", "/decline", "/finish", "/cancel"} {
		stranger.Post(path + step).Is(http.StatusForbidden)
	}
	if got := stranger.Get(path).To(); got != "/signin?next=%2Fhandovers%2F"+fmt.Sprint(h.ID) {
		t.Errorf("who is not signed in: got led to %q, want to the sign-in and back", got)
	}
	for _, who := range []string{"bob", "sven", "rita"} {
		b := r.As(who)
		foreign := b.Get(path).Is(http.StatusNotFound).Has("hier nicht zu sehen", sitetest.People[who]).Lacks("Universität", "Nora", "Ada")
		if none := b.Get("/handovers/999999").Is(http.StatusNotFound); none.Excerpt() != foreign.Excerpt() {
			t.Errorf("%s can tell a foreign handover from none:\n%s\n%s", who, foreign.Excerpt(), none.Excerpt())
		}
		for _, step := range []string{"/accept", "/decline", "/finish", "/cancel"} {
			b.Post(path+step, "password", h.Password).Is(http.StatusNotFound)
		}
	}
	nora := r.As("nora")
	for _, step := range []string{"/accept", "/decline", "/finish"} {
		nora.Post(path+step, "password", h.Password).Is(http.StatusForbidden)
	}
	offered()
	ada := r.As("ada")
	ada.Post(path+"/finish", "password", h.Password).Is(http.StatusConflict).Has("Nehmen Sie die Übergabe zuerst an", "Übernahme annehmen") // the order of steps
	ada.Get(path + "/cancel").Is(http.StatusForbidden)
	ada.Post(path + "/cancel").Is(http.StatusForbidden)
	offered()
}

func TestTheSixthTryFindsTheHandoverLocked(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	h := r.Accepted("ada")
	ada, nora, path := r.As("ada"), r.As("nora"), fmt.Sprintf("/handovers/%d/finish", h.ID)
	for left := 4; left > 0; left-- {
		ada.Post(path, "password", "ABCD-ABCD-ABCD-ABCD").Is(http.StatusUnprocessableEntity)
		if left > 1 {
			ada.Get(fmt.Sprintf("/handovers/%d", h.ID)).Has(fmt.Sprintf("Es bleiben %d Versuche", left))
		}
	}
	ada.Get(fmt.Sprintf("/handovers/%d", h.ID)).Has("Es bleibt ein Versuch")
	ada.Post(path, "password", "ABCD-ABCD-ABCD-ABCD").Is(http.StatusConflict).Has("gesperrt").Lacks(`name="password"`)
	ada.Post(path, "password", h.Password).Is(http.StatusConflict).Has("gesperrt")
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	nora.Get(own).Is(http.StatusOK).Has("Nach fünf falschen Sitzungspasswörtern gesperrt")
	nora.Get("/").Has("ist nach fünf falschen Sitzungspasswörtern gesperrt")
	ada.Get(own).Is(http.StatusNotFound)
}

func TestTwoTabsThatFinishAtOnceMakeOneHandover(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	h := r.Accepted("ada")
	ada := r.As("ada")
	var wait sync.WaitGroup
	got := make([]sitetest.Answer, 2)
	for i := range got {
		wait.Go(func() { got[i] = ada.Post(fmt.Sprintf("/handovers/%d/finish", h.ID), "password", h.Password) })
	}
	wait.Wait()
	if got[0].StatusCode > got[1].StatusCode {
		got[0], got[1] = got[1], got[0]
	}
	got[0].Is(http.StatusSeeOther)
	got[1].Is(http.StatusConflict).Has("abgeschlossen", fmt.Sprintf("/organisations/%d", r.Organisation))
}

func TestWhoCannotBecomeTheContactIsSaidInWords(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.Second()
	nora := r.As("nora")
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	form := formOf(nora.Get(own).Has(`value="nora.netz@uni.example"`, "muss sich schon einmal"), handovers)
	try := func(email, words string) {
		t.Helper()
		nora.Post(handovers, append(form[:len(form):len(form)], "email", email)...).Is(http.StatusUnprocessableEntity).
			Has(`href="#f-email"`, words, `value="`+email+`"`, "Technischer Ansprechpartner")
	}
	try("niemand@uni.example", "noch niemand angemeldet")
	try("nora.netz@uni.example", "Ihr eigenes Konto")
	try("kein at", "")
	r.Known("bob")
	trial.Must(0, r.People.Lock(t.Context(), r.Actors["rita"], r.Actors["bob"].Account, "Test"))
	try(sitetest.Email("bob"), "gesperrt")
	trial.Must(r.Pool.Exec(t.Context(), `update account set email = $1, email_verified = true where id = any($2)`, "doppelt@uni.example", []int64{int64(r.Actors["ada"].Account), int64(r.Actors["niko"].Account)}))
	try("doppelt@uni.example", "mehrere Konten")

	list := nora.Get("/organisations").Is(http.StatusOK).Has("Sternwarte Probe", "Mehrere Organisationen übergeben")
	nora.Post(handovers, append(formOf(list, handovers), "email", sitetest.Email("ada"))...).Is(http.StatusUnprocessableEntity).Has("Wählen Sie mindestens eine Organisation", `value="ada.adler@uni.example"`)
	nora.Post(handovers, "row", fmt.Sprint(r.Organisation), "email", "niemand@uni.example").Is(http.StatusUnprocessableEntity).
		Has(`href="#f-email"`, fmt.Sprintf(`value="%d" checked`, r.Organisation))
	nora.Post(handovers, "row", "999999", "email", sitetest.Email("ada")).Is(http.StatusNotFound)
}

func TestSeveralOrganisationsGoOverEachByItself(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	second := r.Second()
	nora, ada := r.As("nora"), r.As("ada")
	chosen := []string{"row", fmt.Sprint(r.Organisation), "row", fmt.Sprint(second), "email", sitetest.Email("ada")}
	review := nora.Post(handovers, chosen...).Is(http.StatusOK).Has("2 Organisationen übergeben", "Universität Probe", "Sternwarte Probe", "für jede Organisation ein eigenes Sitzungspasswort")
	page := nora.Post(handovers, append(formOf(review, handovers), "step", "offer")...).Is(http.StatusOK).Has("Ihre 2 Sitzungspasswörter")
	passwords := sitetest.Grouped.FindAllString(page.Text(), -1)
	if len(passwords) != 2 || passwords[0] == passwords[1] {
		t.Fatalf("got the session passwords %q, want one for each organisation", passwords)
	}
	nora.Get("/organisations").Has("angeboten")
	open := trial.Must(r.Handover.Mine(t.Context(), r.Actors["ada"]))
	if len(open) != 2 {
		t.Fatalf("got %d handovers, want 2", len(open))
	}
	first := open[0]
	if first.Organisation != r.Organisation {
		first = open[1]
	}
	path := fmt.Sprintf("/handovers/%d", first.ID)
	ada.Post(path + "/accept").Is(http.StatusSeeOther)
	ada.Post(path+"/finish", "password", passwords[1]).Is(http.StatusUnprocessableEntity) // that of the other one
	ada.Post(path+"/finish", "password", passwords[0]).Is(http.StatusSeeOther)
	nora.Get(fmt.Sprintf("/organisations/%d", second)).Is(http.StatusOK).Has("Die Übergabe an Ada Adler läuft")
	nora.Get(fmt.Sprintf("/organisations/%d", r.Organisation)).Is(http.StatusNotFound)
	nora.Get("/").Has("„Sternwarte Probe“ noch nicht geantwortet").Lacks("Universität Probe")
}

func TestAHandoverEndsWithoutOne(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora, ada := r.As("nora"), r.As("ada")
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	path := func(h handover.WithPassword) string { return fmt.Sprintf("/handovers/%d", h.ID) }

	declined := path(r.Accepted("ada"))
	ada.Post(declined+"/decline").Is(http.StatusSeeOther).Follow().Has("Nora Netz erfährt davon", "abgelehnt").Lacks("Annehmen</button>")
	nora.Get(own).Has("Ada Adler hat abgelehnt", "Weiter zur Übergabe").Lacks("Übergabe zurücknehmen")
	nora.Get("/").Has("Ada Adler hat die Übernahme von „Universität Probe“ abgelehnt")

	taken := path(r.Offered("ada"))
	nora.Get(taken+"/cancel").Is(http.StatusOK).Has("Universität Probe", "Ada Adler erfährt davon")
	nora.Post(taken+"/cancel").Is(http.StatusSeeOther).Follow().Has("ist zurückgenommen", "Zurückgenommen", "Frühere Übergaben")
	nora.Get("/").Lacks("„Universität Probe“") // she took it back herself
	ada.Get(taken).Is(http.StatusOK).Has("zurückgenommen")
	ada.Post(taken + "/accept").Is(http.StatusConflict).Has("zurückgenommen").Lacks("Übernahme annehmen")
	nora.Post(taken + "/cancel").Is(http.StatusConflict)
	nora.Get(taken + "/cancel").Is(http.StatusConflict)

	old := path(r.Offered("ada"))
	r.Known("bob")
	review(r, nora, "bob").Has("Die laufende Übergabe von „Universität Probe“ an Ada Adler wird dadurch ersetzt")
	last := r.Offered("bob")
	ada.Get(old).Has("durch eine neuere ersetzt")
	r.Clock.Advance(handover.Life + time.Minute)
	bob := r.As("bob")
	bob.Get(path(last)).Has("abgelaufen").Lacks("Übernahme annehmen")
	bob.Post(path(last) + "/accept").Is(http.StatusConflict).Has("abgelaufen")
	bob.Get("/").Lacks("übergeben")
	nora = r.As("nora")
	nora.Get(own).Has("Abgelaufen").Lacks("Übergabe zurücknehmen")
	trial.Must(0, r.Handover.Tick(t.Context()))
	nora.Get("/").Has("Die Übergabe von „Universität Probe“ an Bob Bach ist abgelaufen")
}

func TestASecondOfficerConfirmsAnotherContact(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.Known("ada", "nora", "bob")
	rita, rolf := r.As("rita"), r.As("rolf")
	office := fmt.Sprintf("/office/organisations/%d", r.Organisation)
	contact, waits := office+"/contact", office+"/reassignment"
	rita.Get(contact).Is(http.StatusOK).Has("nicht selbst übergeben kann", "jemand anderes aus der Registrierungsstelle")
	rita.Post(contact, "who", "nobody", "reason", "x").Is(http.StatusUnprocessableEntity).Has(`href="#f-who"`, "x</textarea>")
	rita.Post(contact).Is(http.StatusUnprocessableEntity).Has(`href="#f-who"`, `href="#f-reason"`)
	rita.Post(contact, "who", "ada").Is(http.StatusUnprocessableEntity).Has(`href="#f-reason"`, `value="ada"`)
	rita.Post(contact, "who", "rita", "reason", "x").Is(http.StatusUnprocessableEntity).Has(`href="#f-who"`, "Sich selbst")
	rita.Post(contact, "who", "nora", "reason", "x").Is(http.StatusUnprocessableEntity).Has(`href="#f-who"`, "schon der technische Ansprechpartner")
	rita.Post(contact, "who", "ada", "reason", "Nora Netz hat das Haus verlassen.").Is(http.StatusSeeOther).Follow().
		Has("Ada Adler ist vorgeschlagen", "Rita Amt schlägt Ada Adler", waits).Lacks("Anderen Ansprechpartner bestimmen")
	rita.Post(contact, "who", "bob", "reason", "x").Is(http.StatusConflict).Has("wartet schon")
	r.As("nora").Get(fmt.Sprintf("/organisations/%d", r.Organisation)).Is(http.StatusOK)

	page := rita.Get(waits).Is(http.StatusOK).Has("Nora Netz hat das Haus verlassen.", "Vorschlag verwerfen").Lacks("Wechsel bestätigen")
	form := formOf(page, waits+"/drop")
	rita.Post(waits+"/confirm", form...).Is(http.StatusForbidden)
	rita.Get("/office").Lacks("das muss noch jemand bestätigen")
	rolf.Get("/").Has("Rita Amt schlägt Ada Adler als Ansprechpartner von Universität Probe vor", waits)
	rolf.Get(waits).Is(http.StatusOK).Has("Wechsel bestätigen")
	other := trial.Must(r.Org.Organisations(t.Context(), r.Actors["sven"]))[0].ID
	rolf.Post(fmt.Sprintf("/office/organisations/%d/reassignment/confirm", other), form...).Is(http.StatusConflict)
	rolf.Post(waits+"/confirm", form...).Is(http.StatusSeeOther).Follow().Has("Der Wechsel ist bestätigt", "Nora Netz → Ada Adler", "das Haus verlassen")
	rolf.Get(waits).Is(http.StatusSeeOther)
	rolf.Post(waits+"/confirm", form...).Is(http.StatusConflict)
	r.As("nora").Get(fmt.Sprintf("/organisations/%d", r.Organisation)).Is(http.StatusNotFound)
	r.As("ada").Get(fmt.Sprintf("/organisations/%d", r.Organisation)).Is(http.StatusOK)

	rolf.Post(contact, "who", "bob", "reason", "Irrtum").Is(http.StatusSeeOther)
	rita.Post(waits+"/confirm", form...).Is(http.StatusConflict) // of the one before
	rita.Post(waits+"/drop", formOf(rita.Get(waits), waits+"/drop")...).Is(http.StatusSeeOther).Follow().Has("ist verworfen", "Anderen Ansprechpartner bestimmen")
}

func TestTheOrdersOfOneOrganisationAreFoundByIt(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	second := r.Second()
	reference := r.Ordered("www.uni.example")
	nora := r.As("nora")
	nora.Get(fmt.Sprintf("/orders?organisation=%d", r.Organisation)).Has(reference)
	nora.Get(fmt.Sprintf("/orders?organisation=%d", second)).Lacks(reference)
	foreign := trial.Must(r.Org.Organisations(t.Context(), r.Actors["sven"]))[0].ID
	r.As("sven").Get(fmt.Sprintf("/orders?organisation=%d", r.Organisation)).Is(http.StatusOK).Lacks(reference)
	nora.Get(fmt.Sprintf("/orders?organisation=%d", foreign)).Is(http.StatusOK).Lacks("<tbody")
}
