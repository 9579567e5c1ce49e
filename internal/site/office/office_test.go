package office_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/locale"
)

func TestAnOfficerMakesAGroupAndGivesItADomain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	rita.Post("/office/groups", "name", "netz rechenzentrum", "notify", "x").Is(http.StatusUnprocessableEntity).
		Has("Eine Angabe stimmt noch nicht", "Das ist keine E-Mail-Adresse", `value="netz rechenzentrum"`)
	rita.Post("/office/groups", "name", "netz rechenzentrum").Is(http.StatusConflict).
		Has(`href="#f-name"`, "gibt es schon", `value="netz rechenzentrum"`)
	group := rita.Post("/office/groups", "name", "Fachbereich 3", "notify", "fb3@uni.example", "claims", " fb3-netz \r\n\r\nfb3-leitung").
		Is(http.StatusSeeOther).To()
	rita.Get(group).Is(http.StatusOK).Has("Die Kontaktgruppe ist angelegt", "Fachbereich 3", "fb3-netz", "Noch ist niemand namentlich aufgenommen")
	id := strings.TrimPrefix(group, "/office/groups/")

	from := r.Clock.Now().AddDate(0, 0, -52)
	until := from.AddDate(0, 0, 398)
	begins := from.Format("2.1.2006")
	typed := []string{"name", "fb3.example", "group", id, "validation", "domain", "proof_method", "DNS TXT", "proof_by", "Rita Amt", "proof_from", begins, "proof_until", "bald"}
	rita.Post("/office/domains", typed...).Is(http.StatusUnprocessableEntity).
		Has(`href="#f-proof_until"`, "Bitte geben Sie ein Datum an", `value="`+begins+`"`, `value="DNS TXT"`)
	typed[len(typed)-1] = until.AddDate(0, 0, 1).Format("2. 1. 2006")
	rita.Post("/office/domains", typed...).Is(http.StatusUnprocessableEntity).Has("höchstens 398 Tage")
	typed[len(typed)-1] = until.Format("2.1.2006")
	rita.Post("/office/domains", typed...).Is(http.StatusSeeOther).Follow().Has("fb3.example ist eingetragen", "nachgewiesen", "bis "+locale.For("de").Date(until))
	typed[1] = " @FB3.example"
	rita.Post("/office/domains", typed...).Is(http.StatusConflict).Has(`href="#f-name"`, "ist schon eingetragen", `@FB3.example"`)
	typed[1] = "@Bücher.Example" // as it is seen in addresses
	rita.Post("/office/domains", typed...).Is(http.StatusSeeOther).Follow().Has("bücher.example ist eingetragen")
	typed[1] = "a@bücher.example"
	rita.Post("/office/domains", typed...).Is(http.StatusUnprocessableEntity)

	var domain int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from email_domain where name = 'fb3.example'`).Scan(&domain))
	page := fmt.Sprintf("/office/domains/%d", domain)
	rita.Get(page).Is(http.StatusOK).Has(`value="`+from.Format(time.DateOnly)+`"`, `value="`+until.Format(time.DateOnly)+`"`, "14 Tage", sitetest.German("audit.org.domain_added"), "Fachbereich 3")
	rita.Post(page, "group", id, "validation", "mailbox").Is(http.StatusSeeOther).Follow().Has("24 Stunden", "Änderungen sind gespeichert")
	rita.Post(page, "group", "999999", "validation", "mailbox").Is(http.StatusUnprocessableEntity).Has(`href="#f-group"`)
	rita.Get(group).Has("fb3.example")
}

func TestAMemberIsFoundByNameOrAddress(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	r.As("ada")
	group := fmt.Sprintf("/office/groups/%d", r.Other)
	rita.Post(group+"/members", "who", "nobody@uni.example").Is(http.StatusUnprocessableEntity).
		Has("muss sich einmal im Portal angemeldet haben", `value="nobody@uni.example"`, `href="#f-who"`)
	rita.Post(group+"/members", "who", " ").Is(http.StatusUnprocessableEntity).Has("Bitte füllen Sie dieses Feld aus")
	rita.Post(group+"/members", "who", "ADA.adler@uni.example").Is(http.StatusSeeOther).Follow().Has("Ada Adler gehört jetzt zur Kontaktgruppe", sitetest.German("audit.org.member_added"))

	var twin person.Account
	trial.Must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		twin, err = r.People.SignedIn(t.Context(), tx, person.Claims{Issuer: "https://other.example", Subject: "1", Name: "Ada Andere", Username: "ada"}, audit.Who{})
		return err
	}))
	rita.Post(group+"/members", "who", "ada").Is(http.StatusUnprocessableEntity).Has("mehrere Konten", "Ada Andere", "Ada Adler", `name="account"`)
	rita.Post(group+"/members", "who", "ada", "account", fmt.Sprint(twin.ID)).Is(http.StatusSeeOther).Follow().Has("Ada Andere gehört jetzt")
}

func TestARemovedMemberSeesNothingAtTheNextRequest(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita, nora := r.As("rita"), r.As("nora")
	_, row := r.Add("ada.adler")
	nora.Get("/email-domains/uni.example").Is(http.StatusOK)
	nora.Get(row).Is(http.StatusOK)
	remove := fmt.Sprintf("/office/groups/%d/members/%d/remove", r.Group, r.Actors["nora"].Account)
	rita.Get(remove).Is(http.StatusOK).Has("Nora Netz aus der Kontaktgruppe entfernen?", "Netz Rechenzentrum", "Aus der Gruppe entfernen")
	nora.Get(row).Is(http.StatusOK) // asking changes nothing
	rita.Post(remove).Is(http.StatusSeeOther).Follow().Has("gehört nicht mehr", sitetest.German("audit.org.member_removed"), "Nora Netz")
	nora.Get("/email-domains/uni.example").Is(http.StatusNotFound)
	nora.Get(row).Is(http.StatusNotFound)
	nora.Post(row + "/deactivate").Is(http.StatusNotFound)
	rita.Post(remove).Is(http.StatusSeeOther) // twice changes nothing
	rita.Get(remove).Is(http.StatusSeeOther)
}

func TestALockEndsSessionsAtTheNextRequest(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita, nora := r.As("rita"), r.As("nora")
	page := fmt.Sprintf("/office/people/%d", r.Actors["nora"].Account)
	rita.Get(page).Is(http.StatusOK).Has("Nora Netz", "nora.netz@uni.example", "Netz Rechenzentrum", "namentlich aufgenommen", "Konto sperren")
	rita.Get(page+"/lock").Is(http.StatusOK).Has("Konto von Nora Netz sperren?", "Sie können das Konto wieder entsperren")
	rita.Post(page+"/lock", "why", " ").Is(http.StatusUnprocessableEntity).Has(`href="#f-why"`)
	nora.Get("/email-domains").Is(http.StatusOK)
	rita.Post(page+"/lock", "why", "Gerät gestohlen").Is(http.StatusSeeOther).Follow().Has("ist gesperrt", "Gerät gestohlen", "Konto entsperren")
	if to := nora.Get("/email-domains").Is(http.StatusSeeOther).To(); !strings.HasPrefix(to, "/signin") {
		t.Errorf("a locked account with an open session: got led to %q, want to the sign-in", to)
	}
	nora.Post("/sessions/end-others").Is(http.StatusForbidden)

	again := r.Anonymous()
	provider := again.Get("/signin").Is(http.StatusSeeOther).To()
	back := again.Send(trial.Must(http.NewRequest(http.MethodPost, strings.Replace(provider, "/authorize?", "/login?", 1), strings.NewReader("person=nora"))))
	again.Get(back.To()).Is(http.StatusForbidden).Has("Die Anmeldung hat nicht geklappt", "Ihr Konto ist in diesem Portal gesperrt")
	rita.Post(page + "/unlock").Is(http.StatusSeeOther).Follow().Has("kann sich wieder anmelden")
	r.As("nora").Get("/email-domains").Is(http.StatusOK)
	self := fmt.Sprintf("/office/people/%d", r.Actors["rita"].Account)
	rita.Get(self).Is(http.StatusOK).Has("Ihr eigenes Konto").Lacks("Konto sperren")
	rita.Post(self+"/lock", "why", "Test").Is(http.StatusConflict).Has("Ihr eigenes Konto")
}

func TestFailedMailsAndJobsAreTriedAgain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	rita.Get("/office/mail").Is(http.StatusOK).Has("Alles zugestellt und erledigt")
	id, row := r.Add("ada.adler")
	trial.Must(r.Mailbox.Challenge(t.Context(), r.Actors["nora"], "uni.example", id))
	trial.Must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		return r.Outbox.Post(t.Context(), tx, mail.DeclinedWords{To: "netz@uni.example", Row: "ada", Address: "a@uni.example", By: "Bob", At: r.Clock.Now(), Link: r.Base})
	}))
	var challenge, letter, job int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `update challenge set state = 'failed', ended = now(), answer = '550 5.1.1 no such user' returning id`).Scan(&challenge))
	trial.Must(r.Pool.Exec(t.Context(), `update challenge_round set outcome = 'undeliverable', ended = now()`))
	trial.Must(0, r.Pool.QueryRow(t.Context(), `update letter set state = 'failed', done = now() returning id`).Scan(&letter))
	trial.Must(0, r.Pool.QueryRow(t.Context(), `update river_job set state = 'discarded', finalized_at = now(), attempt = 3, max_attempts = 3,
		errors = array['{"at": "2026-11-22T09:00:00Z", "attempt": 3, "error": "boom", "trace": ""}'::jsonb] where kind = 'mail_deliver' returning id`).Scan(&job))
	rita.Get("/office/mail").Is(http.StatusOK).
		Has("550 5.1.1 no such user", "Challenge", row, "Adresse abgelehnt", "netz@uni.example", "keine Antwort", "aufgegeben", "boom")
	rita.Get("/").Has("2 Mails konnten nicht zugestellt werden", "Eine Hintergrundarbeit wurde aufgegeben")
	rita.Get("/office").Has("2 Mails konnten nicht zugestellt werden")
	for _, path := range []string{fmt.Sprintf("challenges/%d", challenge), fmt.Sprintf("letters/%d", letter), fmt.Sprintf("jobs/%d", job)} {
		rita.Post("/office/mail/" + path + "/retry").Is(http.StatusSeeOther).Follow().Has("Ein neuer Versuch ist unterwegs")
	}
	rita.Post(fmt.Sprintf("/office/mail/letters/%d/retry", letter)).Is(http.StatusSeeOther).Follow().Has("Da ist nichts mehr zu tun")
	for _, path := range []string{"challenges/999999", "letters/999999", "jobs/999999", "letters/x"} {
		rita.Post("/office/mail/" + path + "/retry").Is(http.StatusNotFound)
	}
	rita.Get("/office/mail").Has("Alles zugestellt und erledigt")
	rita.Get("/office/audit?action=mail.").Has(sitetest.German("audit.mail.letter_retried"), "Rita Amt").Lacks(sitetest.German("audit.queue.job_retried"))
	rita.Get("/office/audit?action=queue.").Has(sitetest.German("audit.queue.job_retried"))
}

// TestALostJobIsSeenAndTakenUp, and one that runs within its time is neither
// listed nor doubled.
func TestALostJobIsSeenAndTakenUp(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	trial.Must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		return r.Outbox.Post(t.Context(), tx, mail.DeclinedWords{To: "netz@uni.example", Row: "ada", Address: "a@uni.example", By: "Bob", At: r.Clock.Now(), Link: r.Base})
	}))
	var job int64
	running := `update river_job set state = 'running', attempt = 1, attempted_at = now() - $1::interval where kind = 'mail_deliver' returning id`
	state := func() (s string) {
		trial.Must(0, r.Pool.QueryRow(t.Context(), `select state::text from river_job where id = $1`, job).Scan(&s))
		return s
	}
	trial.Must(0, r.Pool.QueryRow(t.Context(), running, "70 seconds").Scan(&job))
	retry := fmt.Sprintf("/office/mail/jobs/%d/retry", job)
	rita.Get("/office/mail").Is(http.StatusOK).Has("Alles zugestellt und erledigt").Lacks(retry)
	rita.Post(retry).Is(http.StatusSeeOther).Follow().Has("Diese Arbeit läuft gerade")
	if got := state(); got != "running" {
		t.Errorf("got the job %s, want it left alone while it may run", got)
	}
	trial.Must(0, r.Pool.QueryRow(t.Context(), running, "80 seconds").Scan(&job))
	rita.Get("/office/mail").Is(http.StatusOK).Has("Mail senden", "läuft zu lange", "von selbst wieder aufgenommen", retry)
	rita.Get("/").Lacks("Hintergrundarbeit wurde aufgegeben")
	rita.Post(retry).Is(http.StatusSeeOther).Follow().Has("Ein neuer Versuch ist unterwegs")
	if got := state(); got != "available" {
		t.Errorf("got the job %s, want it to run again", got)
	}
	rita.Get("/office/audit?action=queue.").Has(sitetest.German("audit.queue.job_retried"))
}

func TestTheAuditLogIsReadInPages(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	for i := range 60 {
		trial.Must(0, r.DB.Tx(t.Context(), func(tx pgx.Tx) error {
			return audit.Write(t.Context(), tx, audit.Line{
				At: r.Clock.Now(), Action: "mailbox.edited",
				Detail: audit.Detail{"comment": [2]string{"", fmt.Sprintf("nr-%d.", i)}},
			})
		}))
	}
	first := rita.Get("/office/audit?action=mailbox.").Is(http.StatusOK).Has("nr-59.", "nr-10.", sitetest.German("audit.portal"), "noch offen").Lacks("nr-9.", sitetest.German("audit.org.member_added"))
	_, rest, _ := strings.Cut(first.Text(), `href="/office/audit?action=mailbox.&before=`)
	before, _, _ := strings.Cut(rest, `"`)
	rita.Get("/office/audit?action=mailbox.&before="+before).Is(http.StatusOK).Has("nr-9.", "nr-0.", "Zum Anfang").Lacks("nr-10.")
	rita.Get("/office/audit").Has("Alles", sitetest.German("audit.mailbox.edited"))
	rita.Get("/office/audit?action=org.member_added").Has(sitetest.German("audit.org.member_added"), "Rita Amt", "Nora Netz", "Netz Rechenzentrum").Lacks("nr-59.")
	rita.Get("/office/audit?action=nothing.").Has("Keine Zeilen")
	rita.Get("/office/audit?before=x").Is(http.StatusOK)
}

