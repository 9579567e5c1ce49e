package site_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
)

// asks sends challenges for a row and returns the link in the mail to address.
func (r *rig) asks(row, address string) string {
	r.t.Helper()
	r.as("nora").post(row + "/challenges").status(http.StatusSeeOther)
	return r.link(address, 0)
}

// TestALinkInABounceIsDead: what was marked undeliverable confirms nothing, even
// after the office had it sent once more.
func TestALinkInABounceIsDead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	nora, bob := r.as("nora"), r.as("bob")
	id, row := r.add("late")
	link := bob.get(r.asks(row, "late@uni.example")).to()
	bob.get(link).status(http.StatusOK)
	r.until("it is sent", func() bool { return strings.Contains(nora.get(row).body, "Mail kam zurück") })
	m := regexp.MustCompile(`/challenges/(\d+)/undeliverable`).FindStringSubmatch(nora.get(row).body)
	nora.get(row + m[0]).has("Der Link in dieser Mail gilt danach nicht mehr.")
	nora.post(row + m[0]).status(http.StatusSeeOther)
	bob.get(link).has("Zustellung dieser Mail gilt als gescheitert").lacks(link + `/confirm"`)
	bob.post(link+"/confirm").status(http.StatusConflict).has("Zustellung dieser Mail gilt als gescheitert", "eine neue Mail")
	r.as("rita").post("/office/mail/challenges/" + m[1] + "/retry").status(http.StatusSeeOther)
	bob.post(link + "/confirm").status(http.StatusConflict)
	if got := must(r.Mailbox.Row(t.Context(), r.actors["nora"], "uni.example", id)); got.Linked != nil {
		t.Errorf("linked to %s, want to nobody", *got.LinkedName)
	}
}

// TestALinkOfSomebodyElseIsMarked until a contact says that it is right, or
// somebody whose address is in the row confirms.
func TestALinkOfSomebodyElseIsMarked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	nora, bob, ada := r.as("nora"), r.as("bob"), r.as("ada")
	_, row := r.add("ada.adler")
	_, fine := r.add("carla")
	nora.get("/email-domains/uni.example").lacks("Zu prüfen")
	first := r.asks(row, "ada.adler@uni.example")
	bob.post(bob.get(first).to() + "/confirm").status(http.StatusSeeOther)
	nora.get(row).status(http.StatusOK).has("Bob Bach hat bestätigt, aber", "E-Mail passt nicht", "Als geprüft kennzeichnen")
	nora.get("/email-domains/uni.example").has("Zu prüfen", "?doubtful=1", "E-Mail passt nicht")
	nora.get("/").has("In uni.example ist eine Verknüpfung zu prüfen.", "/email-domains/uni.example?doubtful=1")
	table := nora.get("/email-domains/uni.example?doubtful=1").status(http.StatusOK).has("ada.adler", "export.csv?doubtful=1", `name="doubtful" value="1"`).lacks(fine + `"`)
	nora.get("/email-domains/uni.example?doubtful=1&q=carla").lacks(fine + `"`)
	if lines := nora.get("/email-domains/uni.example/export.csv?doubtful=1").cells(); len(lines) != 2 || !strings.HasSuffix(lines[1], "|ja") {
		t.Errorf("got the file %q, want the marked row alone", lines)
	}
	if !strings.Contains(table.body, ">Zu prüfen") {
		t.Error("no chip for the marked rows")
	}
	nora.post("/email-domains/uni.example/bulk", "all", "1", "doubtful", "1", "verb", "challenge").status(http.StatusSeeOther).follow().has("ada.adler").lacks("carla@")
	nora.get(row+"/check-link").status(http.StatusOK).has("Ist geprüft", "Bob Bach ist die richtige Person")
	nora.post(row + "/check-link").status(http.StatusSeeOther).follow().has("gilt als geprüft").lacks("E-Mail passt nicht")
	nora.post(row + "/check-link").status(http.StatusConflict)
	nora.get("/email-domains/uni.example").lacks("Zu prüfen")
	nora.get("/").lacks("zu prüfen")
	nora.get("/email-domains/uni.example?doubtful=1").has("Zurzeit keine Zeilen: Zu prüfen", "Zu prüfen")

	r.clock.Advance(2 * time.Minute)
	nora.post(row + "/challenges").status(http.StatusSeeOther)
	bob.post(bob.get(r.link("ada.adler@uni.example", 1)).to() + "/confirm").status(http.StatusSeeOther)
	nora.get(row).has("E-Mail passt nicht")
	r.clock.Advance(2 * time.Minute)
	nora.post(row + "/challenges").status(http.StatusSeeOther)
	ada.post(ada.get(r.link("ada.adler@uni.example", 2)).to() + "/confirm").status(http.StatusSeeOther)
	nora.get(row).has("<strong>Ada Adler</strong>").lacks("E-Mail passt nicht", "Als geprüft kennzeichnen")
}

// TestAnApplicantsOtherAddressIsNoDoubt: what a function's mailbox is called says
// nothing of who answers for it.
func TestAnApplicantsOtherAddressIsNoDoubt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, row := r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "Post", Primary: "post@uni.example", Applicant: "privat@elsewhere.example"})
	bob := r.as("bob")
	bob.post(bob.get(r.asks(row, "privat@elsewhere.example")).to() + "/confirm").status(http.StatusSeeOther)
	r.as("nora").get(row).has("<strong>Bob Bach</strong>").lacks("E-Mail passt nicht")
}

