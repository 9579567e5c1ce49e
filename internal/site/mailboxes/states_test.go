package mailboxes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// stuck makes a row that ada declined, one that expired and one that two accounts
// want, and returns their pages.
func stuck(r *sitetest.Rig) (declined, expired, conflict string) {
	r.T.Helper()
	r.StartJobs()
	_, expired = r.Add("emil", "e@uni.example")
	links := r.Asked(expired, "emil@uni.example", "e@uni.example")
	confirm := func(b *sitetest.Browser, link string) { b.Post(b.Get(link).To() + "/confirm") }
	confirm(r.As("bob"), links[0])
	r.Clock.Advance(14 * 24 * time.Hour)
	trial.Must(0, r.Mailbox.Tick(r.T.Context()))
	_, declined = r.Add("dora")
	ada := r.As("ada")
	ada.Post(ada.Get(r.Asked(declined, "dora@uni.example")[0]).To() + "/decline").Is(http.StatusSeeOther)
	_, conflict = r.Add("kai", "k@uni.example")
	links = r.Asked(conflict, "kai@uni.example", "k@uni.example")
	confirm(ada, links[0])
	confirm(r.As("bob"), links[1])
	return declined, expired, conflict
}

func TestWhoSaidNoIsSeenAndNotAskedAgain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	declined, expired, conflict := stuck(r)
	r.Add("neu")
	nora, domain := r.As("nora"), "/email-domains/uni.example"
	nora.Get("/").Has("wurde die Challenge einer Zeile abgelehnt: „Das bin ich nicht“.", domain+"?status=declined", "ist eine Challenge ohne Antwort abgelaufen.",
		domain+"?status=expired", "wollten bei einer Zeile zwei Konten bestätigen.", domain+"?status=conflict", "wartet eine Zeile auf ihre Challenge.")
	nora.Get(domain).Has("Abgelehnt", "Abgelaufen", "Konflikt")
	nora.Get("/email-domains").Has("Abgelehnt", "Abgelaufen", "Konflikt")
	for status, want := range map[string][]string{
		"declined": {"dora@uni.example", "abgelehnt"}, "expired": {"emil@uni.example", "abgelaufen"},
		"conflict": {"kai@uni.example", "Konflikt"}, "none": {"neu@uni.example", "keine Challenge"},
	} {
		nora.Get(domain + "?status=" + status).Has(append(want, "Eine Zeile")...)
		file := nora.Get(domain + "/export.csv?status=" + status).Is(http.StatusOK).Has(want...).Content
		if got := strings.Count(strings.TrimSpace(file), "\n"); got != 1 {
			t.Errorf("%s: the file has %d rows, want one:\n%s", status, got, file)
		}
	}

	nora.Get(declined).Has("abgelehnt", "Ada Adler hat für dora@uni.example gesagt: „Das bin ich nicht“")
	nora.Get(declined + "/challenges").Has("Zuletzt wurde für eine dieser Adressen „Das bin ich nicht“ gesagt.")
	nora.Get(expired).Has("abgelaufen", "Bob Bach hat bestätigt: emil@uni.example. Unbeantwortet blieb: e@uni.example.")
	nora.Get(conflict + "/challenges").Has("Zuletzt wollten zwei Konten diese Adressen bestätigen.")

	plan := nora.Post(domain+"/bulk", "verb", "challenge", "all", "1").Is(http.StatusSeeOther).To()
	nora.Get(plan).Has("Für eine Zeile Challenges senden?", "3 Zeilen werden ausgelassen", "Die letzte Anfrage ist abgelaufen.", "Hier wurde „Das bin ich nicht“ gesagt.", "Zwei Konten wollten diese Zeile bestätigen.")
	nora.Get(plan+"?show=left_out&why=mailbox.challenge.declined").Has("dora@uni.example", declined).Lacks("kai@uni.example")
	nora.Post(plan + "/start").Is(http.StatusSeeOther)
	if n := r.Count(`select count(*) from bulk_item where state = 'left_out' and name in ('dora', 'kai', 'emil')`); n != 3 {
		t.Errorf("got %d rows left out, want the declined one, the conflict and what expired", n)
	}
	r.Clock.Advance(2 * time.Minute)
	nora.Post(declined + "/challenges").Is(http.StatusSeeOther) // one by one it is for the contact to say
	nora.Get(declined).Has("offen")
}