func TestTheOfficeFindsAddressesAndPeople(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	_, row := r.Add("ada.adler", "adler@uni.example")
	r.As("ada")
	rita.Get("/office").Is(http.StatusOK).Has("3 Domains", "2 Gruppen", "Protokoll", sitetest.German("office.search_label"))
	rita.Get("/office/search?q=adler").Is(http.StatusOK).Has(row, "adler@uni.example", "uni.example", "Ada Adler", "/office/people/")
	rita.Get("/office/search?q=ADLER%40uni.example").Has(row)
	rita.Get("/office/search?q=gibtesnicht").Has("Keine Adresse gefunden", "Niemand gefunden")
	rita.Get("/office/people?q=sven").Has("Sven Fremd").Lacks("Ada Adler")
	rita.Get("/office/people").Has("Sven Fremd", "Ada Adler")
	rita.Get("/office/people/999999").Is(http.StatusNotFound)
	rita.Get("/office/groups/999999").Is(http.StatusNotFound)
	rita.Get("/office/domains/999999").Is(http.StatusNotFound)
}

func TestTheOfficeHearsOfProofsThatLapse(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	rita.Get("/").Has("Alles erledigt").Lacks("läuft am")
	r.Clock.Advance(280 * 24 * time.Hour)
	rita = r.As("rita")
	rita.Get("/").Has("Der Nachweis von uni.example läuft am", "Nachweis erneuern")
	r.Clock.Advance(30 * 24 * time.Hour)
	rita = r.As("rita")
	rita.Get("/office").Has("Der Nachweis von institut.example ist am")
	rita.Get("/office/domains").Has("abgelaufen", "je Adresse")
	r.As("niko").Get("/").Has("Alles erledigt").Lacks("Nachweis")
}

