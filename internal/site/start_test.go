package site_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"petschaft/internal/idp"
	"petschaft/internal/trial"
)

func TestTheFirstPageSaysWhatThePortalIsFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.anonymous()
	b.get("/").status(http.StatusOK).has("Zertifikate für Ihre E-Mail-Adressen", "Anmelden", `href="/signin"`, "Zur Hilfe").lacks("Verwaltung")
	b.lang = "en"
	b.get("/").has("Certificates for your e-mail addresses", "Sign in")
	for page, words := range map[string]string{"/imprint": "Legal notice", "/privacy": "Privacy", "/accessibility": "Accessibility", "/help": "Help"} {
		b.get(page).status(http.StatusOK).has("<h1", words)
	}
}

func TestTheOverviewSaysWhatIsToBeDone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	nora, ada := r.as("nora"), r.as("ada")
	ada.get("/").status(http.StatusOK).has("Alles erledigt", "Noch keine Adresse").lacks("Meine E-Mail-Domains</a>")
	id, _ := r.add("ada.adler")
	nora.get("/").has("In uni.example hat eine Adresse noch keine Challenge bekommen", "/email-domains/uni.example?status=none")
	r.add("bob.bach")
	nora.get("/").has("In uni.example haben 2 Adressen noch keine Challenge bekommen").lacks("institut.example")
	must(r.Mailbox.Challenge(t.Context(), r.actors["nora"], "uni.example", id))
	link := r.link("ada.adler@uni.example", 0)
	r.until("the mail server's answer is noted", func() bool { return strings.Contains(ada.get("/").text(), "Wir haben") })
	ada.get("/").has("Wir haben eine Mail an ada.adler@uni.example geschickt", "Nora Netz", "Öffnen Sie den Link darin").lacks(link)
	digest := ada.get(link).status(http.StatusSeeOther).to()
	ada.post(digest + "/confirm").status(http.StatusSeeOther)
	ada.get("/").has("Alles erledigt", "ada.adler@uni.example", "bestätigt").lacks("Wir haben eine Mail")
}

func TestOnesOwnSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	here, there, third := r.as("ada"), r.as("ada"), r.as("ada")
	page := here.get("/sessions").status(http.StatusOK).has("diese Sitzung", "Alle anderen beenden", "127.0.0.1")
	if got, want := strings.Count(page.body, "/end\""), 2; got != want {
		t.Errorf("got %d sessions to end, want %d: all but the one that asks", got, want)
	}
	_, rest, _ := strings.Cut(page.body, `action="/sessions/`)
	id, _, _ := strings.Cut(rest, "/end\"")
	if id == "end-others" || strings.HasPrefix(id, "end-others") {
		_, rest, _ = strings.Cut(rest, `action="/sessions/`)
		id, _, _ = strings.Cut(rest, "/end\"")
	}
	r.as("bob").post("/sessions/" + id + "/end").status(http.StatusNotFound)
	here.post("/sessions/" + id + "/end").status(http.StatusSeeOther).follow().has("Die Sitzung ist beendet")
	here.post("/sessions/end-others").status(http.StatusSeeOther).follow().has("Alle anderen Sitzungen sind beendet").lacks("Alle anderen beenden")
	there.get("/sessions").status(http.StatusSeeOther)
	third.get("/sessions").status(http.StatusSeeOther)
	here.get("/sessions").status(http.StatusOK)
}

func TestAFailedSignInSaysWhyAndWhereToTryAgain(t *testing.T) {
	t.Parallel()
	for lang, words := range map[string][]string{
		"de": {"Die Anmeldung hat nicht geklappt", "antwortet gerade nicht", "in einigen Minuten", "abgelehnt", "Beginnen Sie die Anmeldung einfach neu", "Noch einmal anmelden"},
		"en": {"Signing in did not work", "is not answering", "in a few minutes", "refused", "begin signing in anew", "Sign in again"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			b := r.anonymous()
			b.lang = lang
			again := `href="/signin?next=%2Fsessions"`
			r.idp.SetDown(true)
			b.get("/signin?next=%2Fsessions").status(http.StatusServiceUnavailable).has(words[0], words[1], words[2], words[5], again)
			b.get("/readyz").status(http.StatusOK)
			r.idp.SetDown(false)

			b.get("/signin/callback?state=x&code=y").status(http.StatusConflict).has(words[0], words[4], words[5]).lacks("callback")
			// A page above may still be asking the provider that was away, and who asks
			// meanwhile shares the answer.
			r.until("the provider answers again", func() bool { return b.get("/signin").StatusCode == http.StatusSeeOther })
			provider := must(url.Parse(b.get("/signin").status(http.StatusSeeOther).to()))
			back := url.Values{"state": {provider.Query().Get("state")}, "error": {"access_denied"}, "iss": {r.issuer}}
			b.get("/signin/callback?"+back.Encode()).status(http.StatusForbidden).has(words[0], words[3], words[5]).lacks("callback")
			r.idp.Misbehave(idp.WrongNonce)
			to := b.get("/signin").status(http.StatusSeeOther).to()
			login := b.send(must(http.NewRequest(http.MethodPost, strings.Replace(to, "/authorize?", "/login?", 1), strings.NewReader("person=ada"))))
			b.get(login.to()).status(http.StatusForbidden).has(words[0], words[3])
		})
	}
}

func TestASignOutLeadsBackToOurOwnPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as("ada")
	b.post("/signout").status(http.StatusSeeOther)
	b.get("/signed-out").status(http.StatusOK).has("Sie sind abgemeldet", `href="/signin"`).lacks("signed-out&quot;", "next=%2Fsigned-out")
	b.post("/sessions/end-others").status(http.StatusForbidden).has("Bitte melden Sie sich noch einmal an", "nicht oder nicht mehr angemeldet")
}

// until waits for what a job of the portal is about to do.
func (r *rig) until(what string, done func() bool) {
	r.t.Helper()
	trial.Until(r.t, what, done)
}
