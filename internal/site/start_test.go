package site_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"petschaft/internal/idp"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheFirstPageSaysWhatThePortalIsFor(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	b := r.Anonymous()
	b.Get("/").Is(http.StatusOK).Has("Zertifikate für Ihre E-Mail-Adressen", "Anmelden", `href="/signin"`, "Zur Hilfe").Lacks("Verwaltung")
	b.Lang = "en"
	b.Get("/").Has("Certificates for your e-mail addresses", "Sign in")
	for page, words := range map[string]string{"/imprint": "Legal notice", "/privacy": "Privacy", "/accessibility": "Accessibility", "/help": "Help"} {
		b.Get(page).Is(http.StatusOK).Has("<h1", words)
	}
}

func TestTheOverviewSaysWhatIsToBeDone(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	nora, ada := r.As("nora"), r.As("ada")
	ada.Get("/").Is(http.StatusOK).Has("Alles erledigt", "Noch keine Adresse").Lacks("Meine E-Mail-Domains</a>")
	id, _ := r.Add("ada.adler")
	nora.Get("/").Has("In uni.example wartet eine Zeile auf ihre Challenge", "/email-domains/uni.example?status=none")
	r.Add("bob.bach")
	nora.Get("/").Has("In uni.example warten 2 Zeilen auf Challenges").Lacks("institut.example")
	trial.Must(r.Mailbox.Challenge(t.Context(), r.Actors["nora"], "uni.example", id))
	link := r.Link("ada.adler@uni.example", 0)
	r.Until("the mail server's answer is noted", func() bool { return strings.Contains(ada.Get("/").Text(), "Wir haben") })
	ada.Get("/").Has("Wir haben eine Mail an ada.adler@uni.example geschickt", "Nora Netz", "Öffnen Sie den Link darin").Lacks(link)
	digest := ada.Get(link).Is(http.StatusSeeOther).To()
	ada.Post(digest + "/confirm").Is(http.StatusSeeOther)
	ada.Get("/").Has("ein Zertifikat dafür haben Sie noch nicht", fmt.Sprintf("/client-certificates/apply/%d", id), "ada.adler@uni.example", "bestätigt").Lacks("Wir haben eine Mail", "Alles erledigt")
	r.Applied("ada", id)
	ada.Get("/").Has("Alles erledigt")
}

func TestOnesOwnSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	here, there, third := r.As("ada"), r.As("ada"), r.As("ada")
	page := here.Get("/sessions").Is(http.StatusOK).Has("diese Sitzung", "Alle anderen beenden", "127.0.0.1")
	if got, want := strings.Count(page.Content, "/end\""), 2; got != want {
		t.Errorf("got %d sessions to end, want %d: all but the one that asks", got, want)
	}
	_, rest, _ := strings.Cut(page.Content, `action="/sessions/`)
	id, _, _ := strings.Cut(rest, "/end\"")
	if id == "end-others" || strings.HasPrefix(id, "end-others") {
		_, rest, _ = strings.Cut(rest, `action="/sessions/`)
		id, _, _ = strings.Cut(rest, "/end\"")
	}
	r.As("bob").Post("/sessions/" + id + "/end").Is(http.StatusNotFound)
	here.Post("/sessions/" + id + "/end").Is(http.StatusSeeOther).Follow().Has("Die Sitzung ist beendet")
	here.Post("/sessions/end-others").Is(http.StatusSeeOther).Follow().Has("Alle anderen Sitzungen sind beendet").Lacks("Alle anderen beenden")
	there.Get("/sessions").Is(http.StatusSeeOther)
	third.Get("/sessions").Is(http.StatusSeeOther)
	here.Get("/sessions").Is(http.StatusOK)
}

func TestAFailedSignInSaysWhyAndWhereToTryAgain(t *testing.T) {
	t.Parallel()
	for lang, words := range map[string][]string{
		"de": {"Die Anmeldung hat nicht geklappt", "antwortet gerade nicht", "in einigen Minuten", "abgelehnt", "Beginnen Sie die Anmeldung einfach neu", "Noch einmal anmelden"},
		"en": {"Sign-in failed", "is not responding", "in a few minutes", "refused", "start signing in again", "Sign in again"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			r := sitetest.New(t)
			b := r.Anonymous()
			b.Lang = lang
			again := `href="/signin?next=%2Fsessions"`
			r.IDP.SetDown(true)
			b.Get("/signin?next=%2Fsessions").Is(http.StatusServiceUnavailable).Has(words[0], words[1], words[2], words[5], again)
			b.Get("/readyz").Is(http.StatusOK)
			r.IDP.SetDown(false)

			b.Get("/signin/callback?state=x&code=y").Is(http.StatusConflict).Has(words[0], words[4], words[5]).Lacks("callback")
			// A page above may still be asking the provider that was away, and who asks
			// meanwhile shares the answer.
			r.Until("the provider answers again", func() bool { return b.Get("/signin").StatusCode == http.StatusSeeOther })
			provider := trial.Must(url.Parse(b.Get("/signin").Is(http.StatusSeeOther).To()))
			back := url.Values{"state": {provider.Query().Get("state")}, "error": {"access_denied"}, "iss": {r.Issuer}}
			b.Get("/signin/callback?"+back.Encode()).Is(http.StatusForbidden).Has(words[0], words[3], words[5]).Lacks("callback")
			r.IDP.Misbehave(idp.WrongNonce)
			to := b.Get("/signin").Is(http.StatusSeeOther).To()
			login := b.Send(trial.Must(http.NewRequest(http.MethodPost, strings.Replace(to, "/authorize?", "/login?", 1), strings.NewReader("person=ada"))))
			b.Get(login.To()).Is(http.StatusForbidden).Has(words[0], words[3])
		})
	}
}

func TestASignOutLeadsBackToOurOwnPage(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	b := r.As("ada")
	b.Post("/signout").Is(http.StatusSeeOther)
	b.Get("/signed-out").Is(http.StatusOK).Has("Sie sind abgemeldet", `href="/signin"`).Lacks("signed-out&quot;", "signin?next=%2Fsigned-out")
	b.Post("/sessions/end-others").Is(http.StatusForbidden).Has("Bitte melden Sie sich noch einmal an", "nicht oder nicht mehr angemeldet")
}

// Who comes from a network that begins too many sign-ins reads when it goes on, in
// either language; who is signed in works on.
func TestTooManySignInsFromOneNetworkAreBraked(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	r.Anonymous().Get("/signin").Is(http.StatusSeeOther)
	trial.Must(r.Pool.Exec(t.Context(), `update brake set n = 600 where kind = 'signin.attempt'`))
	for lang, words := range map[string]string{"de": "Aus Ihrem Netz werden gerade zu viele Anmeldungen begonnen", "en": "Too many sign-ins are being started from your network"} {
		b := r.Anonymous()
		b.Lang = lang
		if a := b.Get("/signin?next=%2Fsessions").Is(http.StatusTooManyRequests).Has(words, `href="/signin?next=%2Fsessions"`); a.Header.Get("Retry-After") == "" {
			t.Error("it does not say when to come back")
		}
	}
	if n := strings.Count(r.Logged.String(), "logger=security kind=brake"); n != 2 {
		t.Errorf("got %d lines of a brake, want one each", n)
	}
	nora.Get("/sessions").Is(http.StatusOK)
}
