package site_test

import (
	"net/http"
	"strings"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/web/paths"
)

// asked sends challenges for a row and returns the paths of its links.
func (r *rig) asked(path string, addresses ...string) []string {
	r.t.Helper()
	var last int64
	for _, m := range r.sink.Mails() {
		last = max(last, m.ID)
	}
	r.as("nora").post(path + "/challenges").status(http.StatusSeeOther)
	var links []string
	for _, a := range addresses {
		links = append(links, r.link(a, last))
	}
	return links
}

// state is the state of the newest challenge to an address.
func (r *rig) state(address string) (state string) {
	r.t.Helper()
	err := r.db.QueryRow(r.t.Context(), `select state from challenge where recipient = $1 order by id desc limit 1`, address).Scan(&state)
	if err != nil {
		r.t.Fatal(err)
	}
	return state
}

func TestAPersonFollowsTheLinkSignsInAndConfirms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, path := r.add("ada.adler", "ada@uni.example")
	links := r.asked(path, "ada.adler@uni.example", "ada@uni.example")
	b := r.anonymous()
	page := b.get(links[0]).status(http.StatusSeeOther)
	challenge := page.to()
	signIn := page.follow().status(http.StatusSeeOther)
	if want := "/signin?next=" + strings.ReplaceAll(challenge, "/", "%2F"); signIn.to() != want {
		t.Errorf("got %q, want sign-in that comes back to the challenge: %q", signIn.to(), want)
	}
	if got := b.signIn(signIn.follow().to(), "ada"); got != challenge {
		t.Fatalf("after sign-in: got %q, want %q", got, challenge)
	}
	b.get(challenge).status(http.StatusOK).has("Gehört diese Adresse Ihnen?", "Nora Netz", "Netz Rechenzentrum", "uni.example", "ada.adler@uni.example",
		"Ada Adler", "Ja, diese Adresse gehört zu mir", "Das bin ich nicht").lacks("ada@uni.example,")
	b.post(challenge + "/confirm").status(http.StatusSeeOther).follow().status(http.StatusOK).has("Noch eine Adresse dieser Zeile wartet")
	b.get(challenge).status(http.StatusOK).has("Schon bestätigt").lacks("Ja, diese Adresse gehört zu mir")
	second := b.get(links[1]).to()
	b.post(second+"/confirm").follow().status(http.StatusOK).has("ada.adler@uni.example ist jetzt mit Ihrem Konto verknüpft.", "bestätigt")
	r.as("nora").get(path).status(http.StatusOK).has("Ada Adler", "vollständig bestätigt", "Konto verknüpft")
}

func TestOpeningALinkChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, path := r.add("ada.adler")
	link := r.asked(path, "ada.adler@uni.example")[0]
	for _, who := range []*browser{r.anonymous(), r.as("ada")} {
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			challenge := who.ask(method, link).status(http.StatusSeeOther).to()
			who.ask(method, challenge)
			who.ask(method, challenge+"/confirm").status(http.StatusMethodNotAllowed)
			if got := r.state("ada.adler@uni.example"); got != "sent" {
				t.Errorf("%s: got state %q, want sent", method, got)
			}
		}
	}
}

func TestOnlySomebodySignedInConfirms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, path := r.add("ada.adler")
	link := r.asked(path, "ada.adler@uni.example")[0]
	b := r.anonymous()
	challenge := b.get(link).to()
	b.post(challenge + "/confirm").status(http.StatusForbidden)
	b.post(challenge + "/decline").status(http.StatusForbidden)
	b.post(link).status(http.StatusMethodNotAllowed)
	// Whoever guesses the number but never opened the link learns and does nothing.
	for _, p := range []string{challenge, "/challenges/999999"} {
		r.as("bob").get(p).status(http.StatusNotFound).has("Bitte öffnen Sie den Link aus der Mail").lacks("ada.adler", "Nora")
		r.as("bob").post(p + "/confirm").status(http.StatusNotFound)
	}
	if got := r.state("ada.adler@uni.example"); got != "sent" {
		t.Errorf("got state %q, want sent", got)
	}
}

