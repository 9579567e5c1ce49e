package site_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"petschaft/internal/cert"
	"petschaft/internal/earlier"
	"petschaft/internal/pki"
)

// TestEarlierCertificatesInABrowser goes the way from the files to what people
// see of them, in a browser; and looks at help and digest beside it.
func TestEarlierCertificatesInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	for _, page := range []string{"install", "keys", "signing"} {
		s.look("anonymous", "help-"+page, "/help/"+page, http.StatusOK)
	}
	s.look("nora", "digest", "/email-domains", http.StatusOK)
	s.page("nora").Press(s.say("digest.begin"))
	s.judge(s.page("nora"), "digest-begun", http.StatusOK)
	s.page("nora").Has(s.say("digest.begun"), s.say("digest.end"))
	s.takeOver()
	s.takenOver()
}

// takeOver is rita's part.
func (s *sight) takeOver() {
	s.t.Helper()
	s.linkRow("ada", "ada")
	e := s.elsewhere()
	mine := must(s.Earlier.Upload(s.t.Context(), s.actors["rita"], []earlier.File{{Name: "bekannt.pem", Content: e.server(-3, "Universität Probe", "vorbei.uni.example")}}, nil))
	must(s.Earlier.Apply(s.t.Context(), s.actors["rita"], mine, func() string { return "ALTE-KNOWN" }))
	var file []byte
	for _, c := range [][]byte{
		e.mail(20, "ada@uni.example"), e.mail(300, "franziska.theodora.oesterreicher-grosskopf@uni.example"), e.server(-3, "Irgendwer", "xn--frher-kva.uni.example", "www.uni.example"),
		e.server(90, "Institut für alte Geschichte", "geschichte.example"), e.server(9, "x", "geschichte-der-langen-namen.institut.example", "b.institut.example"), pki.PEM(e.ca.Raw),
		must(os.ReadFile("testdata/51-old-all.pem")),
	} {
		file = append(file, c...)
	}
	p := s.look("rita", "earlier", "/office/earlier", http.StatusOK)
	p.Fill(s.say("earlier.pasted"), "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----")
	p.Press(s.say("earlier.check"))
	s.judge(p, "earlier-refused", http.StatusUnprocessableEntity)
	p.Attach(s.say("earlier.files"), "alt.pem", file)
	p.Attach(s.say("earlier.owners"), "wem.csv", []byte("Adresse;Inhaber\nweg@uni.example;niemand\n"))
	p.Press(s.say("earlier.check"))
	s.judge(p, "earlier-plan", http.StatusOK)
	s.look("rita", "earlier-plan-none", p.URL()+"?show=known", http.StatusOK)
	p.Goto(p.URL()[:len(p.URL())-len("?show=known")])
	plan := p.URL()
	p.Goto(plan + "/lines/4")
	s.judge(p, "earlier-assign", http.StatusOK)
	p.Fill(s.say("server.organisation"), "Gibt es nicht")
	p.Press(s.say("earlier.assign_save"))
	s.judge(p, "earlier-assign-wrong", http.StatusUnprocessableEntity)
	s.look("rita", "earlier-assign-mail", plan+"/lines/2", http.StatusOK)
	p.Goto(plan)
	p.Press(s.say("earlier.apply", "n", 13))
	s.judge(p, "earlier-applied", http.StatusOK)
	s.look("rita", "earlier-list", "/office/earlier", http.StatusOK)
}

// takenOver is what the others see then.
func (s *sight) takenOver() {
	s.t.Helper()
	mine := must(s.Cert.Mine(s.t.Context(), s.actors["ada"], cert.Valid, 0, 10))
	path := fmt.Sprint("/client-certificates/", mine[0].ID)
	s.look("ada", "foreign-list", "/client-certificates", http.StatusOK)
	s.look("ada", "foreign-certificate", path, http.StatusOK)
	s.look("ada", "foreign-revoke", path+"/revoke", http.StatusOK)
	s.page("ada").Choose(s.say("pki.reason.superseded"))
	s.page("ada").Press(s.say("cert.revoke"))
	s.judge(s.page("ada"), "foreign-revoked", http.StatusOK)
	servers := must(s.Cert.Servers(s.t.Context(), s.actors["sven"], cert.ServerView{})).Certificates
	path = "/certificates/" + servers[0].Reference
	s.look("sven", "foreign-server", path, http.StatusOK)
	s.look("sven", "foreign-server-revoke", path+"/revoke", http.StatusOK)
	s.look("nora", "foreign-server-list", "/certificates?which=all", http.StatusOK)
}