// TestAPolicyOfTheMailServerIsShownAsItIs: the letter waits with the server's
// words, is not sent after two days, and nobody is told to check the address.
func TestAPolicyOfTheMailServerIsShownAsItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sink.Reject("*", 554, "5.7.1 Sender address rejected: not owned by user portal")
	r.work()
	nora := r.as("nora")
	id, row := r.add("ada.adler")
	nora.post(row + "/challenges").status(http.StatusSeeOther)
	r.until("the mail is deferred", func() bool { return strings.Contains(nora.get(row+"/delivery").body, "verzögert") })
	nora.get(row).has("Sender address rejected", "verzögert").lacks("unzustellbar", "Prüfen Sie die Adressen")
	var ends time.Time // of a link that nobody got
	must(0, r.db.QueryRow(t.Context(), `select expires from challenge where row_id = $1`, id).Scan(&ends))
	nora.get(row+"/delivery").has("noch nicht versendet", "noch nicht angenommen", "48 Stunden lang immer wieder").
		lacks("wartet auf Bestätigung", ends.UTC().Format(time.RFC3339))
	r.clock.Advance(49 * time.Hour)
	must(0, r.Mailbox.Tick(t.Context()))
	nora, rita := r.as("nora"), r.as("rita") // the sessions are over
	nora.get(row).has("nicht versendet", "sagt nichts über die Adresse", "Sender address rejected").lacks("unzustellbar", "Prüfen Sie die Adressen")
	nora.get("/email-domains/uni.example?status=undeliverable").lacks("ada.adler@")
	nora.get("/").lacks("unzustellbar")
	rita.get("/office/mail").has("nicht versendet", "Sender address rejected", row)
	r.sink.Reject("*", 0, "")
	var challenge int64
	must(0, r.db.QueryRow(t.Context(), `select id from challenge where row_id = $1`, id).Scan(&challenge))
	rita.post(fmt.Sprintf("/office/mail/challenges/%d/retry", challenge)).status(http.StatusSeeOther)
	r.link("ada.adler@uni.example", 0)
	if !strings.Contains(r.logged.String(), "mail failed") || strings.Contains(r.logged.String(), "ada.adler@") {
		t.Error("want the failure in the log, without the address")
	}
}

// TestAHeldQueueIsSeen by officers on their pages and by who waits for a mail.
func TestAHeldQueueIsSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sink.Reject("*", 550, "5.1.1 who")
	r.work()
	nora, rita := r.as("nora"), r.as("rita")
	for _, domain := range []string{"one", "two", "three"} {
		_, row := r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: domain, Primary: domain + "@uni.example", Applicant: "a@" + domain + ".example"})
		nora.post(row + "/challenges").status(http.StatusSeeOther)
	}
	const held = "Der Mailserver nimmt seit dem"
	r.until("the queue is held", func() bool { return strings.Contains(rita.get("/office/mail").body, held) })
	rita.get("/office/mail").has(held, "drei verschiedene Domains", "5.1.1 who", "Alle fünf Minuten").lacks("Alles zugestellt")
	rita.get("/").has(held)
	rita.get("/office").has(held)
	nora.get("/").lacks(held)
	r.until("verdicts are taken back", func() bool {
		n := 0
		must(0, r.db.QueryRow(t.Context(), `select count(*) from challenge where state = 'deferred'`).Scan(&n))
		return n == 3
	})
	_, row := r.add("ada.adler")
	nora.post(row + "/challenges").status(http.StatusSeeOther)
	nora.get(row).has("Zurzeit gehen keine Mails hinaus", "in Warteschlange")
	nora.get(row + "/delivery").status(http.StatusOK).has("Zurzeit gehen keine Mails hinaus")
	nora.get("/email-domains/uni.example?status=undeliverable").lacks("one@uni", "two@uni", "three@uni")
}

// TestRefusedMailInABrowser looks at the pages that tell of it, and of links that
// want a look.
func TestRefusedMailInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	linked := s.linkRow("vera.voss", "bob", "v.voss@uni.example")
	doubtful := fmt.Sprintf("/email-domains/uni.example/rows/%d", linked)
	must(s.db.Exec(t.Context(), `update link set doubtful = true where row_id = $1`, linked))
	must(s.db.Exec(t.Context(), `update address_row set doubtful = true where id = $1`, linked))
	_, waits := s.add("ada.adler", "ada@uni.example")
	nora := s.as("nora")
	_, unsent := s.add("carla.curie")
	nora.post(unsent + "/challenges").status(http.StatusSeeOther)
	must(s.db.Exec(t.Context(), `update challenge set state = 'failed', unsent = true, attempts = 27, ended = $1,
		answer = '5.5.2 <vm>: Helo command rejected: need fully-qualified hostname' where recipient like 'carla%'`, s.clock.Now()))
	must(s.db.Exec(t.Context(), `update challenge_round set outcome = 'unsent', ended = $1 where outcome = 'open'`, s.clock.Now()))
	must(s.db.Exec(t.Context(), `update address_row set status = 'none' where status = 'open'`))
	nora.post(waits + "/challenges").status(http.StatusSeeOther)
	must(s.db.Exec(t.Context(), `insert into mail_hold (since, next, door, code, answer)
		values ($1, $2, true, '5.7.1', '5.7.1 <bounce@uni.example>: Sender address rejected: not owned by user portal')`,
		s.clock.Now().Add(-time.Hour), s.clock.Now().Add(3*time.Minute)))
	s.look("nora", "refused-table", "/email-domains/uni.example", http.StatusOK)
	s.look("nora", "refused-filter", "/email-domains/uni.example?doubtful=1", http.StatusOK)
	s.look("nora", "refused-doubtful", doubtful, http.StatusOK)
	s.look("nora", "refused-check", doubtful+"/check-link", http.StatusOK)
	s.look("nora", "refused-held", waits, http.StatusOK)
	s.look("nora", "refused-unsent", unsent, http.StatusOK)
	s.look("rita", "refused-office", "/office/mail", http.StatusOK)
	s.look("rita", "refused-start", "/", http.StatusOK)
}
