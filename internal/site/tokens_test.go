package site_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/person"
)

// token makes one as somebody for what nora looks after first: uni.example and
// her organisation, each where a verb is about it; or for another domain.
func (r *rig) token(who string, verbs []person.Verb, domain ...string) (secret string, id person.TokenID) {
	r.t.Helper()
	in := person.TokenInput{Form: rand.Text(), Name: "Abgleich", Verbs: verbs, Ends: r.clock.Now().AddDate(0, 6, 0)}
	for _, v := range verbs {
		if strings.HasPrefix(string(v), "orders.") || strings.HasPrefix(string(v), "certificates.") {
			in.Organisations = []int64{int64(r.organisation)}
		} else {
			in.Domains = []int64{int64(must(r.Org.Domain(r.t.Context(), r.actors[who], append(domain, "uni.example")[0])).ID)}
		}
	}
	secret, id, err := r.Org.MakeToken(r.t.Context(), r.actors[who], in)
	must(0, err)
	return secret, id
}

// tokenForm is what nora sends, name and value in turn.
func (r *rig) tokenForm(more ...string) []string {
	day := r.clock.Now().AddDate(0, 0, 100).Format(time.DateOnly)
	return append([]string{"form", "einmal", "name", "Nachtabgleich", "domains", "1", "domain_verbs", "addresses.read", "ends", day}, more...)
}

var loopback = netip.MustParseAddr("127.0.0.1")

var secretText = regexp.MustCompile(`pts_[0-9A-Za-z]{49}`)

func TestASecretIsShownOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	nora.get("/tokens").status(http.StatusOK).has("Noch keine API-Tokens", "API-Token anlegen")
	nora.get("/tokens/new").status(http.StatusOK).has("uni.example", "Universität Probe", "Serverzertifikate widerrufen", "type=\"date\"")
	made := nora.post("/tokens", r.tokenForm("networks", "127.0.0.1, 2001:db8::/48")...).status(http.StatusOK)
	made.has("nur dieses eine Mal", "Nachtabgleich", r.base+"/api/v1/email-domains")
	if got := made.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want the page with the secret stored nowhere", got)
	}
	secret := secretText.FindString(made.body)
	if !person.LooksLikeToken(secret) {
		t.Fatalf("the page shows no secret:\n%s", made.excerpt())
	}
	nora.post("/tokens", r.tokenForm()...).status(http.StatusSeeOther)
	list := nora.get("/tokens").has("kein zweites Mal", "Nachtabgleich", "noch nie", "gültig")
	list.lacks(secret)
	_, _, err := r.People.ByToken(t.Context(), secret, loopback)
	must(0, err)
	page := nora.get("/tokens/1").status(http.StatusOK).has("Adressen lesen", "uni.example", "127.0.0.1/32", "2001:db8::/48", "von 127.0.0.1", "API-Token angelegt")
	page.lacks(secret)
	if got := r.logged.String(); strings.Contains(got, secret) {
		t.Error("the log holds the secret")
	}
}

func TestATokenIsWithdrawnOnAPageOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	secret, id := r.token("nora", person.DomainVerbs())
	_, other := r.token("nora", []person.Verb{person.ReadOrders})
	nora, rita := r.as("nora"), r.as("rita")
	path := fmt.Sprintf("/tokens/%d", id)
	nora.get(path+"/withdraw").status(http.StatusOK).has("„Abgleich“ zurückziehen?", "ab sofort abgewiesen")
	if _, _, err := r.People.ByToken(t.Context(), secret, loopback); err != nil {
		t.Errorf("only asked: got %v, want it valid still", err)
	}
	nora.post(path + "/withdraw").status(http.StatusSeeOther)
	nora.get(path).has("zurückgezogen").lacks(path + "/withdraw")
	if _, _, err := r.People.ByToken(t.Context(), secret, loopback); err == nil {
		t.Error("the token is let in after it was withdrawn")
	}
	rita.get("/office/tokens").status(http.StatusOK).has("Abgleich", "Nora Netz")
	rita.get("/office/tokens?q=nora+abgl").has("Nora Netz")
	rita.get("/office/tokens?q=sven").has("Keine API-Tokens gefunden")
	rita.post(fmt.Sprintf("/tokens/%d/withdraw", other)).status(http.StatusSeeOther)
	rita.get(fmt.Sprintf("/tokens/%d", other)).has("Nora Netz", "Universität Probe")
	nora.get(fmt.Sprintf("/tokens/%d", other)).has("von Rita Amt")
	rita.get("/office/audit?action=token.").has("API-Token zurückgezogen", "API-Token "+fmt.Sprint(other))
	rita.get("/office").has("Wer welche Programme")
}

func TestAWrongTokenFormComesBackFilledIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	a := nora.post("/tokens", "form", "x", "name", "Versuch", "organisations", fmt.Sprint(r.organisation), "ends", "1.1.2020", "networks", "überall").status(http.StatusUnprocessableEntity)
	a.has("Versuch", "Erlauben Sie wenigstens eines", "liegt in der Vergangenheit", "„überall“ ist kein Netz", `value="x"`)
	nora.post("/tokens", r.tokenForm("domains", "3")...).status(http.StatusUnprocessableEntity).has("Eine der Domains betreuen Sie nicht")
	latest := person.LatestEnd(r.clock.Now())
	nora.post("/tokens", "form", "y", "name", "Ein Jahr", "domains", "1", "domain_verbs", "addresses.read", "ends", latest.Format(time.DateOnly)).status(http.StatusOK)
	nora.post("/tokens", "form", "z", "name", "Zu lang", "domains", "1", "domain_verbs", "addresses.read", "ends", latest.AddDate(0, 0, 2).Format(time.DateOnly)).
		status(http.StatusUnprocessableEntity).has("höchstens ein Jahr")
	r.as("niko").get("/").lacks(`href="/tokens"`)
	nora.get("/").has(`href="/tokens"`)
}

func TestHistoryNamesTheTokenThatActed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	secret, _ := r.token("nora", person.DomainVerbs())
	by, _, err := r.People.ByToken(t.Context(), secret, loopback)
	must(0, err)
	row, path := r.add("netz")
	must(0, r.Mailbox.Deactivate(t.Context(), by, "uni.example", row))
	r.as("nora").get(path).has("Nora Netz über API-Token „Abgleich“")
	lines := must(audit.About(t.Context(), r.DB, row.Thing(), 0, 1))
	if len(lines) != 1 || lines[0].Token == nil || lines[0].Origin == nil || lines[0].Origin.String() != "127.0.0.1" {
		t.Errorf("got %+v, want the token and where it came from", lines)
	}
}

func TestASleepingTokenSaysSo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, id := r.token("nora", person.DomainVerbs())
	path := fmt.Sprintf("/tokens/%d", id)
	r.clock.Advance(31 * 24 * time.Hour)
	rita := r.as("rita")
	rita.get(path).has("Dieses Token schläft", "Nora Netz hat sich lange nicht angemeldet")
	rita.get("/office/tokens?" + url.Values{"q": {"abgleich"}}.Encode()).has("schläft")
	r.as("nora").get(path).lacks("schläft")
	rita.get(path).lacks("schläft")
}
