package mailboxes_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// asks sends challenges for a row and returns the link in the mail to address.
func asks(r *sitetest.Rig, row, address string) string {
	r.T.Helper()
	r.As("nora").Post(row + "/challenges").Is(http.StatusSeeOther)
	return r.Link(address, 0)
}

// TestALinkInABounceIsDead: what was marked undeliverable confirms nothing, even
// after the office had it sent once more.
func TestALinkInABounceIsDead(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	nora, bob := r.As("nora"), r.As("bob")
	id, row := r.Add("late")
	link := bob.Get(asks(r, row, "late@uni.example")).To()
	bob.Get(link).Is(http.StatusOK)
	r.Until("it is sent", func() bool { return strings.Contains(nora.Get(row).Content, "Mail kam zurück") })
	m := regexp.MustCompile(`/challenges/(\d+)/undeliverable`).FindStringSubmatch(nora.Get(row).Content)
	nora.Get(row + m[0]).Has("Der Link in dieser Mail gilt danach nicht mehr.")
	nora.Post(row + m[0]).Is(http.StatusSeeOther)
	bob.Get(link).Has("Zustellung dieser Mail gilt als gescheitert").Lacks(link + `/confirm"`)
	bob.Post(link+"/confirm").Is(http.StatusConflict).Has("Zustellung dieser Mail gilt als gescheitert", "eine neue Mail")
	r.As("rita").Post("/office/mail/challenges/" + m[1] + "/retry").Is(http.StatusSeeOther)
	bob.Post(link + "/confirm").Is(http.StatusConflict)
	if got := trial.Must(r.Mailbox.Row(t.Context(), r.Actors["nora"], "uni.example", id)); got.Linked != nil {
		t.Errorf("linked to %s, want to nobody", *got.LinkedName)
	}
}

// TestALinkOfSomebodyElseIsMarked until a contact says that it is right, or
// somebody whose address is in the row confirms.
func TestALinkOfSomebodyElseIsMarked(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	nora, bob, ada := r.As("nora"), r.As("bob"), r.As("ada")
	_, row := r.Add("ada.adler")
	_, fine := r.Add("carla")
	nora.Get("/email-domains/uni.example").Lacks("Zu prüfen")
	first := asks(r, row, "ada.adler@uni.example")
	bob.Post(bob.Get(first).To() + "/confirm").Is(http.StatusSeeOther)
	nora.Get(row).Is(http.StatusOK).Has("Bob Bach hat bestätigt, aber", "E-Mail passt nicht", "Als geprüft kennzeichnen")
	nora.Get("/email-domains/uni.example").Has("Zu prüfen", "?doubtful=1", "E-Mail passt nicht")
	nora.Get("/").Has("In uni.example ist eine Verknüpfung zu prüfen.", "/email-domains/uni.example?doubtful=1")
	table := nora.Get("/email-domains/uni.example?doubtful=1").Is(http.StatusOK).Has("ada.adler", "export.csv?doubtful=1", `name="doubtful" value="1"`).Lacks(fine + `"`)
	nora.Get("/email-domains/uni.example?doubtful=1&q=carla").Lacks(fine + `"`)
	if lines := cells(nora.Get("/email-domains/uni.example/export.csv?doubtful=1")); len(lines) != 2 || !strings.HasSuffix(lines[1], "|ja") {
		t.Errorf("got the file %q, want the marked row alone", lines)
	}
	if !strings.Contains(table.Content, ">Zu prüfen") {
		t.Error("no chip for the marked rows")
	}
	nora.Post("/email-domains/uni.example/bulk", "all", "1", "doubtful", "1", "verb", "challenge").Is(http.StatusSeeOther).Follow().Has("ada.adler").Lacks("carla@")
	nora.Get(row+"/check-link").Is(http.StatusOK).Has("Ist geprüft", "Bob Bach ist die richtige Person")
	nora.Post(row + "/check-link").Is(http.StatusSeeOther).Follow().Has("gilt als geprüft").Lacks("E-Mail passt nicht")
	nora.Post(row + "/check-link").Is(http.StatusConflict)
	nora.Get("/email-domains/uni.example").Lacks("Zu prüfen")
	nora.Get("/").Lacks("zu prüfen")
	nora.Get("/email-domains/uni.example?doubtful=1").Has("Zurzeit keine Zeilen: Zu prüfen", "Zu prüfen")

	r.Clock.Advance(2 * time.Minute)
	nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	bob.Post(bob.Get(r.Link("ada.adler@uni.example", 1)).To() + "/confirm").Is(http.StatusSeeOther)
	nora.Get(row).Has("E-Mail passt nicht")
	r.Clock.Advance(2 * time.Minute)
	nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	ada.Post(ada.Get(r.Link("ada.adler@uni.example", 2)).To() + "/confirm").Is(http.StatusSeeOther)
	nora.Get(row).Has("<strong>Ada Adler</strong>").Lacks("E-Mail passt nicht", "Als geprüft kennzeichnen")
}

