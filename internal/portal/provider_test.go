package portal_test

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/idp"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheProvidersSettingsAreRefusedInWords(t *testing.T) {
	t.Parallel()
	const tenant = "https://login.microsoftonline.com/0f4b5d6c-1111-2222-3333-444455556666/v2.0"
	for name, c := range map[string]struct {
		issuer  string
		domains []string
		want    string
	}{
		"one's own domains":             {"https://idp.example", []string{"uni.example", "xn--mnster-3ya.example"}, ""},
		"a domain in capitals":          {"https://idp.example", []string{"Uni.example"}, `PETSCHAFT_OIDC_EMAIL_DOMAINS holds "Uni.example", want it in the form in which it is registered: uni.example`},
		"a domain in letters":           {"https://idp.example", []string{"münster.example"}, "xn--mnster-3ya.example"},
		"an address":                    {"https://idp.example", []string{"ada@uni.example"}, `holds "ada@uni.example", want e-mail domains like uni.example`},
		"all below a domain":            {"https://idp.example", []string{"*.uni.example"}, "want e-mail domains like"},
		"a public suffix":               {"https://idp.example", []string{"de"}, "want e-mail domains like"},
		"nothing between commas":        {"https://idp.example", []string{"uni.example", ""}, "want e-mail domains like"},
		"a tenant":                      {tenant, []string{"uni.example"}, ""},
		"all tenants":                   {"https://login.microsoftonline.com/common/v2.0", nil, "PETSCHAFT_OIDC_ISSUER must name one tenant of Entra ID"},
		"all organisations":             {"https://login.microsoftonline.com/organizations/v2.0", nil, "must name one tenant"},
		"personal accounts":             {"https://login.microsoftonline.com/consumers/v2.0", nil, "must name one tenant"},
		"a tenant by its domain":        {"https://login.microsoftonline.com/uni.example/v2.0", nil, "must name one tenant"},
		"personal accounts' own tenant": {"https://login.microsoftonline.com/9188040D-6c67-4c5b-b112-36a304b66dad/v2.0", []string{"uni.example"}, "PETSCHAFT_OIDC_EMAIL_DOMAINS must be empty"},
		"the same without a switch":     {"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", nil, ""},
	} {
		k := good()
		k.OIDCIssuer, k.OIDCEmailDomains = c.issuer, c.domains
		err := k.Check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestTheOperatorVouchesForExactlyTheirDomains(t *testing.T) {
	t.Parallel()
	k := good()
	k.OIDCEmailDomains = []string{"uni.example", "xn--mnster-3ya.example"}
	for address, want := range map[string]bool{
		"ada@uni.example": true, "Ada@UNI.Example": true, "ada@münster.example": true, "ada@xn--mnster-3ya.example": true,
		"ada@institut.uni.example": false, "ada@evil-uni.example": false, "ada@uni.example.evil.example": false, "ada@uni.example@evil.example": false,
		"ada": false, "@uni.example": false, "": false, "ada@\u00adUni.example": false, "ad\u200ba@uni.example": false,
	} {
		if got := portal.Vouches(k, address); got != want {
			t.Errorf("%+q: got %t, want %t", address, got, want)
		}
	}
}

func TestUnknownSettingsAreNamedWithTheNearest(t *testing.T) {
	t.Parallel()
	log := &strings.Builder{}
	c := onDatabase(pgtest.URL(t))
	c.OIDCEmailDomains = []string{"uni.example"}
	p := trial.Must(portal.Open(t.Context(), c, slog.New(slog.NewTextHandler(log, nil)), trial.Today))
	defer p.Close()
	p.Warn([]string{"PETSCHAFT_OIDC_ISSUER=x", "PETSCHAFT_LISTEN=", "PATH=/bin", "PETSCHAFT_OIDC_ISUER=https://secret.example", "PETSCHAFT_SMPT_URL=y", "PETSCHAFT_COLOUR=red", "PETSCHAFT_DATABASE_URL=z"})
	for _, want := range []string{
		`level=WARN msg="there is no setting of this name" name=PETSCHAFT_OIDC_ISUER nearest=PETSCHAFT_OIDC_ISSUER`,
		"name=PETSCHAFT_SMPT_URL nearest=PETSCHAFT_SMTP_URL", "name=PETSCHAFT_DATABASE_URL nearest=DATABASE_URL", `name=PETSCHAFT_COLOUR nearest=""`,
		"level=WARN msg=\"there is no authority", "PETSCHAFT_RA_GROUP", "domains=[uni.example]",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is missing in:\n%s", want, log)
		}
	}
	for _, never := range []string{"name=PETSCHAFT_LISTEN", "name=PATH", "secret.example"} {
		if strings.Contains(log.String(), never) {
			t.Errorf("%s stands in:\n%s", never, log)
		}
	}
}

