package site_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/idp"
	"petschaft/internal/portal"
	"petschaft/internal/site"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// outsideSteps are sent by whoever is not signed in, or to end it.
var outsideSteps = []string{"/language", "/signin", "/signin/backchannel-logout", "/signout", "/pki/ocsp/{authority}"}

// TestEveryStepSaysWhatSignInItWants: who adds a route has to choose.
func TestEveryStepSaysWhatSignInItWants(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	var there []string
	trial.Must(0, chi.Walk(r.Handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route := strings.TrimSuffix(pattern, "/")
		if method != http.MethodPost || slices.Contains(unlisted, pattern) || slices.Contains(outsideSteps, route) {
			return nil
		}
		there = append(there, route)
		if _, ok := site.StepAt(route); !ok {
			t.Errorf("POST %s is missing in the table of steps (fresh.go): say what sign-in it wants", route)
		}
		return nil
	}))
	for _, route := range site.Steps() {
		if !slices.Contains(there, strings.TrimPrefix(route, "POST ")) {
			t.Errorf("the table of steps speaks of %s, which is no route", route)
		}
	}
}

// TestWhatLimitsDamageWaitsForNoSignIn: and what is costly does.
func TestWhatLimitsDamageWaitsForNoSignIn(t *testing.T) {
	t.Parallel()
	for route, want := range map[string]site.Step{
		"/client-certificates/{certificate}/revoke": site.Urgent, "/certificates/{reference}/revoke": site.Urgent, "/report/key/proof": site.Urgent,
		"/tokens/{number}/withdraw": site.Urgent, "/office/people/{account}/lock": site.Urgent,
		"/office/orders/{reference}/approve": site.Freshly, "/email-domains/{domain}/rows/{row}/revoke": site.Freshly, "/office/keys/{key}": site.Freshly,
		"/organisations/handovers": site.Freshly, "/handovers/{handover}/finish": site.Freshly, "/office/groups/{id}/members": site.Freshly, "/tokens": site.Freshly,
		"/office/domains/{id}": site.Freshly, "/office/products/{product}/authority": site.Freshly,
	} {
		if got, _ := site.StepAt(route); got != want {
			t.Errorf("%s: got %q, want %q", route, got, want)
		}
	}
}

// leftAlone is a browser in which sub signed in a while ago.
func leftAlone(r *sitetest.Rig, sub string) *sitetest.Browser {
	r.T.Helper()
	b := r.As(sub)
	r.Clock.Advance(20 * time.Minute)
	return b
}

// wantsSignIn fails unless the portal asks for a fresh sign-in instead of doing what was
// sent, and returns where that begins.
func wantsSignIn(a sitetest.Answer) (page sitetest.Answer, signIn string) {
	a.Browser.Rig.T.Helper()
	if to := a.Is(http.StatusSeeOther).To(); !strings.HasPrefix(to, "/fresh?next=") {
		a.Browser.Rig.T.Fatalf("%s: got led to %s, want to a fresh sign-in", a.Request.URL, to)
	}
	page = a.Follow().Is(http.StatusOK).Has("Bitte melden Sie sich noch einmal an", "noch nichts")
	_, rest, _ := strings.Cut(page.Text(), `href="/signin?again=fresh`)
	rest, _, _ = strings.Cut(rest, `"`)
	return page, "/signin?again=fresh" + rest
}

func TestAnOfficersSettingOfAnUnattendedSessionWaitsForThePerson(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := leftAlone(r, "rita")
	group := fmt.Sprintf("/office/groups/%d", r.Group)
	page, signIn := wantsSignIn(rita.Post(group, "name", "Getippt"))
	page.Has("Rita Amt", "steht nach der Anmeldung wieder im Formular")
	if n := r.Count(`select count(*) from contact_group where name = 'Getippt'`); n != 0 {
		t.Error("the step was carried out all the same")
	}
	rita.Get(group).Is(http.StatusOK).Lacks("Getippt") // reading wants nothing
	again := rita.Get(rita.SignIn(rita.Get(signIn).To(), "rita")).Is(http.StatusOK).Has(`value="Getippt"`, "Ihre Eingaben sind wieder da")
	all := formsOn(again.Content)
	back := all[slices.IndexFunc(all, func(f form) bool { return f.action == group })].values
	send := []string{}
	for name := range back {
		send = append(send, name, back.Get(name))
	}
	rita.Post(group, send...).Is(http.StatusSeeOther)
	if n := r.Count(`select count(*) from contact_group where name = 'Getippt'`); n != 1 {
		t.Error("what came back could not be sent as it was")
	}
	rita.Get(page.Request.URL.String()).Is(http.StatusSeeOther) // the way back: it is fresh now
}

