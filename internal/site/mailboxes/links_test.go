package mailboxes_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/web/paths"
)

// state is the state of the newest challenge to an address.
func state(r *sitetest.Rig, address string) (state string) {
	r.T.Helper()
	err := r.Pool.QueryRow(r.T.Context(), `select state from challenge where recipient = $1 order by id desc limit 1`, address).Scan(&state)
	if err != nil {
		r.T.Fatal(err)
	}
	return state
}

func TestAPersonFollowsTheLinkSignsInAndConfirms(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, path := r.Add("ada.adler", "ada@uni.example")
	links := r.Asked(path, "ada.adler@uni.example", "ada@uni.example")
	b := r.Anonymous()
	page := b.Get(links[0]).Is(http.StatusSeeOther)
	challenge := page.To()
	signIn := page.Follow().Is(http.StatusSeeOther)
	if want := "/signin?next=" + strings.ReplaceAll(challenge, "/", "%2F"); signIn.To() != want {
		t.Errorf("got %q, want sign-in that comes back to the challenge: %q", signIn.To(), want)
	}
	if got := b.SignIn(signIn.Follow().To(), "ada"); got != challenge {
		t.Fatalf("after sign-in: got %q, want %q", got, challenge)
	}
	b.Get(challenge).Is(http.StatusOK).Has("Gehört diese Adresse Ihnen?", "Nora Netz", "Netz Rechenzentrum", "uni.example", "ada.adler@uni.example",
		"Ada Adler", "Ja, diese Adresse gehört zu mir", "Das bin ich nicht").Lacks("ada@uni.example,")
	b.Post(challenge+"/confirm").Is(http.StatusSeeOther).Follow().Is(http.StatusOK).Has("ist bestätigt (1 von 2)", "Noch eine Adresse wartet auf Sie: ada@uni.example")
	b.Get(challenge).Is(http.StatusOK).Has("Schon bestätigt", "1 von 2 Adressen bestätigt. Es fehlt noch: ada@uni.example.").
		Lacks("Ja, diese Adresse gehört zu mir", "Sie müssen nichts weiter tun")
	for _, page := range []string{"/", "/client-certificates"} {
		b.Get(page).Has("1 von 2 Adressen bestätigt. Es fehlt noch: ada@uni.example.").Lacks("Alles erledigt")
	}
	second := b.Get(links[1]).To()
	b.Post(second+"/confirm").Follow().Is(http.StatusOK).Has("ada.adler@uni.example ist jetzt mit Ihrem Konto verknüpft.", "bestätigt")
	b.Get(challenge).Has("Sie müssen nichts weiter tun").Lacks("Es fehlt noch")
	r.As("nora").Get(path).Is(http.StatusOK).Has("Ada Adler", "vollständig bestätigt", "Konto verknüpft")
}

func TestOpeningALinkChangesNothing(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, path := r.Add("ada.adler")
	link := r.Asked(path, "ada.adler@uni.example")[0]
	for _, who := range []*sitetest.Browser{r.Anonymous(), r.As("ada")} {
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			challenge := who.Ask(method, link).Is(http.StatusSeeOther).To()
			who.Ask(method, challenge)
			who.Ask(method, challenge+"/confirm").Is(http.StatusMethodNotAllowed)
			if got := state(r, "ada.adler@uni.example"); got != "sent" {
				t.Errorf("%s: got state %q, want sent", method, got)
			}
		}
	}
}

func TestOnlySomebodySignedInConfirms(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, path := r.Add("ada.adler")
	link := r.Asked(path, "ada.adler@uni.example")[0]
	b := r.Anonymous()
	challenge := b.Get(link).To()
	b.Post(challenge + "/confirm").Is(http.StatusForbidden)
	b.Post(challenge + "/decline").Is(http.StatusForbidden)
	b.Post(link).Is(http.StatusMethodNotAllowed)
	// Whoever guesses the number but never opened the link learns and does nothing.
	for _, p := range []string{challenge, "/challenges/999999"} {
		r.As("bob").Get(p).Is(http.StatusNotFound).Has("Bitte öffnen Sie den Link aus der Mail").Lacks("ada.adler", "Nora")
		r.As("bob").Post(p + "/confirm").Is(http.StatusNotFound)
	}
	if got := state(r, "ada.adler@uni.example"); got != "sent" {
		t.Errorf("got state %q, want sent", got)
	}
}