// TestThePageOfAPersonShowsWhatToHandOnWhenTheyLeave: the organisations, the tokens
// that live, the sessions.
func TestThePageOfAPersonShowsWhatToHandOnWhenTheyLeave(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	page := func(sub string) sitetest.Answer {
		return rita.Get(fmt.Sprintf("/office/people/%d", r.Actors[sub].Account)).Is(http.StatusOK)
	}
	page("nora").Has("Universität Probe", fmt.Sprintf("/office/organisations/%d", r.Organisation), "Hat kein API-Token", "zurzeit nirgends angemeldet")
	nora := r.As("nora")
	in := person.TokenInput{Form: "einmal", Name: "Nachtabgleich", Verbs: []person.Verb{person.ReadOrders}, Organisations: []int64{int64(r.Organisation)}, Ends: r.Clock.Now().AddDate(0, 1, 0)}
	_, token, err := r.Org.MakeToken(t.Context(), r.Actors["nora"], in)
	trial.Must(0, err)
	page("nora").Has("Nachtabgleich", fmt.Sprintf("/tokens/%d", token), "127.0.0.1").Lacks("nirgends angemeldet", "diese Sitzung")
	nora.Get("/office/people/1").Is(http.StatusForbidden)
	page("ada").Has("Ist für keine Organisation technischer Ansprechpartner").Lacks("Nachtabgleich")
}

// TestCodesInAHistoryAreWords: languages and countries, on the page of the thing
// and in the log.
func TestCodesInAHistoryAreWords(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.As("nora").Post("/language", "lang", "en").Is(http.StatusSeeOther)
	trial.Must(0, r.Org.EditOrganisation(t.Context(), r.Actors["rita"], r.Organisation, org.OrganisationInput{Name: "Universität Probe", Country: "AT"}))
	rita := r.As("rita")
	rita.Get(fmt.Sprintf("/office/people/%d", r.Actors["nora"].Account)).Has("Sprache: Englisch").Lacks("Sprache: en<")
	rita.Get(fmt.Sprintf("/office/organisations/%d", r.Organisation)).Has("Land: Österreich").Lacks("Land: AT")
	rita.Get("/office/audit").Has("Sprache: Englisch", "Land: Österreich").Lacks("Sprache: en<", "Land: AT")
}
