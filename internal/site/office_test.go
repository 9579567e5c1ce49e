package site_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/web/locale"
)

// de is what a German page says for id.
func de(id string, args ...any) string { return locale.For("de").T(id, args...) }

func TestAnOfficerMakesAGroupAndGivesItADomain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	rita.post("/office/groups", "name", "netz rechenzentrum", "notify", "x").status(http.StatusUnprocessableEntity).
		has("Eine Angabe stimmt noch nicht", "Das ist keine E-Mail-Adresse", `value="netz rechenzentrum"`)
	rita.post("/office/groups", "name", "netz rechenzentrum").status(http.StatusConflict).
		has(`href="#f-name"`, "gibt es schon", `value="netz rechenzentrum"`)
	group := rita.post("/office/groups", "name", "Fachbereich 3", "notify", "fb3@uni.example", "claims", " fb3-netz \r\n\r\nfb3-leitung").
		status(http.StatusSeeOther).to()
	rita.get(group).status(http.StatusOK).has("Die Kontaktgruppe ist angelegt", "Fachbereich 3", "fb3-netz", "Noch ist niemand namentlich aufgenommen")
	id := strings.TrimPrefix(group, "/office/groups/")

	from := r.clock.Now().AddDate(0, 0, -52)
	until := from.AddDate(0, 0, 398)
	begins := from.Format("2.1.2006")
	typed := []string{"name", "fb3.example", "group", id, "validation", "domain", "proof_method", "DNS TXT", "proof_by", "Rita Amt", "proof_from", begins, "proof_until", "bald"}
	rita.post("/office/domains", typed...).status(http.StatusUnprocessableEntity).
		has(`href="#f-proof_until"`, "Bitte geben Sie ein Datum an", `value="`+begins+`"`, `value="DNS TXT"`)
	typed[len(typed)-1] = until.AddDate(0, 0, 1).Format("2. 1. 2006")
	rita.post("/office/domains", typed...).status(http.StatusUnprocessableEntity).has("höchstens 398 Tage")
	typed[len(typed)-1] = until.Format("2.1.2006")
	rita.post("/office/domains", typed...).status(http.StatusSeeOther).follow().has("fb3.example ist eingetragen", "nachgewiesen", "bis "+locale.For("de").Date(until))
	typed[1] = "FB3.example"
	rita.post("/office/domains", typed...).status(http.StatusConflict).has(`href="#f-name"`, "ist schon eingetragen", `value="FB3.example"`)

	var domain int64
	must(0, r.db.QueryRow(t.Context(), `select id from email_domain where name = 'fb3.example'`).Scan(&domain))
	page := fmt.Sprintf("/office/domains/%d", domain)
	rita.get(page).status(http.StatusOK).has(`value="`+from.Format(time.DateOnly)+`"`, `value="`+until.Format(time.DateOnly)+`"`, "14 Tage", de("audit.org.domain_added"), "Fachbereich 3")
	rita.post(page, "group", id, "validation", "mailbox").status(http.StatusSeeOther).follow().has("24 Stunden", "Änderungen sind gespeichert")
	rita.post(page, "group", "999999", "validation", "mailbox").status(http.StatusUnprocessableEntity).has(`href="#f-group"`)
	rita.get(group).has("fb3.example")
}

func TestAMemberIsFoundByNameOrAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	r.as("ada")
	group := fmt.Sprintf("/office/groups/%d", r.other)
	rita.post(group+"/members", "who", "nobody@uni.example").status(http.StatusUnprocessableEntity).
		has("muss sich einmal im Portal angemeldet haben", `value="nobody@uni.example"`, `href="#f-who"`)
	rita.post(group+"/members", "who", " ").status(http.StatusUnprocessableEntity).has("Bitte füllen Sie dieses Feld aus")
	rita.post(group+"/members", "who", "ADA.adler@uni.example").status(http.StatusSeeOther).follow().has("Ada Adler gehört jetzt zur Kontaktgruppe", de("audit.org.member_added"))

	var twin person.Account
	must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		twin, err = r.People.SignedIn(t.Context(), tx, person.Claims{Issuer: "https://other.example", Subject: "1", Name: "Ada Andere", Username: "ada"}, audit.Who{})
		return err
	}))
	rita.post(group+"/members", "who", "ada").status(http.StatusUnprocessableEntity).has("mehrere Konten", "Ada Andere", "Ada Adler", `name="account"`)
	rita.post(group+"/members", "who", "ada", "account", fmt.Sprint(twin.ID)).status(http.StatusSeeOther).follow().has("Ada Andere gehört jetzt")
}