// TestUnattendedSessionsDoNothingCostly: each by name, so that a class that is changed
// fails here.
func TestUnattendedSessionsDoNothingCostly(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("ada.adler")
	nora, rita := r.As("nora"), r.As("rita")
	r.Clock.Advance(20 * time.Minute)
	before := r.Count(`select count(*) from audit_line`)
	for _, x := range []struct {
		b    *sitetest.Browser
		path string
		form []string
	}{
		{nora, "/tokens", []string{"form", "eins", "name", "Dieb"}},
		{nora, "/organisations/handovers", []string{"row", fmt.Sprint(r.Organisation), "email", "sven.fremd@uni.example"}},
		{nora, "/handovers/1/finish", []string{"email", "x"}},
		{nora, row + "/revoke", []string{"reason", "1"}},
		{rita, "/office/orders/R-1/approve", []string{"version", "1"}},
		{rita, "/office/keys/" + strings.Repeat("0a", 32), []string{"note", "x"}},
		{rita, fmt.Sprintf("/office/groups/%d/members", r.Group), []string{"who", "niko"}},
		{rita, fmt.Sprintf("/office/groups/%d/members/%d/remove", r.Group, r.Actors["nora"].Account), nil},
		{rita, fmt.Sprintf("/office/organisations/%d/contact", r.Organisation), []string{"who", "niko"}},
		{rita, fmt.Sprintf("/office/people/%d/unlock", r.Actors["niko"].Account), nil},
		{rita, "/office/domains", []string{"name", "neu.example"}},
		{rita, "/office/products/tls-single/authority", []string{"authority", ""}},
		{rita, "/email-domains/uni.example/join", nil},
	} {
		wantsSignIn(x.b.Post(x.path, x.form...))
	}
	if n := r.Count(`select count(*) from audit_line`); n != before {
		t.Errorf("got %d lines of what was done", n-before)
	}
}

// TestUnattendedSessionsLimitDamage: nobody signs in first for it.
func TestUnattendedSessionsLimitDamage(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := leftAlone(r, "rita")
	rita.Post(fmt.Sprintf("/office/people/%d/lock", r.Actors["niko"].Account), "why", "Test").Is(http.StatusSeeOther)
	if n := r.Count(`select count(*) from account where locked is not null`); n != 1 {
		t.Errorf("got %d locked accounts, want 1", n)
	}
	nora := r.As("nora")
	nora.Post("/tokens", "form", "x", "name", "Test", "domains", "1", "domain_verbs", "addresses.read", "ends", r.Clock.Now().AddDate(0, 1, 0).Format(time.DateOnly)).Is(http.StatusOK)
	r.Clock.Advance(20 * time.Minute)
	nora.Post("/tokens/1/withdraw").Is(http.StatusSeeOther)
	if n := r.Count(`select count(*) from token where withdrawn is not null`); n != 1 {
		t.Errorf("got %d withdrawn tokens, want 1", n)
	}
	nora.Post("/sessions/end-others").Is(http.StatusSeeOther).Follow().Lacks("noch einmal an")
}

func TestSomebodyElsesSignInDoesNotMakeAStepFresh(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := leftAlone(r, "rita")
	_, signIn := wantsSignIn(rita.Post("/office/groups", "name", "Geheim"))
	at := strings.Replace(rita.Get(signIn).To(), "/authorize?", "/login?", 1)
	back := rita.Send(trial.Must(http.NewRequest(http.MethodPost, at, strings.NewReader("person=rolf")))).To()
	rita.Get(back).Is(http.StatusForbidden).Has("ein anderes Konto", "Rita Amt", "Zurück ohne Anmeldung").Lacks("Geheim")
	rita.Get("/").Has("Rita Amt")
	wantsSignIn(rita.Post("/office/groups", "name", "Geheim"))

	kept, _ := url.Parse(signIn)
	rolf := r.As("rolf") // who was sent the address
	rolf.Get(kept.Query().Get("next")).Is(http.StatusNotFound).Lacks("Geheim")
}

