package site_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"petschaft/internal/draft"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// carried is what the page that says that the session is over takes along.
func carried(page string) (form []string) {
	for n := range trial.Must(html.Parse(strings.NewReader(page))).Descendants() {
		a := map[string]string{}
		for _, x := range n.Attr {
			a[x.Key] = x.Val
		}
		if n.Data == "input" && a["type"] == "hidden" {
			form = append(form, a["name"], a["value"])
		}
	}
	return form
}

// overAForm is nora's browser with the page that says so, after a form of hers.
func overAForm(r *sitetest.Rig, path string, form ...string) (*sitetest.Browser, sitetest.Answer) {
	r.T.Helper()
	nora := r.As("nora")
	values := formsOn(nora.Get(path).Is(http.StatusOK).Content)[0].values
	trial.Must(r.Pool.Exec(r.T.Context(), `update login set ended = $1`, r.Clock.Now()))
	return nora, nora.Post(path, append(form, "as", values.Get("as"))...).Is(http.StatusForbidden)
}

func TestAFormOutlivesItsSession(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("erika.muster")
	nora, over := overAForm(r, row+"/edit", "name", "Getippt", "kind", "personal", "version", "1")
	over.Has("geht mit", "Anmelden und zum Formular", "demselben Konto", `to=%2Fsignin`).Lacks("neuen Tab", `href="/signin`)
	over = speakEnglish(nora, "/", "post", "/signin", carried(over.Content)...).Is(http.StatusForbidden).Has("goes along")
	nora.Post("/language", "lang", "de")
	away := nora.Post("/signin", carried(over.Content)...).Is(http.StatusSeeOther)
	back := nora.SignIn(away.To(), "nora")
	nora.Get(back).Is(http.StatusOK).Has(`value="Getippt"`, "Ihre Eingaben sind wieder da", "noch nichts").Lacks(`role="alert"`)
	nora.Get(row).Lacks("Getippt")

	other, over := overAForm(r, row+"/edit", "name", "Geheimnis", "kind", "personal", "version", "1")
	away = other.Post("/signin", carried(over.Content)...).Is(http.StatusSeeOther)
	back = other.SignIn(away.To(), "sven") // somebody else at the same browser
	out := other.Get(back).Is(http.StatusForbidden).Has("gehört zu einem anderen Konto", `action="/signout"`, `value="`+back+`"`).Lacks("Geheimnis", "Nora")
	other.Get(back).Is(out.StatusCode)
	other.Post("/signout", "next", back).Is(http.StatusSeeOther)
	other.Get("/signed-out").Is(http.StatusOK).Has(`href="/signin?next=`+url.QueryEscape(back), "Anmelden und zum Formular")
	other.Get(other.SignIn(other.Get("/signin?next="+url.QueryEscape(back)).To(), "nora")).Is(http.StatusOK).Has(`value="Geheimnis"`)
	elsewhere := r.As("nora") // who was sent the address
	elsewhere.Get(back).Is(http.StatusNotFound).Lacks("Geheimnis")
}

func TestALanguageChosenAfterTheSessionLosesNothing(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("erika.muster")
	nora := r.As("nora")
	values := formsOn(nora.Get(row + "/edit").Content)[0].values
	trial.Must(r.Pool.Exec(t.Context(), `update login set ended = $1`, r.Clock.Now()))
	over := speakEnglish(nora, row+"/edit", "post", row+"/edit", "name", "Halb", "as", values.Get("as")).Is(http.StatusForbidden).Has("goes along")
	back := nora.SignIn(nora.Post("/signin", carried(over.Content)...).To(), "nora")
	nora.Get(back).Is(http.StatusOK).Has(`value="Halb"`, "What you typed is back")
}

