package site_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
)

func TestAContactRevokesAllCertificatesOfAnInactiveRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	path := fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	nora, ada := r.as("nora"), r.as("ada")
	nora.get(path).lacks("Alle Zertifikate widerrufen", "erst deaktivieren") // there are none
	first, second := r.certified("ada", row), r.recorded("bob", row)
	kept := r.certified("bob", r.linkRow("bob.bach", "bob"))

	nora.get(path).lacks("Alle Zertifikate widerrufen").has("erst deaktivieren")
	nora.get(path + "/revoke").status(http.StatusConflict).has("erst deaktivieren")
	nora.post(path+"/revoke", "reason", "5").status(http.StatusConflict)
	must(0, r.Mailbox.Deactivate(t.Context(), r.actors["nora"], "uni.example", row))
	for _, who := range []*browser{ada, r.as("sven")} {
		who.get(path + "/revoke").status(http.StatusNotFound)
		who.post(path+"/revoke", "reason", "5").status(http.StatusNotFound)
	}

	nora.get(path).has("Alle Zertifikate widerrufen", path+"/revoke")
	nora.get(path+"/revoke").has("Die 2 gültigen Zertifikate", "lässt sich nicht zurücknehmen", "Ada Adler", "Bob Bach", "nie wieder ein Zertifikat").
		lacks("wurde entzogen", fmt.Sprintf("/client-certificates/%d", kept))
	for _, form := range [][]string{nil, {"reason", "9"}, {"reason", "6"}, {"reason", "alle"}} {
		nora.post(path+"/revoke", form...).status(http.StatusUnprocessableEntity).has("Bitte füllen Sie dieses Feld aus", `href="#f-reason"`)
	}
	nora.post(path+"/revoke", "reason", "5").status(http.StatusSeeOther).follow().has("2 Zertifikate sind widerrufen").lacks("Alle Zertifikate widerrufen")
	nora.get(path + "/revoke").status(http.StatusConflict).has("kein gültiges Zertifikat mehr")
	nora.post(path+"/revoke", "reason", "5").status(http.StatusConflict)
	for id, want := range map[any]string{first: "widerrufen", second: "widerrufen", kept: "gültig"} {
		r.as("rita").get(fmt.Sprintf("/client-certificates/%d", id)).has(want)
	}
}

// recorded is a certificate that somebody had of the row before.
func (r *rig) recorded(sub string, row mailbox.ID) (id cert.ID) {
	r.t.Helper()
	signed := must(r.CA.Issue(r.t.Context(), pki.Request{
		Intent: 1 << 40, Profile: pki.MailPersonal, Key: must(pki.NewKey(ecKey().Public())), CommonName: names[sub], Surname: names[sub],
		Emails: []string{"ada.adler@uni.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.clock.Now()),
	}))
	must(0, r.DB.Tx(r.t.Context(), func(tx pgx.Tx) (err error) {
		id, err = r.Cert.Record(r.t.Context(), tx, cert.Issuance{
			Reference: "FRUEHER", Authority: "mail", Account: r.actors[sub].Account, Holder: names[sub], Row: row, Certificate: signed,
		})
		return err
	}))
	return id
}

func TestAnOfficerRevokesAllCertificatesAlsoOfAnActiveRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkInput(mailbox.Input{Kind: mailbox.Personal, Name: "Ada Adler", Primary: "ada@uni.example"}, "ada")
	r.certified("ada", row)
	path := fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	rita := r.as("rita")
	rita.get(path).has("Alle Zertifikate widerrufen")
	rita.get(path+"/revoke").has("Das eine gültige Zertifikat", "wurde entzogen")
	rita.post(path+"/revoke", "reason", "9").status(http.StatusSeeOther).follow().has("Ein Zertifikat ist widerrufen")
}

// TestRevokingAllInABrowser looks at the pages before, at, after a mistake, and
// at the public page of authorities.
func TestRevokingAllInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	row := s.linkRow("ada.adler", "ada")
	path := fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	s.certified("ada", row)
	s.recorded("bob", row)
	must(0, s.Cert.SignOldLists(t.Context()))
	s.look("nora", "revoke-all-active", path, http.StatusOK)
	must(0, s.Mailbox.Deactivate(t.Context(), s.actors["nora"], "uni.example", row))
	s.look("nora", "revoke-all-row", path, http.StatusOK)
	p := s.look("nora", "revoke-all", path+"/revoke", http.StatusOK)
	p.Press(s.say("cert.revoke_all"))
	s.judge(p, "revoke-all-done", http.StatusOK)
	s.look("anonymous", "authorities", "/pki", http.StatusOK)
}
