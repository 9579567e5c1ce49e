package site_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/person"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// token makes one as somebody for what nora looks after first: uni.example and
// her organisation, each where a verb is about it; or for another domain.
func token(r *sitetest.Rig, who string, verbs []person.Verb, domain ...string) (secret string, id person.TokenID) {
	r.T.Helper()
	in := person.TokenInput{Form: rand.Text(), Name: "Abgleich", Verbs: verbs, Ends: r.Clock.Now().AddDate(0, 6, 0)}
	for _, v := range verbs {
		if strings.HasPrefix(string(v), "orders.") || strings.HasPrefix(string(v), "certificates.") {
			in.Organisations = []int64{int64(r.Organisation)}
		} else {
			in.Domains = []int64{int64(trial.Must(r.Org.Domain(r.T.Context(), r.Actors[who], append(domain, "uni.example")[0])).ID)}
		}
	}
	secret, id, err := r.Org.MakeToken(r.T.Context(), r.Actors[who], in)
	trial.Must(0, err)
	return secret, id
}

// tokenForm is what nora sends, name and value in turn.
func tokenForm(r *sitetest.Rig, more ...string) []string {
	day := r.Clock.Now().AddDate(0, 0, 100).Format(time.DateOnly)
	return append([]string{"form", "einmal", "name", "Nachtabgleich", "domains", "1", "domain_verbs", "addresses.read", "ends", day}, more...)
}

var loopback = netip.MustParseAddr("127.0.0.1")

var secretText = regexp.MustCompile(`pts_[0-9A-Za-z]{49}`)

func TestASecretIsShownOnce(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	nora.Get("/tokens").Is(http.StatusOK).Has("Noch keine API-Tokens", "API-Token anlegen")
	nora.Get("/tokens/new").Is(http.StatusOK).Has("uni.example", "Universität Probe", "Serverzertifikate widerrufen", "type=\"date\"")
	made := nora.Post("/tokens", tokenForm(r, "networks", "127.0.0.1, 2001:db8::/48")...).Is(http.StatusOK)
	made.Has("nur dieses eine Mal", "Nachtabgleich", r.Base+"/api/v1/email-domains")
	if got := made.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want the page with the secret stored nowhere", got)
	}
	secret := secretText.FindString(made.Content)
	if !person.LooksLikeToken(secret) {
		t.Fatalf("the page shows no secret:\n%s", made.Excerpt())
	}
	if line := made.Code("token-try"); line != "curl -H @petschaft.header "+r.Base+"/api/v1/email-domains" {
		t.Errorf("got the first call %q, want one that names a file, for everybody sees what a program is called with", line)
	}
	dir := t.TempDir()
	keep := exec.CommandContext(t.Context(), "sh", "-c", "umask 022; "+made.Code("token-keep"))
	keep.Dir, keep.Stdin = dir, strings.NewReader(secret+"\n")
	trial.Must(0, keep.Run())
	header := filepath.Join(dir, "petschaft.header")
	if got := string(trial.Must(os.ReadFile(header))); got != "Authorization: Bearer "+secret+"\n" || trial.Must(os.Stat(header)).Mode().Perm() != 0o600 {
		t.Errorf("got %q, mode %v; want the header for nobody else", got, trial.Must(os.Stat(header)).Mode())
	}
	nora.Post("/tokens", tokenForm(r)...).Is(http.StatusSeeOther)
	list := nora.Get("/tokens").Has("kein zweites Mal", "Nachtabgleich", "noch nie", "gültig")
	list.Lacks(secret)
	_, _, err := r.People.ByToken(t.Context(), secret, loopback)
	trial.Must(0, err)
	page := nora.Get("/tokens/1").Is(http.StatusOK).Has("Adressen lesen", "uni.example", "127.0.0.1/32", "2001:db8::/48", "von 127.0.0.1", "API-Token angelegt")
	page.Lacks(secret)
	if got := r.Logged.String(); strings.Contains(got, secret) {
		t.Error("the log holds the secret")
	}
}