// TestAFormOfAnotherAccountIsNotCarriedOut: in another tab somebody else signed in,
// who might do the same.
func TestAFormOfAnotherAccountIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("erika.muster")
	group := fmt.Sprintf("/office/groups/%d", r.Group)
	for _, c := range []struct{ owner, other, page, to, name string }{
		{"nora", "rolf", row + "/edit", row + "/edit", "name"},
		{"rita", "rolf", group, group, "name"},
		{"rita", "nora", group, group, "name"}, // who has no such page
	} {
		b := r.As(c.owner)
		form := []string{"as", fmt.Sprint(r.Actors[c.owner].Account), c.name, "Geheimnis", "kind", "personal", "version", "1"}
		b.SignIn(b.Get("/signin").To(), c.other)
		for _, kept := range []sitetest.Answer{b.Post(c.to, form...), speakEnglish(b, c.page, "post", c.to, form...)} {
			kept.Is(http.StatusForbidden).Has(`value="/kept/`).Lacks("Geheimnis")
		}
		b.Post("/language", "lang", "de")
		if n := r.Count(`select (select count(*) from address_row where name = 'Geheimnis') + (select count(*) from contact_group where name = 'Geheimnis')`); n != 0 {
			t.Errorf("%s's form was carried out for %s", c.owner, c.other)
		}
		back := b.Post(c.to, form...).Is(http.StatusForbidden).Has("inzwischen jemand anders angemeldet").Request.URL.Path
		b.SignIn(b.Get("/signin").To(), c.owner)
		b.Get(back).Is(http.StatusOK).Has(`value="Geheimnis"`)
		b.SignIn(b.Get("/signin").To(), c.other)
		b.Post("/orders/new", "as", form[1], "csr", "-----BEGIN PRIVATE KEY-----").Is(http.StatusForbidden).Has("steht noch im Formular").Lacks("PRIVATE KEY")
	}
}

func TestWhatCannotBeTakenToTheSignInStaysInTheBrowser(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	anonymous := r.Anonymous()
	anonymous.Post("/orders/new", "names", "x").Is(http.StatusForbidden).Has("einen Schritt zurück").Lacks("geht mit") // says not whose it is
	anonymous.Post("/orders/new", "as", "1", "comment", strings.Repeat("x", 65<<10)).Is(http.StatusRequestEntityTooLarge).Has("einen Schritt zurück")
	anonymous.Post("/orders/new", "as", "1", "csr", "-----BEGIN PRIVATE KEY-----").Is(http.StatusForbidden).Has("einen Schritt zurück").Lacks("PRIVATE KEY")
	anonymous.Post("/handovers/1/finish", "as", "1", "password", "geheim").Is(http.StatusForbidden).Has("einen Schritt zurück").Lacks("geheim")
	for _, bad := range []url.Values{
		{"as": {"x"}, "path": {"/orders/new"}, "body": {""}},
		{"as": {"1"}, "path": {"https://evil.example/"}, "body": {""}},
		{"as": {"1"}, "path": {"/orders/new"}, "body": {"%%%"}},
	} {
		var form []string
		for k := range bad {
			form = append(form, k, bad.Get(k))
		}
		anonymous.Post("/signin", form...).Is(http.StatusUnprocessableEntity)
	}
	if n := r.Count(`select count(*) from draft`); n != 0 {
		t.Errorf("got %d forms, want none", n)
	}
}

func TestNobodyFillsTheDatabaseWithForms(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	by := r.Actors["nora"].Account
	own := trial.Must(r.Drafts.Keep(t.Context(), by, draft.Form{Path: "/orders/new"}))
	for n := range 501 {
		_, err := r.Drafts.Leave(t.Context(), by, draft.Form{Path: "/orders/new"})
		if (err != nil) != (n == 500) {
			t.Fatalf("form %d: got %v", n+1, err)
		}
	}
	if _, err := r.Drafts.Open(t.Context(), by, own, nil); err != nil {
		t.Errorf("forms of strangers drove out her own: %v", err)
	}
	if _, err := r.Drafts.Leave(t.Context(), person.ID(999_999), draft.Form{}); err == nil {
		t.Error("a form was left for nobody")
	}
	r.Clock.Advance(2 * 60 * 60e9)
	trial.Must(0, r.Drafts.Tidy(t.Context()))
	if n := r.Count(`select count(*) from draft`); n != 1 {
		t.Errorf("got %d forms two hours later, want her own", n)
	}
}