func TestARemovedMemberSeesNothingAtTheNextRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita, nora := r.as("rita"), r.as("nora")
	_, row := r.add("ada.adler")
	nora.get("/email-domains/uni.example").status(http.StatusOK)
	nora.get(row).status(http.StatusOK)
	remove := fmt.Sprintf("/office/groups/%d/members/%d/remove", r.group, r.actors["nora"].Account)
	rita.get(remove).status(http.StatusOK).has("Nora Netz aus der Kontaktgruppe entfernen?", "Netz Rechenzentrum", "Aus der Gruppe entfernen")
	nora.get(row).status(http.StatusOK) // asking changes nothing
	rita.post(remove).status(http.StatusSeeOther).follow().has("gehört nicht mehr", de("audit.org.member_removed"), "Nora Netz")
	nora.get("/email-domains/uni.example").status(http.StatusNotFound)
	nora.get(row).status(http.StatusNotFound)
	nora.post(row + "/deactivate").status(http.StatusNotFound)
	rita.post(remove).status(http.StatusSeeOther) // twice changes nothing
	rita.get(remove).status(http.StatusSeeOther)
}

func TestALockEndsSessionsAtTheNextRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita, nora := r.as("rita"), r.as("nora")
	page := fmt.Sprintf("/office/people/%d", r.actors["nora"].Account)
	rita.get(page).status(http.StatusOK).has("Nora Netz", "nora.netz@uni.example", "Netz Rechenzentrum", "namentlich aufgenommen", "Konto sperren")
	rita.get(page+"/lock").status(http.StatusOK).has("Konto von Nora Netz sperren?", "Sie können das Konto wieder entsperren")
	rita.post(page+"/lock", "why", " ").status(http.StatusUnprocessableEntity).has(`href="#f-why"`)
	nora.get("/email-domains").status(http.StatusOK)
	rita.post(page+"/lock", "why", "Gerät gestohlen").status(http.StatusSeeOther).follow().has("ist gesperrt", "Gerät gestohlen", "Konto entsperren")
	if to := nora.get("/email-domains").status(http.StatusSeeOther).to(); !strings.HasPrefix(to, "/signin") {
		t.Errorf("a locked account with an open session: got led to %q, want to the sign-in", to)
	}
	nora.post("/sessions/end-others").status(http.StatusForbidden)

	again := r.anonymous()
	provider := again.get("/signin").status(http.StatusSeeOther).to()
	back := again.send(must(http.NewRequest(http.MethodPost, strings.Replace(provider, "/authorize?", "/login?", 1), strings.NewReader("person=nora"))))
	again.get(back.to()).status(http.StatusForbidden).has("Die Anmeldung hat nicht geklappt", "Ihr Konto ist in diesem Portal gesperrt")
	rita.post(page + "/unlock").status(http.StatusSeeOther).follow().has("kann sich wieder anmelden")
	r.as("nora").get("/email-domains").status(http.StatusOK)
	self := fmt.Sprintf("/office/people/%d", r.actors["rita"].Account)
	rita.get(self).status(http.StatusOK).has("Ihr eigenes Konto").lacks("Konto sperren")
	rita.post(self+"/lock", "why", "Test").status(http.StatusConflict).has("Ihr eigenes Konto")
}

func TestFailedMailsAndJobsAreTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	rita.get("/office/mail").status(http.StatusOK).has("Alles zugestellt und erledigt")
	id, row := r.add("ada.adler")
	must(r.Mailbox.Challenge(t.Context(), r.actors["nora"], "uni.example", id))
	must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		return r.Outbox.Post(t.Context(), tx, mail.DeclinedWords{To: "netz@uni.example", Row: "ada", Address: "a@uni.example", By: "Bob", At: r.clock.Now(), Link: r.base})
	}))
	var challenge, letter, job int64
	must(0, r.db.QueryRow(t.Context(), `update challenge set state = 'failed', ended = now(), answer = '550 5.1.1 no such user' returning id`).Scan(&challenge))
	must(r.db.Exec(t.Context(), `update challenge_round set outcome = 'undeliverable', ended = now()`))
	must(0, r.db.QueryRow(t.Context(), `update letter set state = 'failed', done = now() returning id`).Scan(&letter))
	must(0, r.db.QueryRow(t.Context(), `update river_job set state = 'discarded', finalized_at = now(), attempt = 3, max_attempts = 3,
		errors = array['{"at": "2026-11-22T09:00:00Z", "attempt": 3, "error": "boom", "trace": ""}'::jsonb] where kind = 'mail_deliver' returning id`).Scan(&job))
	rita.get("/office/mail").status(http.StatusOK).
		has("550 5.1.1 no such user", "Challenge", row, "Adresse abgelehnt", "netz@uni.example", "keine Antwort", "aufgegeben", "boom")
	rita.get("/").has("2 Mails konnten nicht zugestellt werden", "Eine Hintergrundarbeit wurde aufgegeben")
	rita.get("/office").has("2 Mails konnten nicht zugestellt werden")
	for _, path := range []string{fmt.Sprintf("challenges/%d", challenge), fmt.Sprintf("letters/%d", letter), fmt.Sprintf("jobs/%d", job)} {
		rita.post("/office/mail/" + path + "/retry").status(http.StatusSeeOther).follow().has("Ein neuer Versuch ist unterwegs")
	}
	rita.post(fmt.Sprintf("/office/mail/letters/%d/retry", letter)).status(http.StatusSeeOther).follow().has("Da ist nichts mehr zu tun")
	for _, path := range []string{"challenges/999999", "letters/999999", "jobs/999999", "letters/x"} {
		rita.post("/office/mail/" + path + "/retry").status(http.StatusNotFound)
	}
	rita.get("/office/mail").has("Alles zugestellt und erledigt")
	rita.get("/office/audit?action=mail.").has(de("audit.mail.letter_retried"), "Rita Amt").lacks(de("audit.queue.job_retried"))
	rita.get("/office/audit?action=queue.").has(de("audit.queue.job_retried"))
}