// TestEverySettingIsPrinted: `petschaft config` shows what is in force, so a new
// setting must not be forgotten there.
func TestEverySettingIsPrinted(t *testing.T) {
	t.Parallel()
	var printed []string
	for _, l := range good().Lines() {
		name, _, _ := strings.Cut(l, "=")
		printed = append(printed, name)
	}
	for _, name := range portal.Names() {
		if !slices.Contains(printed, name) {
			t.Errorf("%s is not printed", name)
		}
	}
}

// TestOperatorsHearThatNobodyCanSignIn: at start, and when people try.
func TestOperatorsHearThatNobodyCanSignIn(t *testing.T) {
	t.Parallel()
	metrics := freeAddress(t)
	r := sitetest.New(t, func(c *portal.Config) { c.Metrics = metrics })
	portal.TryProvider(t.Context(), r.Portal)
	if log := r.Logged.String(); strings.Contains(log, "nobody can sign in") {
		t.Errorf("got a warning about a provider that takes the portal:\n%s", log)
	}
	b := r.Anonymous()
	at := strings.Replace(b.Get("/signin?next=/").Is(http.StatusSeeOther).To(), "/authorize?", "/login?", 1)
	r.IDP.SetClient(idp.Client{ID: "portal", Secret: "neu", RedirectURIs: []string{r.Base + "/signin/callback"}})
	portal.TryProvider(t.Context(), r.Portal)
	if log := r.Logged.String(); !strings.Contains(log, `level=WARN msg="nobody can sign in: the provider does not take PETSCHAFT_OIDC_CLIENT_ID or PETSCHAFT_OIDC_CLIENT_SECRET"`) || !strings.Contains(log, "invalid_client") {
		t.Errorf("want a warning with the cause in:\n%s", log)
	}
	back := b.Send(trial.Must(http.NewRequest(http.MethodPost, at, strings.NewReader("person=ada")))).To()
	b.Get(back).Is(http.StatusServiceUnavailable).Has("nimmt das Portal zurzeit nicht an", "Fehlernummer").Lacks("in einigen Minuten")
	if log := r.Logged.String(); !strings.Contains(log, `level=WARN msg="sign-in failed" logger=security kind=signin`) || !strings.Contains(log, `why=client reference=`) || !strings.Contains(log, `cause="the provider does not take`) || strings.Count(log, "signin.") != 1 { // the fault's id, and in no words
		t.Errorf("want a warning with a reference in:\n%s", log)
	}
	b.Get("/signin/callback?state=x&code=y").Is(http.StatusConflict).Has("Fehlernummer")
	if log := r.Logged.String(); !strings.Contains(log, `fault=signin.stale why=stale reference=`) {
		t.Errorf("want a warning with a reference in:\n%s", log)
	}
	stop := trial.Must(portal.ServeMetrics(r.Portal))
	defer stop()
	resp := trial.Must(http.Get("http://" + metrics + "/metrics"))
	defer resp.Body.Close()
	body := string(trial.Must(io.ReadAll(resp.Body)))
	for _, want := range []string{`petschaft_signins_failed_total{why="client"} 1`, `petschaft_signins_failed_total{why="stale"} 1`, `petschaft_refused_total{kind="signin"} 2`, `petschaft_refused_total{kind="cross_origin"} 0`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in the metrics", want)
		}
	}
}