func TestARowThatIsDeclinedMeanwhileIsLeftOut(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, row := r.Add("dora")
	link := r.Asked(row, "dora@uni.example")[0]
	r.Clock.Advance(2 * time.Minute)
	nora, ada := r.As("nora"), r.As("ada")
	plan := nora.Post("/email-domains/uni.example/bulk", "verb", "challenge", "all", "1").To()
	ada.Post(ada.Get(link).To() + "/decline").Is(http.StatusSeeOther)
	nora.Post(plan + "/start").Is(http.StatusSeeOther)
	r.Until("the bulk is done", func() bool { return r.Count(`select count(*) from bulk where state = 'done' and left_out = 1`) == 1 })
	if n := r.Count(`select count(*) from challenge`); n != 1 {
		t.Errorf("got %d challenges, want none after the decline", n)
	}
}

// TestEachCardSaysWhatItIsAbout: somebody is asked for their own address and for a
// function, by mails to one address.
func TestEachCardSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	trial.Must(r.Pool.Exec(t.Context(), `update account set email = 'ada.adler@uni.example', email_verified = true where username = 'ada' or name = 'Ada Adler'`))
	_, own := r.Add("ada.adler")
	_, office := r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Amt", Primary: "amt@uni.example", Applicant: "ada.adler@uni.example"})
	r.Asked(own, "ada.adler@uni.example")
	r.Clock.Advance(2 * time.Minute)
	r.Asked(office, "ada.adler@uni.example")
	ada := r.As("ada")
	ada.Get("/").Has("ob die Adresse Ihnen gehört", "ob Sie für amt@uni.example zuständig sind")
	ada.Get("/client-certificates").Has("amt@uni.example", "bestätigen Sie die Adresse bis", "dass Sie zuständig sind")
}

func TestAConflictLeadsToTheRow(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id, page := r.Add("ada", "a@uni.example")
	nora, domain := r.As("nora"), "/email-domains/uni.example"
	link := fmt.Sprintf(`href="%s/rows/%d"`, domain, id)
	nora.Post(domain+"/rows", "kind", "personal", "name", "Zweite", "primary", "ada@uni.example", "alias1", "b@uni.example").Is(http.StatusUnprocessableEntity).
		Has("Diese Adresse steht schon in einer anderen Zeile.", "ada@uni.example steht in der Zeile „ada“.", link, "b@uni.example")
	nora.Post(domain+"/rows", "kind", "personal", "name", "Zweite", "primary", "b@uni.example", "alias1", "A@uni.example").Is(http.StatusUnprocessableEntity).
		Has("a@uni.example steht in der Zeile „ada“.", link)
	nora.Post(page + "/deactivate").Is(http.StatusSeeOther)
	_, other := r.Add("neu", "a@uni.example")
	nora.Post(page+"/activate").Is(http.StatusConflict).Has("Eine dieser Adressen steht inzwischen", "a@uni.example steht in der Zeile „neu“.", other)

	r.StartJobs()
	im := planOf(r, "uni.example", "Anzeigename;Primäre E-Mail;Alias-E-Mail 1;Typ\nDritte;c@uni.example;a@uni.example;persönlich\n")
	nora.Get(fmt.Sprintf("%s/imports/%d", domain, im.ID)).Has("Alias-E-Mail 1: Diese Adresse steht schon in einer anderen Zeile.", "a@uni.example steht in der Zeile „neu“.", other)
}

func TestAFunctionWithoutApplicantIsNotSaidToBeReady(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.As("nora").Post("/email-domains/uni.example/rows", "kind", "functional", "name", "Amt", "primary", "amt@uni.example").Is(http.StatusSeeOther).Follow().
		Has("Die Adresse ist angelegt.", "Tragen Sie einen Antragsteller ein").Lacks("Senden Sie jetzt Challenges")
}
