package servers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/earlier"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// imported is a certificate of nora's organisation from before the portal.
func imported(r *sitetest.Rig, days int, names ...string) string {
	r.T.Helper()
	file := earlier.File{Name: "alt.pem", Content: r.NewElsewhere().Server(days, "Universität Probe", names...)}
	plan := trial.Must(r.Earlier.Upload(r.T.Context(), r.Actors["rita"], []earlier.File{file}, nil))
	r.As("rita").Post(fmt.Sprintf("/office/earlier/%d/apply", plan)).Is(http.StatusSeeOther)
	return trial.Must(r.Cert.Servers(r.T.Context(), r.Actors["nora"], cert.ServerView{Which: cert.All, Text: names[0]})).Certificates[0].Reference
}

// TestWhatEndsIsToldUntilSomethingFollows: what has ended and may still be renewed,
// then what ends tomorrow and comes from elsewhere; each with its step.
func TestWhatEndsIsToldUntilSomethingFollows(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.As("nora").Get("/").Has("Alles erledigt")
	over := r.Served(r.Organisation, sitetest.ECKey().Public(), 6, "vorbei.uni.example")
	r.Clock.Advance(10 * 24 * time.Hour)
	old := imported(r, 1, "alt.uni.example", "neben.uni.example")
	like, nora := "/orders/new?like="+old, r.As("nora")
	page := nora.Get("/").Has("Das Serverzertifikat für alt.uni.example endet morgen", like, "für vorbei.uni.example ist vor 4 Tagen abgelaufen", "/certificates/"+over+"/renew").Lacks("Alles erledigt")
	if strings.Index(page.Content, "vorbei.uni.example") > strings.Index(page.Content, "alt.uni.example") {
		t.Error("what ends tomorrow stands before what has ended")
	}
	nora.Get("/certificates").Has(over, "/certificates/"+over+"/renew", old, like)
	nora.Get("/certificates?q=vorbei").Has(over)
	nora.Get("/certificates?which=ending").Has(over, old)
	nora.Get(like).Is(http.StatusOK).Has("von "+old+" übernommen", "alt.uni.example\nneben.uni.example", fmt.Sprintf(`name="organisation" value="%d"`, r.Organisation))
	r.As("sven").Get(like).Is(http.StatusNotFound)
	r.As("rita").Get("/certificates/" + old).Lacks(like)

	order := r.Ordered("alt.uni.example", "neben.uni.example")
	nora.Get("/").Has("vorbei.uni.example", "Ein Auftrag ist eingereicht").Lacks("alt.uni.example")
	nora.Get("/certificates").Has("Neu bestellt", "/orders/"+order).Lacks(like)
	trial.Must(0, r.Order.Withdraw(t.Context(), r.Actors["nora"], order))
	nora.Get("/").Has("alt.uni.example endet morgen").Lacks("Ein Auftrag ist eingereicht")
	next := r.Fulfilled("alt.uni.example", "neben.uni.example")
	nora.Get("/").Lacks("alt.uni.example")
	nora.Get("/certificates/"+old).Has("Neues Zertifikat", "/certificates/"+next)

	r.Clock.Advance(26 * 24 * time.Hour)
	trial.Must(0, r.Cert.TurnPhases(t.Context()))
	nora = r.As("nora")
	nora.Get("/").Lacks("vorbei.uni.example")
	nora.Get("/certificates").Lacks(over, old)
}

// TestAnEarlierCertificateOffersOnlyWhatIsPossible here: another like it, and a note
// that it was revoked where it comes from.
func TestAnEarlierCertificateOffersOnlyWhatIsPossible(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	old := imported(r, 90, "alt.uni.example")
	nora, path := r.As("nora"), "/certificates/"+old
	nora.Get(path).Has("Neu bestellen wie dieses", "Widerruf vermerken", "den Widerruf können Sie hier vermerken").Lacks("Zertifikat widerrufen", "/renew\"", `href="`+path+`">`+old, "Mit Kette herunterladen", "ssl_certificate") // nothing above it came along
	nora.Get(path + "/revoke").Is(http.StatusOK).Has("Widerruf vermerken?").Lacks("Zertifikat widerrufen?")
	nora.Post(path+"/revoke", "reason", "4").Is(http.StatusSeeOther)
	nora.Get(path).Has("Neu bestellen wie dieses").Lacks("Widerruf vermerken", "Mit Kette herunterladen")
}

// TestWhatNoServerShouldUseIsNotPushed: of a revoked, replaced or expired certificate
// the files stand further down, without lines to install them.
func TestWhatNoServerShouldUseIsNotPushed(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	s := r.Shelve()
	nora := r.As("nora")
	for _, reference := range []string{s.Revoked, s.Replaced, s.Expired} {
		nora.Get("/certificates/"+reference).Has("x509chain.pem").Lacks("Mit Kette herunterladen", "ssl_certificate")
	}
	for _, reference := range []string{s.Valid, s.Soon, s.Renewing, s.Next} {
		nora.Get("/certificates/"+reference).Has("Mit Kette herunterladen", "ssl_certificate")
	}
	nora.Get("/certificates/" + s.Revoked).Has("/orders/new?like=" + s.Revoked)
}

// TestTheBarOfALifeShowsWhatItsWordsSay: what is left.
func TestTheBarOfALifeShowsWhatItsWordsSay(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	fresh := r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "neu.uni.example")
	r.As("nora").Get("/certificates/"+fresh).Has("noch 90 von 90 Tagen", `value="90" max="90"`)
	r.Clock.Advance(80 * 24 * time.Hour)
	r.As("nora").Get("/certificates/"+fresh).Has("noch 10 von 90 Tagen", `value="10" max="90"`)
	r.Clock.Advance(13 * time.Hour) // late on the same day, as "in 10 Tagen" has it
	r.As("nora").Get("/certificates/"+fresh).Has("noch 10 von 90 Tagen", "in 10 Tagen")
}