func TestTheTokenIsNowhereAfterTheRedirect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, path := r.add("ada.adler")
	link := r.asked(path, "ada.adler@uni.example")[0]
	token := strings.TrimPrefix(link, paths.Link)
	clean := func(a answer) {
		t.Helper()
		if strings.Contains(a.body, token) {
			t.Errorf("%s holds the token in its body", a.Request.URL.Path)
		}
		for name, values := range a.Header {
			if strings.Contains(strings.Join(values, " "), token) {
				t.Errorf("%s holds the token in its header %s", a.Request.URL.Path, name)
			}
		}
	}
	b := r.as("ada")
	first := b.get(link)
	if got := first.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("got Referrer-Policy %q, want no-referrer", got)
	}
	clean(first)
	clean(first.follow().status(http.StatusOK))
	clean(b.get(paths.Link+token[1:]).status(http.StatusNotFound).lacks(token[1:], "Nora"))
	r.fail("challenge_token")
	clean(b.get(link).status(http.StatusInternalServerError))
	if strings.Contains(r.logged.String(), token) {
		t.Error("the log holds the token")
	}
}

func TestLinksSayWhyTheyDoNotCountAnyMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	id, path := r.add("ada.adler")
	first := r.asked(path, "ada.adler@uni.example")[0]
	r.clock.Advance(2 * 60e9)
	second := r.asked(path, "ada.adler@uni.example")[0]
	b := r.as("ada")
	b.get(first).follow().status(http.StatusOK).has("durch eine neuere Mail ersetzt").lacks("Ja, diese Adresse")
	challenge := b.get(second).to()
	b.post(challenge+"/decline").follow().status(http.StatusOK).has("Nichts wurde verknüpft", "abgelehnt")
	b.post(challenge + "/confirm").status(http.StatusConflict).has("wurde abgelehnt").lacks("Ja, diese Adresse")
	r.as("nora").get(path).has("Ada Adler hat für ada.adler@uni.example gesagt")
	if row, err := r.Mailbox.Row(t.Context(), r.actors["nora"], "uni.example", id); err != nil || row.Linked != nil {
		t.Errorf("got %v linked to %v, want no link after declining", err, row.Linked)
	}
}

func TestASecondAccountInARoundIsToldSoAndTheContactsToo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, path := r.add("ada.adler", "ada@uni.example")
	links := r.asked(path, "ada.adler@uni.example", "ada@uni.example")
	ada, bob := r.as("ada"), r.as("bob")
	ada.post(ada.get(links[0]).to() + "/confirm").status(http.StatusSeeOther)
	challenge := bob.get(links[1]).to()
	bob.get(challenge).status(http.StatusOK).has("Ein anderes Konto war schneller", "Kontaktgruppe benachrichtigen").lacks("Ada Adler", "Ja, diese Adresse")
	bob.post(challenge + "/confirm").status(http.StatusConflict).has("Die Kontaktgruppe weiß jetzt").lacks("Ada Adler")
	r.as("nora").get(path).has("Bob Bach wollte ada@uni.example bestätigen")
}

func TestAnApplicantIsAskedInOtherWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, path := r.addRow(mailbox.Input{
		Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example",
		Aliases: []string{"office@uni.example"}, Applicant: "ada.adler@uni.example",
	})
	link := r.asked(path, "ada.adler@uni.example")[0]
	ada := r.as("ada")
	challenge := ada.get(link).to()
	ada.get(challenge).has("Sind Sie für diese Funktionsadresse zuständig?", "sekretariat@uni.example", "office@uni.example", "Ja, ich bin zuständig")
	ada.post(challenge+"/confirm").follow().has("sekretariat@uni.example ist jetzt mit Ihrem Konto verknüpft.", "Funktionsadresse")
}
