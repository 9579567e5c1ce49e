package site_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"petschaft/internal/cert"
	"petschaft/internal/earlier"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
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
	s.T.Helper()
	s.LinkRow("ada", "ada")
	e := s.NewElsewhere()
	mine := trial.Must(s.Earlier.Upload(s.T.Context(), s.Actors["rita"], []earlier.File{{Name: "bekannt.pem", Content: e.Server(-3, "Universität Probe", "vorbei.uni.example")}}, nil))
	trial.Must(s.Earlier.Apply(s.T.Context(), s.Actors["rita"], mine, func() string { return "ALTE-KNOWN" }))
	var file []byte
	for _, c := range [][]byte{
		e.Mail(20, "ada@uni.example"), e.Mail(300, "franziska.theodora.oesterreicher-grosskopf@uni.example"), e.Server(-3, "Irgendwer", "xn--frher-kva.uni.example", "www.uni.example"),
		e.Server(90, "Institut für alte Geschichte", "geschichte.example"), e.Server(9, "x", "geschichte-der-langen-namen.institut.example", "b.institut.example"), pki.PEM(e.Ca.Raw),
		trial.Must(os.ReadFile("../pki/testdata/51-old-all.pem")),
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
	s.T.Helper()
	mine := trial.Must(s.Cert.Mine(s.T.Context(), s.Actors["ada"], cert.Valid, 0, 10))
	path := fmt.Sprint("/client-certificates/", mine[0].ID)
	s.look("ada", "foreign-list", "/client-certificates", http.StatusOK)
	s.look("ada", "foreign-certificate", path, http.StatusOK)
	s.look("ada", "foreign-revoke", path+"/revoke", http.StatusOK)
	s.page("ada").Choose(s.say("pki.reason.superseded"))
	s.page("ada").Press(s.say("cert.note_revoked"))
	s.judge(s.page("ada"), "foreign-revoked", http.StatusOK)
	servers := trial.Must(s.Cert.Servers(s.T.Context(), s.Actors["sven"], cert.ServerView{})).Certificates
	path = "/certificates/" + servers[0].Reference
	s.look("sven", "foreign-server", path, http.StatusOK)
	s.look("sven", "foreign-server-revoke", path+"/revoke", http.StatusOK)
	s.look("nora", "foreign-server-list", "/certificates?which=all", http.StatusOK)
}