func TestTheTokenIsNowhereAfterTheRedirect(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, path := r.Add("ada.adler")
	link := r.Asked(path, "ada.adler@uni.example")[0]
	token := strings.TrimPrefix(link, paths.Link)
	clean := func(a sitetest.Answer) {
		t.Helper()
		if strings.Contains(a.Content, token) {
			t.Errorf("%s holds the token in its body", a.Request.URL.Path)
		}
		for name, values := range a.Header {
			if strings.Contains(strings.Join(values, " "), token) {
				t.Errorf("%s holds the token in its header %s", a.Request.URL.Path, name)
			}
		}
	}
	b := r.As("ada")
	first := b.Get(link)
	if got := first.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("got Referrer-Policy %q, want no-referrer", got)
	}
	clean(first)
	clean(first.Follow().Is(http.StatusOK))
	clean(b.Get(paths.Link+token[1:]).Is(http.StatusNotFound).Lacks(token[1:], "Nora"))
	r.Fail("challenge_token")
	clean(b.Get(link).Is(http.StatusInternalServerError))
	if strings.Contains(r.Logged.String(), token) {
		t.Error("the log holds the token")
	}
}

func TestLinksSayWhyTheyDoNotCountAnyMore(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	id, path := r.Add("ada.adler")
	first := r.Asked(path, "ada.adler@uni.example")[0]
	r.Clock.Advance(2 * 60e9)
	second := r.Asked(path, "ada.adler@uni.example")[0]
	b := r.As("ada")
	b.Get(first).Follow().Is(http.StatusOK).Has("durch eine neuere Mail ersetzt").Lacks("Ja, diese Adresse")
	challenge := b.Get(second).To()
	b.Post(challenge+"/decline").Follow().Is(http.StatusOK).Has("Nichts wurde verknüpft", "abgelehnt")
	b.Post(challenge + "/confirm").Is(http.StatusConflict).Has("wurde abgelehnt").Lacks("Ja, diese Adresse")
	r.As("nora").Get(path).Has("Ada Adler hat für ada.adler@uni.example gesagt")
	if row, err := r.Mailbox.Row(t.Context(), r.Actors["nora"], "uni.example", id); err != nil || row.Linked != nil {
		t.Errorf("got %v linked to %v, want no link after declining", err, row.Linked)
	}
}

func TestASecondAccountInARoundIsToldSoAndTheContactsToo(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, path := r.Add("ada.adler", "ada@uni.example")
	links := r.Asked(path, "ada.adler@uni.example", "ada@uni.example")
	ada, bob := r.As("ada"), r.As("bob")
	ada.Post(ada.Get(links[0]).To() + "/confirm").Is(http.StatusSeeOther)
	challenge := bob.Get(links[1]).To()
	bob.Get(challenge).Is(http.StatusOK).Has("Ein anderes Konto war schneller", "Kontaktgruppe benachrichtigen").Lacks("Ada Adler", "Ja, diese Adresse")
	bob.Post(challenge+"/confirm").Is(http.StatusSeeOther).Follow().Is(http.StatusOK).Has("next="+url.QueryEscape(challenge+"?told=1"), "Die Kontaktgruppe weiß jetzt").Lacks("Ada Adler")
	r.As("nora").Get(path).Has("Bob Bach wollte ada@uni.example bestätigen")
}

func TestAnApplicantIsAskedInOtherWords(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, path := r.AddRow(mailbox.Input{
		Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example",
		Aliases: []string{"office@uni.example"}, Applicant: "ada.adler@uni.example",
	})
	link := r.Asked(path, "ada.adler@uni.example")[0]
	ada := r.As("ada")
	challenge := ada.Get(link).To()
	ada.Get(challenge).Has("Sind Sie für diese Funktionsadresse zuständig?", "sekretariat@uni.example", "office@uni.example", "Ja, ich bin zuständig")
	ada.Post(challenge+"/confirm").Follow().Has("sekretariat@uni.example ist jetzt mit Ihrem Konto verknüpft.", "Funktionsadresse")
}