func TestWhatWasTypedIsShownWhereItsFormIsGone(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id, row := r.Add("erika.muster")
	nora := r.As("nora")
	trial.Must(0, r.Mailbox.Delete(t.Context(), r.Actors["nora"], "uni.example", id))
	typed := []string{"name", "Getippter Name", "alias1", "zweite@uni.example", "comment", "Zeile eins\nZeile zwei", "kind", "personal", "version", "1"}
	gone := nora.Post(row+"/edit", typed...).Is(http.StatusNotFound)
	words := []string{"Getippter Name", "zweite@uni.example", "Zeile eins\nZeile zwei", "Alias 1", "Kommentar"}
	gone.Has(append(words, "Das gibt es hier nicht mehr", "kopieren")...).Lacks("nichts ist verloren", "version")
	nora.Get(gone.Request.URL.String()).Is(http.StatusNotFound).Has(words...)
	english := nora.Post("/language?" + url.Values{"lang": {"en"}, "next": {gone.Request.URL.Path}}.Encode()).Is(http.StatusNotFound)
	english.Has("Getippter Name", "no longer here", "Comment")
	nora.Post("/language", "lang", "de")
	speakEnglish(nora, row+"/edit", "post", row+"/edit", typed...).Is(http.StatusNotFound).Has("Getippter Name", "no longer here")
	foreign := r.As("sven").Post("/email-domains/uni.example/rows", typed...).Is(http.StatusNotFound)
	foreign.Has("Getippter Name").Lacks("Nora")
	r.Anonymous().Post(row+"/edit", typed...).Is(http.StatusForbidden).Lacks("Getippter Name")
}

func TestWhoComesTooLateHearsWhoWasFaster(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rolf := r.As("rolf")
	late := func(do func(reference string), step string, form ...string) sitetest.Answer {
		t.Helper()
		reference := r.Ordered("www.uni.example")
		do(reference)
		return rolf.Post("/office/orders/"+reference+step, append(form, "version", "1")...).Is(http.StatusConflict).Has(`href="/office/orders/`+reference+`"`, "Rita Amt", "Was zuletzt geschah")
	}
	ctx, rita := t.Context(), r.Actors["rita"]
	approve := func(reference string) { trial.Must(0, r.Order.Approve(ctx, rita, reference, 1)) }
	late(approve, "/approve").Has("genehmigt")
	late(approve, "/take")
	take := func(reference string) { trial.Must(0, r.Order.Take(ctx, rita, reference)) }
	late(take, "/take").Has("steht inzwischen anders", "Prüfung begonnen").Lacks("entschieden", "zurückgezogen")
	late(approve, "/reject", "reason", "Mein Grund steht hier").Has("genehmigt", "Mein Grund steht hier")
	late(approve, "/return", "reason", "Mein Grund steht hier").Has("Mein Grund steht hier")
	late(approve, "/retry")
	reference := r.Ordered("www.uni.example")
	approve(reference)
	rolf.Get("/office/orders/"+reference+"/reject").Is(http.StatusConflict).Has("Rita Amt", "genehmigt", `href="/office/orders/`+reference+`"`)
	reference = r.Ordered("www.uni.example")
	trial.Must(0, r.Order.Reject(ctx, rita, reference, order.Decision{Version: 1, Reason: "Falscher Name"}))
	r.As("nora").Post("/orders/"+reference+"/withdraw").Is(http.StatusConflict).Has("Rita Amt", `href="/orders/`+reference+`"`)

	id, row := r.Add("zeile")
	nora := r.As("nora")
	trial.Must(0, r.Org.AddMember(ctx, rita, r.Group, rita.Account))
	trial.Must(0, r.Mailbox.Deactivate(ctx, rita, "uni.example", id))
	nora.Post(row+"/deactivate").Is(http.StatusConflict).Has("Rita Amt", `href="`+row+`"`)
}

func TestEachStepHasATitleOfItsOwn(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	csr := sitetest.NewCSR("www.uni.example")
	nora.Get("/orders/new").Has("<title>Schritt 1 von 4: Schlüssel – Neuer Auftrag – Petschaft</title>")
	nora.Post("/orders/new", "step", "names", "csr", csr).Has("<title>Schritt 2 von 4: Namen und Produkt – Neuer Auftrag – Petschaft</title>")
	reference := r.Ordered("www.uni.example")
	nora.Get("/orders/" + reference).Lacks("Schritt 2 von 4:") // it goes on while it is looked at
}