// TestAnApplicantsOtherAddressIsNoDoubt: what a function's mailbox is called says
// nothing of who answers for it.
func TestAnApplicantsOtherAddressIsNoDoubt(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, row := r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Post", Primary: "post@uni.example", Applicant: "privat@elsewhere.example"})
	bob := r.As("bob")
	bob.Post(bob.Get(asks(r, row, "privat@elsewhere.example")).To() + "/confirm").Is(http.StatusSeeOther)
	r.As("nora").Get(row).Has("<strong>Bob Bach</strong>").Lacks("E-Mail passt nicht")
}

// TestAPolicyOfTheMailServerIsShownAsItIs: the letter waits with the server's
// words, is not sent after two days, and nobody is told to check the address.
func TestAPolicyOfTheMailServerIsShownAsItIs(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.Sink.Reject("*", 554, "5.7.1 Sender address rejected: not owned by user portal")
	r.StartJobs()
	nora := r.As("nora")
	id, row := r.Add("ada.adler")
	nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	r.Until("the mail is deferred", func() bool { return strings.Contains(nora.Get(row+"/delivery").Content, "verzögert") })
	nora.Get(row).Has("Sender address rejected", "verzögert").Lacks("unzustellbar", "Prüfen Sie die Adressen")
	var ends time.Time // of a link that nobody got
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select expires from challenge where row_id = $1`, id).Scan(&ends))
	nora.Get(row+"/delivery").Has("noch nicht versendet", "noch nicht angenommen", "48 Stunden lang immer wieder").
		Lacks("wartet auf Bestätigung", ends.UTC().Format(time.RFC3339))
	r.Clock.Advance(49 * time.Hour)
	trial.Must(0, r.Mailbox.Tick(t.Context()))
	nora, rita := r.As("nora"), r.As("rita") // the sessions are over
	nora.Get(row).Has("nicht versendet", "sagt nichts über die Adresse", "Sender address rejected").Lacks("unzustellbar", "Prüfen Sie die Adressen")
	nora.Get("/email-domains/uni.example?status=undeliverable").Lacks("ada.adler@")
	nora.Get("/").Lacks("unzustellbar")
	rita.Get("/office/mail").Has("nicht versendet", "Sender address rejected", row)
	r.Sink.Reject("*", 0, "")
	var challenge int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from challenge where row_id = $1`, id).Scan(&challenge))
	rita.Post(fmt.Sprintf("/office/mail/challenges/%d/retry", challenge)).Is(http.StatusSeeOther)
	r.Link("ada.adler@uni.example", 0)
	if !strings.Contains(r.Logged.String(), "mail failed") || strings.Contains(r.Logged.String(), "ada.adler@") {
		t.Error("want the failure in the log, without the address")
	}
}

// TestAHeldQueueIsSeen by officers on their pages and by who waits for a mail.
func TestAHeldQueueIsSeen(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.Sink.Reject("*", 550, "5.1.1 who")
	r.StartJobs()
	nora, rita := r.As("nora"), r.As("rita")
	for _, domain := range []string{"one", "two", "three"} {
		_, row := r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: domain, Primary: domain + "@uni.example", Applicant: "a@" + domain + ".example"})
		nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	}
	const held = "Der Mailserver nimmt seit dem"
	r.Until("the queue is held", func() bool { return strings.Contains(rita.Get("/office/mail").Content, held) })
	rita.Get("/office/mail").Has(held, "drei verschiedene Domains", "5.1.1 who", "Alle fünf Minuten").Lacks("Alles zugestellt")
	rita.Get("/").Has(held)
	rita.Get("/office").Has(held)
	nora.Get("/").Lacks(held)
	r.Until("verdicts are taken back", func() bool {
		n := 0
		trial.Must(0, r.Pool.QueryRow(t.Context(), `select count(*) from challenge where state = 'deferred'`).Scan(&n))
		return n == 3
	})
	_, row := r.Add("ada.adler")
	nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	nora.Get(row).Has("Zurzeit gehen keine Mails hinaus", "in Warteschlange")
	nora.Get(row + "/delivery").Is(http.StatusOK).Has("Zurzeit gehen keine Mails hinaus")
	nora.Get("/email-domains/uni.example?status=undeliverable").Lacks("one@uni", "two@uni", "three@uni")
}