// TestALostJobIsSeenAndTakenUp, and one that runs within its time is neither
// listed nor doubled.
func TestALostJobIsSeenAndTakenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		return r.Outbox.Post(t.Context(), tx, mail.DeclinedWords{To: "netz@uni.example", Row: "ada", Address: "a@uni.example", By: "Bob", At: r.clock.Now(), Link: r.base})
	}))
	var job int64
	running := `update river_job set state = 'running', attempt = 1, attempted_at = now() - $1::interval where kind = 'mail_deliver' returning id`
	state := func() (s string) {
		must(0, r.db.QueryRow(t.Context(), `select state::text from river_job where id = $1`, job).Scan(&s))
		return s
	}
	must(0, r.db.QueryRow(t.Context(), running, "70 seconds").Scan(&job))
	retry := fmt.Sprintf("/office/mail/jobs/%d/retry", job)
	rita.get("/office/mail").status(http.StatusOK).has("Alles zugestellt und erledigt").lacks(retry)
	rita.post(retry).status(http.StatusSeeOther).follow().has("Diese Arbeit läuft gerade")
	if got := state(); got != "running" {
		t.Errorf("got the job %s, want it left alone while it may run", got)
	}
	must(0, r.db.QueryRow(t.Context(), running, "80 seconds").Scan(&job))
	rita.get("/office/mail").status(http.StatusOK).has("Mail senden", "läuft zu lange", "von selbst wieder aufgenommen", retry)
	rita.get("/").lacks("Hintergrundarbeit wurde aufgegeben")
	rita.post(retry).status(http.StatusSeeOther).follow().has("Ein neuer Versuch ist unterwegs")
	if got := state(); got != "available" {
		t.Errorf("got the job %s, want it to run again", got)
	}
	rita.get("/office/audit?action=queue.").has(de("audit.queue.job_retried"))
}

func TestTheAuditLogIsReadInPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	for i := range 60 {
		must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
			return audit.Write(t.Context(), tx, audit.Line{
				At: r.clock.Now(), Action: "mailbox.edited",
				Detail: audit.Detail{"comment": [2]string{"", fmt.Sprintf("nr-%d.", i)}},
			})
		}))
	}
	first := rita.get("/office/audit?action=mailbox.").status(http.StatusOK).has("nr-59.", "nr-10.", de("audit.portal"), "noch offen").lacks("nr-9.", de("audit.org.member_added"))
	_, rest, _ := strings.Cut(first.text(), `href="/office/audit?action=mailbox.&before=`)
	before, _, _ := strings.Cut(rest, `"`)
	rita.get("/office/audit?action=mailbox.&before="+before).status(http.StatusOK).has("nr-9.", "nr-0.", "Zum Anfang").lacks("nr-10.")
	rita.get("/office/audit").has("Alles", de("audit.mailbox.edited"))
	rita.get("/office/audit?action=org.member_added").has(de("audit.org.member_added"), "Rita Amt", "Nora Netz", "Netz Rechenzentrum").lacks("nr-59.")
	rita.get("/office/audit?action=nothing.").has("Keine Zeilen")
	rita.get("/office/audit?before=x").status(http.StatusOK)
}

func TestTheOfficeFindsAddressesAndPeople(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	_, row := r.add("ada.adler", "adler@uni.example")
	r.as("ada")
	rita.get("/office").status(http.StatusOK).has("3 Domains", "2 Gruppen", "Protokoll", de("office.search_label"))
	rita.get("/office/search?q=adler").status(http.StatusOK).has(row, "adler@uni.example", "uni.example", "Ada Adler", "/office/people/")
	rita.get("/office/search?q=ADLER%40uni.example").has(row)
	rita.get("/office/search?q=gibtesnicht").has("Keine Adresse gefunden", "Niemand gefunden")
	rita.get("/office/people?q=sven").has("Sven Fremd").lacks("Ada Adler")
	rita.get("/office/people").has("Sven Fremd", "Ada Adler")
	rita.get("/office/people/999999").status(http.StatusNotFound)
	rita.get("/office/groups/999999").status(http.StatusNotFound)
	rita.get("/office/domains/999999").status(http.StatusNotFound)
}

func TestTheOfficeHearsOfProofsThatLapse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	rita.get("/").has("Alles erledigt").lacks("läuft am")
	r.clock.Advance(280 * 24 * time.Hour)
	rita = r.as("rita")
	rita.get("/").has("Der Nachweis von uni.example läuft am", "Nachweis erneuern")
	r.clock.Advance(30 * 24 * time.Hour)
	rita = r.as("rita")
	rita.get("/office").has("Der Nachweis von institut.example ist am")
	rita.get("/office/domains").has("abgelaufen", "je Adresse")
	r.as("niko").get("/").has("Alles erledigt").lacks("Nachweis")
}