// TestAProviderThatDoesNotSayWhenStopsTheStep: in words that name the setting, with a
// line and a count.
func TestAProviderThatDoesNotSayWhenStopsTheStep(t *testing.T) {
	t.Parallel()
	r := &refusals{Rig: sitetest.New(t)}
	r.IDP.Misbehave(idp.NoAuthTime)
	rita := r.As("rita")
	page, signIn := wantsSignIn(rita.Post("/office/groups", "name", "Getippt"))
	login := func(at string) sitetest.Answer {
		at = strings.Replace(at, "/authorize?", "/login?", 1)
		return rita.Get(rita.Send(trial.Must(http.NewRequest(http.MethodPost, at, strings.NewReader("person=rita")))).To())
	}
	again := login(rita.Get(signIn).To()).Is(http.StatusSeeOther).To()
	if !strings.Contains(again, "prompt=login") {
		t.Fatalf("got led to %s, want to the provider once more", again)
	}
	r.lines()
	no := login(again).Is(http.StatusForbidden).Has("PETSCHAFT_FRESH", "auth_time", "Der Anmeldedienst bestätigt nicht")
	all := r.lines()
	if len(all) != 1 || !strings.Contains(all[0], "kind=step_up") || !strings.Contains(all[0], "why=fresh") || !strings.Contains(all[0], "PETSCHAFT_FRESH") {
		t.Errorf("got lines\n%s", strings.Join(all, "\n"))
	}
	if m := reference.FindStringSubmatch(strings.Join(all, "")); m == nil {
		t.Error("the line has no reference")
	} else {
		no.Has(m[1])
	}
	kept, _ := url.Parse(page.Request.URL.String())
	rita.Get(kept.Query().Get("next")).Is(http.StatusOK).Has(`value="Getippt"`)
}

func TestNoFreshSignInIsAskedWhereItIsOff(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t, func(c *portal.Config) { c.Fresh = "off" })
	r.IDP.Misbehave(idp.NoAuthTime)
	rita := leftAlone(r, "rita")
	rita.Post("/office/groups", "name", "Neu").Is(http.StatusSeeOther)
	if n := r.Count(`select count(*) from contact_group where name = 'Neu'`); n != 1 {
		t.Error("the step was not carried out")
	}
	r.Warn(nil)
	if !strings.Contains(r.Logged.String(), "PETSCHAFT_FRESH is off") {
		t.Error("the log does not say that it is off")
	}
}

// TestAFormWithAPasswordIsNotKept: its page says so, and leads back to the form.
func TestAFormWithAPasswordIsNotKept(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	niko := leftAlone(r, "niko")
	req := trial.Must(http.NewRequest(http.MethodPost, r.At("/handovers/7/finish"), strings.NewReader("password=geheim")))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Referer", r.At("/handovers/7"))
	page, signIn := wantsSignIn(niko.Send(req))
	page.Has("das das Portal nicht aufbewahrt")
	if !strings.HasSuffix(signIn, url.QueryEscape("/handovers/7")) {
		t.Errorf("got %s, want it to lead back to the page of the form", signIn)
	}
	if n := r.Count(`select count(*) from draft`); n != 0 {
		t.Errorf("got %d forms that were kept, want none", n)
	}
}

// strictly is a portal that asks officers for more, of whom only rita reaches it.
func strictly(t *testing.T) *refusals {
	r := &refusals{Rig: sitetest.New(t, func(c *portal.Config) { c.OIDCACR = []string{"mfa"} })}
	r.IDP.SetPerson(idp.Person{
		Sub: "rita", Username: "rita", Name: "Rita Amt", GivenName: "Rita", FamilyName: "Amt", Email: "rita.amt@uni.example", EmailVerified: true,
		Groups: []string{"ra"}, Reaches: []string{"mfa"},
	})
	return r
}

