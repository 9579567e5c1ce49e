package mailboxes_test

import (
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestAContactRevokesAllCertificatesOfAnInactiveRow(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	path := fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	nora, ada := r.As("nora"), r.As("ada")
	nora.Get(path).Lacks("Alle Zertifikate widerrufen", "erst deaktivieren") // there are none
	first, second := r.Certified("ada", row), r.Recorded("bob", row)
	kept := r.Certified("bob", r.LinkRow("bob.bach", "bob"))

	nora.Get(path).Lacks("Alle Zertifikate widerrufen").Has("erst deaktivieren")
	nora.Get(path + "/revoke").Is(http.StatusConflict).Has("erst deaktivieren")
	nora.Post(path+"/revoke", "reason", "5").Is(http.StatusConflict)
	trial.Must(0, r.Mailbox.Deactivate(t.Context(), r.Actors["nora"], "uni.example", row))
	for _, who := range []*sitetest.Browser{ada, r.As("sven")} {
		who.Get(path + "/revoke").Is(http.StatusNotFound)
		who.Post(path+"/revoke", "reason", "5").Is(http.StatusNotFound)
	}

	nora.Get(path).Has("Alle Zertifikate widerrufen", path+"/revoke")
	nora.Get(path+"/revoke").Has("Die 2 gültigen Zertifikate", "lässt sich nicht zurücknehmen", "Ada Adler", "Bob Bach", "nie wieder ein Zertifikat").
		Lacks("wurde entzogen", fmt.Sprintf("/client-certificates/%d", kept))
	for _, form := range [][]string{nil, {"reason", "9"}, {"reason", "6"}, {"reason", "alle"}} {
		nora.Post(path+"/revoke", form...).Is(http.StatusUnprocessableEntity).Has("Bitte füllen Sie dieses Feld aus", `href="#f-reason"`)
	}
	nora.Post(path+"/revoke", "reason", "5").Is(http.StatusSeeOther).Follow().Has("2 Zertifikate sind widerrufen").Lacks("Alle Zertifikate widerrufen")
	nora.Get(path + "/revoke").Is(http.StatusConflict).Has("kein gültiges Zertifikat mehr")
	nora.Post(path+"/revoke", "reason", "5").Is(http.StatusConflict)
	for id, want := range map[any]string{first: "widerrufen", second: "widerrufen", kept: "gültig"} {
		r.As("rita").Get(fmt.Sprintf("/client-certificates/%d", id)).Has(want)
	}
}

func TestAnOfficerRevokesAllCertificatesAlsoOfAnActiveRow(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkInput(mailbox.Input{Kind: mailbox.Personal, Name: "Ada Adler", Primary: "ada@uni.example"}, "ada")
	r.Certified("ada", row)
	path := fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	rita := r.As("rita")
	rita.Get(path).Has("Alle Zertifikate widerrufen")
	rita.Get(path+"/revoke").Has("Das eine gültige Zertifikat", "wurde entzogen")
	rita.Post(path+"/revoke", "reason", "9").Is(http.StatusSeeOther).Follow().Has("Ein Zertifikat ist widerrufen")
}
