package site_test

import (
	"net/http"
	"testing"

	"petschaft/internal/ca/catest"
	"petschaft/internal/cert"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// unexpected are the certificates that came for a person and for a server and are not
// what was asked for.
func (o outer) unexpected() (person, server cert.Unexpected) {
	o.T.Helper()
	o.outside.Next(catest.OtherName)
	looked(o.Rig, "bob", "bob.bach")
	o.outside.Next(catest.OtherName)
	placed(o.Rig, "www.uni.example")
	for _, u := range trial.Must(o.Cert.AllUnexpected(o.T.Context(), o.Actors["rita"], 9)) {
		if u.Server {
			server = u
		} else {
			person = u
		}
	}
	return person, server
}

// TestWhatIsUnexpectedIsShownAsWhatItIs: with its authority and its file, and revoked for
// reasons of a person or of a server.
func TestWhatIsUnexpectedIsShownAsWhatItIs(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	person, server := o.unexpected()
	rita := o.As("rita")
	rita.Get(paths.Unexpected).Is(http.StatusOK).Has("von vertrauen", paths.UnexpectedFile(person.ID), paths.UnexpectedFile(server.ID))
	rita.Get(paths.UnexpectedFile(server.ID)).Is(http.StatusOK).Has("BEGIN CERTIFICATE")
	for _, who := range []string{"ada", "bob", "nora"} {
		o.As(who).Get(paths.UnexpectedFile(server.ID)).Is(http.StatusForbidden)
	}
	const mailboxes = "Das Postfach gibt es nicht mehr"
	rita.Get(paths.RevokeUnexpected(person.ID)).Is(http.StatusOK).Has("Bestimmt für", "Bob Bach", mailboxes, "Ausgestellt hat es vertrauen", "ihre eigene Sperrliste").Lacks("Inhaber", "öffentlichen Sperrliste")
	rita.Get(paths.RevokeUnexpected(server.ID)).Is(http.StatusOK).Has("Universität Probe", sitetest.German("server.reason_cessation"), "Ausgestellt hat es vertrauen").Lacks("Inhaber", mailboxes)
}

// TestTheKeyOfWhatIsUnexpectedIsReportedWhileItIsRevoked for another reason: the list
// says so, the page asks for nothing else, and both know it once it was said.
func TestTheKeyOfWhatIsUnexpectedIsReportedWhileItIsRevoked(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	u, _ := o.unexpected()
	page, raise := paths.RevokeUnexpected(u.ID), sitetest.German("cert.raise")
	rita := o.As("rita")
	rita.Get(paths.Unexpected).Has(`href="`+page+`"`, "Widerrufen").Lacks(raise)
	rita.Post(page, "reason", "4").Is(http.StatusSeeOther).Follow().Has("wird widerrufen", raise, `href="`+page+`"`)
	rita.Get(page).Is(http.StatusOK).Has(`value="1"`, raise).Lacks(`value="4"`)
	rita.Post(page, "reason", "4").Is(http.StatusConflict)
	rita.Post(page, "reason", "1").Is(http.StatusSeeOther).Follow().Has(sitetest.German("cert.reported_done")).Lacks(raise, `href="`+page+`"`)
	rita.Get(page).Is(http.StatusConflict)
	o.asked(u.ID)
	if why, is := o.outside.Revoked(u.DER); !is || why != pki.KeyCompromise {
		t.Errorf("the authority revoked it: %v for %d, want it told of the key", is, why)
	}
}

// TestARefusedRevocationNamesItsAuthority on the list.
func TestARefusedRevocationNamesItsAuthority(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	o.odd()
	o.As("rita").Get(paths.Unexpected).Is(http.StatusOK).Has("Abgelehnte Widerrufe", `data-label="Zertifizierungsstelle"><div>vertrauen`)
}

// TestTheEvidenceOfAnAuthorityOutsideSpeaksOfIt and not of what the portal's own does;
// what was found in its certificates only officers read.
func TestTheEvidenceOfAnAuthorityOutsideSpeaksOfIt(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	path := paths.ClientCertificate(o.certified("ada", "ada.adler")) + "/evidence"
	ada, rita := o.As("ada"), o.As("rita")
	own := []string{"eigene Zertifizierungsstelle", "vor der Unterschrift", "Vor der Ausstellung"}
	ada.Get(path).Is(http.StatusOK).Has("Ausgestellt von vertrauen", "sieht die Registrierungsstelle").Lacks(append(own, "verletzt", "Regelwerk")...)
	ada.Get(path+".json").Is(http.StatusOK).Has(`"addresses"`).Lacks(`"checks"`, "findings")
	rita.Get(path).Is(http.StatusOK).Has("Beim Eingang am", "ausgestellt von vertrauen").Lacks(own...)
	rita.Get(path + ".json").Is(http.StatusOK).Has(`"checks"`)
}