func TestATokenIsWithdrawnOnAPageOfItsOwn(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	secret, id := token(r, "nora", person.DomainVerbs())
	_, other := token(r, "nora", []person.Verb{person.ReadOrders})
	nora, rita := r.As("nora"), r.As("rita")
	path := fmt.Sprintf("/tokens/%d", id)
	nora.Get(path+"/withdraw").Is(http.StatusOK).Has("„Abgleich“ zurückziehen?", "ab sofort abgewiesen")
	if _, _, err := r.People.ByToken(t.Context(), secret, loopback); err != nil {
		t.Errorf("only asked: got %v, want it valid still", err)
	}
	nora.Post(path + "/withdraw").Is(http.StatusSeeOther)
	nora.Get(path).Has("zurückgezogen").Lacks(path + "/withdraw")
	if _, _, err := r.People.ByToken(t.Context(), secret, loopback); err == nil {
		t.Error("the token is let in after it was withdrawn")
	}
	rita.Get("/office/tokens").Is(http.StatusOK).Has("Abgleich", "Nora Netz")
	rita.Get("/office/tokens?q=nora+abgl").Has("Nora Netz")
	rita.Get("/office/tokens?q=sven").Has("Keine API-Tokens gefunden")
	rita.Post(fmt.Sprintf("/tokens/%d/withdraw", other)).Is(http.StatusSeeOther)
	rita.Get(fmt.Sprintf("/tokens/%d", other)).Has("Nora Netz", "Universität Probe")
	nora.Get(fmt.Sprintf("/tokens/%d", other)).Has("von Rita Amt")
	rita.Get("/office/audit?action=token.").Has("API-Token zurückgezogen", "API-Token "+fmt.Sprint(other))
	for _, nobody := range []string{"zzz:q", "token:99999999999999999999", "token", ":"} { // about what is not there are no lines
		rita.Get("/office/audit?action=token.&about=" + nobody).Is(http.StatusOK).Lacks("API-Token " + fmt.Sprint(other))
	}
	rita.Get("/office").Has("Wer welche Programme")
}

func TestAWrongTokenFormComesBackFilledIn(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	a := nora.Post("/tokens", "form", "x", "name", "Versuch", "organisations", fmt.Sprint(r.Organisation), "ends", "1.1.2020", "networks", "überall").Is(http.StatusUnprocessableEntity)
	a.Has("Versuch", "Erlauben Sie wenigstens eines", "liegt in der Vergangenheit", "„überall“ ist kein Netz", `value="x"`)
	nora.Post("/tokens", tokenForm(r, "domains", "3")...).Is(http.StatusUnprocessableEntity).Has("Eine der Domains betreuen Sie nicht")
	latest := person.LatestEnd(r.Clock.Now())
	nora.Post("/tokens", "form", "y", "name", "Ein Jahr", "domains", "1", "domain_verbs", "addresses.read", "ends", latest.Format(time.DateOnly)).Is(http.StatusOK)
	nora.Post("/tokens", "form", "z", "name", "Zu lang", "domains", "1", "domain_verbs", "addresses.read", "ends", latest.AddDate(0, 0, 2).Format(time.DateOnly)).
		Is(http.StatusUnprocessableEntity).Has("höchstens ein Jahr")
	r.As("niko").Get("/").Lacks(`href="/tokens"`)
	nora.Get("/").Has(`href="/tokens"`)
}

func TestHistoryNamesTheTokenThatActed(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	secret, _ := token(r, "nora", person.DomainVerbs())
	by, _, err := r.People.ByToken(t.Context(), secret, loopback)
	trial.Must(0, err)
	row, path := r.Add("netz")
	trial.Must(0, r.Mailbox.Deactivate(t.Context(), by, "uni.example", row))
	r.As("nora").Get(path).Has("Nora Netz über API-Token „Abgleich“")
	lines := trial.Must(audit.About(t.Context(), r.DB, row.Thing(), 0, 1))
	if len(lines) != 1 || lines[0].Token == nil || lines[0].Origin == nil || lines[0].Origin.String() != "127.0.0.1" {
		t.Errorf("got %+v, want the token and where it came from", lines)
	}
}

func TestASleepingTokenSaysSo(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, id := token(r, "nora", person.DomainVerbs())
	path := fmt.Sprintf("/tokens/%d", id)
	r.Clock.Advance(31 * 24 * time.Hour)
	rita := r.As("rita")
	rita.Get(path).Has("Dieses Token schläft", "Nora Netz hat sich lange nicht im Portal angemeldet")
	rita.Get("/office/tokens?" + url.Values{"q": {"abgleich"}}.Encode()).Has("schläft")
	r.As("nora").Get(path).Lacks("schläft")
	rita.Get(path).Lacks("schläft")
}
