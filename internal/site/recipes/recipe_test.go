package recipes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// version is the row's, as a form sends it.
func version(r *sitetest.Rig, id mailbox.ID) string {
	r.T.Helper()
	var v int64
	trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select version from address_row where id = $1`, id).Scan(&v))
	return fmt.Sprint(v)
}

// begin starts a recipe as nora, through its pages.
func begin(r *sitetest.Rig, b *sitetest.Browser, row mailbox.ID, k recipe.Kind) (path string) {
	r.T.Helper()
	start := fmt.Sprintf("/email-domains/uni.example/rows/%d/recipes/%s", row, k)
	b.Get(start).Is(http.StatusOK).Has("Die Schritte")
	return b.Post(start).Is(http.StatusSeeOther).To()
}

func TestARecipeLeadsFromStepToStep(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("chef", "ada")
	r.Certified("ada", row)
	nora, rowPage := r.As("nora"), fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	nora.Get(rowPage).Has("Assistenten", "Adresse neu vergeben", "Name geändert (gleiche Adresse)", "Person ist ausgeschieden").Lacks("Antragsteller wechseln")
	nora.Get(rowPage+"/recipes/reuse").Has("Davon raten wir dringend ab", "hält beide für dieselbe", "Trotzdem neu vergeben")
	path := begin(r, nora, row, recipe.Reuse)
	nora.Get(path).Has("Nächster Schritt: Deaktivieren", "aria-current=\"step\"", "Assistenten abbrechen")
	nora.Get(rowPage).Has("Nora Netz hat diesen Assistenten begonnen. Nächster Schritt: Deaktivieren.", path).Lacks("Person ist ausgeschieden")
	r.Clock.Advance(2 * time.Minute)

	nora.Post(path+"/steps/deactivate").Is(http.StatusSeeOther).Follow().
		Has("ist jetzt inaktiv", "Nächster Schritt: Zertifikate widerrufen", "Betroffen ist ein gültiges Zertifikat.", "unterschreiben gültige Zertifikate weiter", "lässt sich nicht zurücknehmen")
	nora.Post(path + "/steps/revoke").Is(http.StatusUnprocessableEntity).Has("field-bad")
	nora.Post(path+"/steps/revoke", "reason", "3").Is(http.StatusSeeOther).Follow().Has("Die Zertifikate sind widerrufen.", "Nächster Schritt: Neuer Name", "Prüfen Sie auch die Aliasse")
	nora.Post(path+"/steps/name", "version", version(r, row), "name", "", "alias1", "getippt@uni.example", "alias2", "kein alias").
		Is(http.StatusUnprocessableEntity).Has("getippt@uni.example", "kein alias", "Neuer Anzeigename: ", "Alias 2: ")
	nora.Post(path+"/steps/name", "version", "1", "name", "Bach, Bob").Is(http.StatusConflict).Has("Bach, Bob", `value="`+version(r, row)+`"`)
	nora.Post(path+"/steps/name", "version", version(r, row), "name", "Bach, Bob").Is(http.StatusSeeOther).Follow().Has("Der neue Name ist gespeichert.", "Nächster Schritt: Aktivieren")
	nora.Post(path+"/steps/challenge").Is(http.StatusConflict).Has("noch nicht an der Reihe", "Nächster Schritt: Aktivieren")
	nora.Post(path + "/steps/activate").Is(http.StatusSeeOther)
	nora.Post(path+"/steps/activate").Is(http.StatusConflict).Has("Diesen Schritt hat inzwischen schon jemand getan", "Nächster Schritt: Challenges senden", "Gesendet wird an: chef@uni.example")
	nora.Post(path+"/steps/challenge").Is(http.StatusSeeOther).Follow().Has("Der Assistent ist fertig", "Die Challenges sind unterwegs").Lacks("Nächster Schritt", "Assistenten abbrechen")
	nora.Get(rowPage).Has("Assistent begonnen", "Assistent abgeschlossen", "Zum Assistenten", "Name: Ada Adler → Bach, Bob", "Verknüpfung gelöst", "chef@uni.example: in Warteschlange", "Zum Zertifikat")
}

func TestANewAddressIsAskedFor(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("adler", "ada")
	nora := r.As("nora")
	path := begin(r, nora, row, recipe.RenameNew)
	r.Clock.Advance(2 * time.Minute)
	nora.Post(path+"/steps/deactivate").Follow().Has("Nächster Schritt: Neue Zeile", "kommt vom Anmeldedienst", "Die neue Zeile gibt es schon")
	nora.Post(path+"/steps/row", "name", "Bussard, Ada", "primary", "bussard@fremd.example", "alias1", "adler@uni.example", "comment", "seit Hochzeit").
		Is(http.StatusUnprocessableEntity).Has("bussard@fremd.example", "Bussard, Ada", "adler@uni.example", "seit Hochzeit", "Neue primäre Adresse: ")
	nora.Post(path+"/steps/row", "existing", "niemand@uni.example").Is(http.StatusUnprocessableEntity).
		Has("niemand@uni.example", "keine andere persönliche Zeile", "<details class=\"more\" open>")
	nora.Post(path+"/steps/row", "name", "Bussard, Ada", "primary", "bussard@uni.example", "alias1", "adler@uni.example").
		Follow().Has("Nächster Schritt: Challenges senden", "bussard@uni.example, adler@uni.example")
	nora.Post(path+"/steps/challenge").Follow().Has("Der Assistent ist fertig", "Zur Zeile „Bussard, Ada“")
}

func TestTheOldCertificatesOfAnApplicantMayStay(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	certificate := r.Certified("ada", row)
	stays := []string{"(ausgelassen)", "von Ada Adler bleibt gültig bis", fmt.Sprintf(`href="/client-certificates/%d"`, certificate)}
	nora := r.As("nora")
	nora.Get(fmt.Sprintf("/email-domains/uni.example/rows/%d/recipes/applicant", row)).Has("sieht weiterhin nur der bisherige Antragsteller")
	path := begin(r, nora, row, recipe.Applicant)
	r.Clock.Advance(2 * time.Minute)
	nora.Post(path+"/steps/deactivate").Follow().Has("Neuer Antragsteller (E-Mail)", "Bisher: ada.adler@uni.example")
	nora.Post(path+"/steps/applicant", "version", version(r, row), "applicant", "wer@@uni").Is(http.StatusUnprocessableEntity).Has("wer@@uni")
	nora.Post(path+"/steps/applicant", "version", version(r, row), "applicant", "bob.bach@uni.example").Follow().Has("Nicht widerrufen, weiter")
	nora.Get(path).Lacks(stays...)
	nora.Post(path+"/steps/revoke/skip").Follow().Has("Der Schritt ist ausgelassen.", "Nächster Schritt: Aktivieren").Has(stays...)
	nora.Post(path + "/steps/revoke/skip").Is(http.StatusConflict).Has("inzwischen schon jemand ausgelassen").Lacks("schon jemand getan")
	nora.Post(path+"/steps/applicant", "version", "1", "applicant", "getippt@uni.example").Is(http.StatusConflict).Has("schon jemand getan", "getippt@uni.example")
	nora.Post(path + "/steps/activate").Follow().Has("Gesendet wird an: bob.bach@uni.example")
	nora.Get(fmt.Sprintf("/email-domains/uni.example/rows/%d", row)).Has("Schritt des Assistenten ausgelassen", "Schritt: Zertifikate widerrufen", "Antragsteller: ada.adler@uni.example → bob.bach@uni.example")
	nora.Post(path + "/cancel").Is(http.StatusSeeOther).Follow().Has("Der Assistent ist abgebrochen.")
	nora.Post(path + "/cancel").Is(http.StatusConflict).Has("schon zu Ende").Lacks("kopieren Sie es")
	nora.Post(path+"/steps/applicant", "version", "1", "applicant", "getippt@uni.example").Is(http.StatusConflict).Has("schon zu Ende", "kopieren Sie es", "getippt@uni.example")
	nora.Get(path).Has("Abgebrochen").Has(stays...).Lacks("Nächster Schritt")
	nora.Post(fmt.Sprintf("/email-domains/uni.example/rows/%d/deactivate", row)).Is(http.StatusSeeOther)
	trial.Must(r.Cert.RevokeAll(t.Context(), r.Actors["nora"], "uni.example", row, pki.AffiliationChanged))
	nora.Get(path).Lacks(stays...)
}

func TestFunctionalAddressesOfWhoLeftAreListed(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row, _ := r.Add("ada")
	_, office := r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada@uni.example"})
	nora, rita := r.As("nora"), r.As("rita")
	path := begin(r, nora, row, recipe.Left)
	nora.Post(path+"/steps/deactivate").Follow().Has("Nächster Schritt: Funktionsadressen", "Sekretariat", office+"/recipes/applicant")
	rita.Get(path).Is(http.StatusOK).Lacks("Nächster Schritt", "Assistenten abbrechen")
	rita.Post(path + "/steps/hand").Is(http.StatusForbidden)
	nora.Post(path+"/steps/hand").Follow().Has("Der Assistent ist fertig", "Die Adresse ruht")
	r.As("sven").Get(path).Is(http.StatusNotFound)
	for _, p := range []string{"/recipes/0", "/recipes/999999", "/recipes/x", "/email-domains/uni.example/rows/" + fmt.Sprint(row) + "/recipes/fly"} {
		nora.Get(p).Is(http.StatusNotFound)
	}
	nora.Post(path + "/steps/fly").Is(http.StatusNotFound)
}

func TestASecondRecipeWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row, rowPage := r.Add("ada")
	nora := r.As("nora")
	begin(r, nora, row, recipe.Left)
	a := nora.Post(rowPage + "/recipes/rename-same").Is(http.StatusConflict).Has("läuft schon ein Assistent")
	if !strings.Contains(a.Content, "summary") {
		t.Error("the page says nothing on top")
	}
	nora.Post(rowPage + "/recipes/applicant").Is(http.StatusConflict).Has("nur eine Funktionsadresse")
}