func TestAnOfficerWithoutTheSecondFactorIsAUser(t *testing.T) {
	t.Parallel()
	r := strictly(t)
	rita := r.As("rita")
	r.lines()
	rita.Get("/").Is(http.StatusOK).Has("Ihre Rechte dort ruhen", `href="/signin?again=strong&next=%2F"`).Lacks(`href="/office"`)
	rita.Get("/office/people").Is(http.StatusForbidden).Has("reicht dafür nicht", "Melden Sie sich mit dem Knopf oben", `/signin?again=strong&next=%2Foffice%2Fpeople`)
	r.one("an officers' page", "kind=step_up", "fault=signin.weak", "route=/office/people", fmt.Sprintf("account=%d", r.Actors["rita"].Account))
	rita.Post("/office/groups", "name", "Heimlich").Is(http.StatusForbidden)
	rita.Get("/email-domains/uni.example").Is(http.StatusNotFound) // which officers read
	if n := r.Count(`select count(*) from contact_group where name = 'Heimlich'`); n != 0 {
		t.Error("the step was carried out")
	}
	rita.SignIn(rita.Get("/signin?again=strong&next=/office/people").To(), "rita")
	rita.Get("/office/people").Is(http.StatusOK).Lacks("Ihre Rechte dort ruhen")
	rita.Post("/office/groups", "name", "Offen").Is(http.StatusSeeOther)
	r.As("ada").Get("/").Is(http.StatusOK).Lacks("Ihre Rechte dort ruhen", "again=strong")
}

// TestAFormOfAnOfficerOutlivesAWeakSignIn: it comes back once the sign-in will do.
func TestAFormOfAnOfficerOutlivesAWeakSignIn(t *testing.T) {
	t.Parallel()
	r := strictly(t)
	rita := r.As("rita")
	refused := rita.Post("/office/groups", "name", "Getippt").Is(http.StatusForbidden)
	_, rest, _ := strings.Cut(refused.Text(), `href="/signin?again=strong`)
	rest, _, _ = strings.Cut(rest, `"`)
	back := rita.SignIn(rita.Get("/signin?again=strong"+rest).To(), "rita")
	rita.Get(back).Has(`value="Getippt"`, "Ihre Eingaben sind wieder da")
}

func TestAnOfficerWhoCannotReachItReadsWhatToSay(t *testing.T) {
	t.Parallel()
	r := strictly(t)
	rolf := r.As("rolf")
	login := func(at string) sitetest.Answer {
		at = strings.Replace(at, "/authorize?", "/login?", 1)
		return rolf.Get(rolf.Send(trial.Must(http.NewRequest(http.MethodPost, at, strings.NewReader("person=rolf")))).To())
	}
	again := login(rolf.Get("/signin?again=strong&next=/office").To()).To()
	r.lines()
	login(again).Is(http.StatusForbidden).Has("PETSCHAFT_OIDC_ACR")
	r.one("a sign-in that reached nothing", "kind=step_up", "why=acr", "PETSCHAFT_OIDC_ACR")
	rolf.Get("/office").Is(http.StatusForbidden)
	rolf.Get("/").Is(http.StatusOK).Has("Rolf Amt")
}

// TestNothingOfAnAddressIsFollowed: what leads to a sign-in leads nowhere else.
func TestNothingOfAnAddressIsFollowed(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example"} {
		if to := rita.Get("/fresh?next=" + url.QueryEscape(next)).Is(http.StatusSeeOther).To(); to != "/" {
			t.Errorf("%s: got led to %s", next, to)
		}
		if to := rita.SignIn(rita.Get("/signin?again=fresh&next="+url.QueryEscape(next)).To(), "rita"); to != "/" {
			t.Errorf("%s: got led to %s", next, to)
		}
	}
	r.Clock.Advance(20 * time.Minute)
	rita.Get("/fresh?next=" + url.QueryEscape("https://evil.example/")).Is(http.StatusOK).Has(`href="/signin?again=fresh&next=%2F"`)
}
