package site_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/recipe"
)

// version is the row's, as a form sends it.
func (r *rig) version(id mailbox.ID) string {
	r.t.Helper()
	var v int64
	must(0, r.db.QueryRow(r.t.Context(), `select version from address_row where id = $1`, id).Scan(&v))
	return fmt.Sprint(v)
}

// begin starts a recipe as nora, through its pages.
func (r *rig) begin(b *browser, row mailbox.ID, k recipe.Kind) (path string) {
	r.t.Helper()
	start := fmt.Sprintf("/email-domains/uni.example/rows/%d/recipes/%s", row, k)
	b.get(start).status(http.StatusOK).has("Die Schritte")
	return b.post(start).status(http.StatusSeeOther).to()
}

func TestARecipeLeadsFromStepToStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("chef", "ada")
	r.certified("ada", row)
	nora, rowPage := r.as("nora"), fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	nora.get(rowPage).has("Assistenten", "Adresse neu vergeben", "Name geändert (gleiche Adresse)", "Person ist ausgeschieden").lacks("Antragsteller wechseln")
	nora.get(rowPage+"/recipes/reuse").has("Davon raten wir dringend ab", "hält beide für dieselbe", "Trotzdem neu vergeben")
	path := r.begin(nora, row, recipe.Reuse)
	nora.get(path).has("Nächster Schritt: Deaktivieren", "aria-current=\"step\"", "Assistenten abbrechen")
	nora.get(rowPage).has("Nora Netz hat diesen Assistenten begonnen. Nächster Schritt: Deaktivieren.", path).lacks("Person ist ausgeschieden")
	r.clock.Advance(2 * time.Minute)

	nora.post(path+"/steps/deactivate").status(http.StatusSeeOther).follow().
		has("ist jetzt inaktiv", "Nächster Schritt: Zertifikate widerrufen", "Betroffen ist ein gültiges Zertifikat.", "unterschreiben gültige Zertifikate weiter", "lässt sich nicht zurücknehmen")
	nora.post(path + "/steps/revoke").status(http.StatusUnprocessableEntity).has("field-bad")
	nora.post(path+"/steps/revoke", "reason", "3").status(http.StatusSeeOther).follow().has("Die Zertifikate sind widerrufen.", "Nächster Schritt: Neuer Name", "Prüfen Sie auch die Aliasse")
	nora.post(path+"/steps/name", "version", r.version(row), "name", "", "alias1", "getippt@uni.example", "alias2", "kein alias").
		status(http.StatusUnprocessableEntity).has("getippt@uni.example", "kein alias", "Neuer Anzeigename: ", "Alias 2: ")
	nora.post(path+"/steps/name", "version", "1", "name", "Bach, Bob").status(http.StatusConflict).has("Bach, Bob", `value="`+r.version(row)+`"`)
	nora.post(path+"/steps/name", "version", r.version(row), "name", "Bach, Bob").status(http.StatusSeeOther).follow().has("Der neue Name ist gespeichert.", "Nächster Schritt: Aktivieren")
	nora.post(path+"/steps/challenge").status(http.StatusConflict).has("noch nicht an der Reihe", "Nächster Schritt: Aktivieren")
	nora.post(path + "/steps/activate").status(http.StatusSeeOther)
	nora.post(path+"/steps/activate").status(http.StatusConflict).has("Diesen Schritt hat inzwischen schon jemand getan", "Nächster Schritt: Challenges senden", "Gesendet wird an: chef@uni.example")
	nora.post(path+"/steps/challenge").status(http.StatusSeeOther).follow().has("Alle Schritte sind getan", "Die Challenges sind unterwegs").lacks("Nächster Schritt", "Assistenten abbrechen")
	nora.get(rowPage).has("Assistent begonnen", "Assistent abgeschlossen", "Zum Assistenten", "Name: Ada Adler → Bach, Bob", "Verknüpfung gelöst", "chef@uni.example: in Warteschlange", "Zum Zertifikat")
}

func TestANewAddressIsAskedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("adler", "ada")
	nora := r.as("nora")
	path := r.begin(nora, row, recipe.RenameNew)
	r.clock.Advance(2 * time.Minute)
	nora.post(path+"/steps/deactivate").follow().has("Nächster Schritt: Neue Zeile", "kommt vom Anmeldedienst", "Die neue Zeile gibt es schon")
	nora.post(path+"/steps/row", "name", "Bussard, Ada", "primary", "bussard@fremd.example", "alias1", "adler@uni.example", "comment", "seit Hochzeit").
		status(http.StatusUnprocessableEntity).has("bussard@fremd.example", "Bussard, Ada", "adler@uni.example", "seit Hochzeit", "Neue primäre Adresse: ")
	nora.post(path+"/steps/row", "existing", "niemand@uni.example").status(http.StatusUnprocessableEntity).
		has("niemand@uni.example", "keine andere persönliche Zeile", "<details class=\"more\" open>")
	nora.post(path+"/steps/row", "name", "Bussard, Ada", "primary", "bussard@uni.example", "alias1", "adler@uni.example").
		follow().has("Nächster Schritt: Challenges senden", "bussard@uni.example, adler@uni.example")
	nora.post(path+"/steps/challenge").follow().has("Alle Schritte sind getan", "Zur Zeile „Bussard, Ada“")
}

func TestTheOldCertificatesOfAnApplicantMayStay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	r.certified("ada", row)
	nora := r.as("nora")
	nora.get(fmt.Sprintf("/email-domains/uni.example/rows/%d/recipes/applicant", row)).has("sieht weiterhin nur der bisherige Antragsteller")
	path := r.begin(nora, row, recipe.Applicant)
	r.clock.Advance(2 * time.Minute)
	nora.post(path+"/steps/deactivate").follow().has("Neuer Antragsteller (E-Mail)", "Bisher: ada.adler@uni.example")
	nora.post(path+"/steps/applicant", "version", r.version(row), "applicant", "wer@@uni").status(http.StatusUnprocessableEntity).has("wer@@uni")
	nora.post(path+"/steps/applicant", "version", r.version(row), "applicant", "bob.bach@uni.example").follow().has("Nicht widerrufen, weiter")
	nora.post(path+"/steps/revoke/skip").follow().has("Der Schritt ist ausgelassen.", "Nächster Schritt: Aktivieren")
	nora.post(path + "/steps/activate").follow().has("Gesendet wird an: bob.bach@uni.example")
	nora.get(fmt.Sprintf("/email-domains/uni.example/rows/%d", row)).has("Schritt des Assistenten ausgelassen", "Schritt: Zertifikate widerrufen", "Antragsteller: ada.adler@uni.example → bob.bach@uni.example")
	nora.post(path + "/cancel").status(http.StatusSeeOther).follow().has("Der Assistent ist abgebrochen.")
	nora.post(path + "/cancel").status(http.StatusConflict).has("schon zu Ende")
	nora.get(path).has("Abgebrochen").lacks("Nächster Schritt")
}

func TestFunctionalAddressesOfWhoLeftAreListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row, _ := r.add("ada")
	_, office := r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada@uni.example"})
	nora, rita := r.as("nora"), r.as("rita")
	path := r.begin(nora, row, recipe.Left)
	nora.post(path+"/steps/deactivate").follow().has("Nächster Schritt: Funktionsadressen", "Sekretariat", office+"/recipes/applicant")
	rita.get(path).status(http.StatusOK).lacks("Nächster Schritt", "Assistenten abbrechen")
	rita.post(path + "/steps/hand").status(http.StatusForbidden)
	nora.post(path+"/steps/hand").follow().has("Alle Schritte sind getan", "Die Adresse ruht")
	r.as("sven").get(path).status(http.StatusNotFound)
	for _, p := range []string{"/recipes/0", "/recipes/999999", "/recipes/x", "/email-domains/uni.example/rows/" + fmt.Sprint(row) + "/recipes/fly"} {
		nora.get(p).status(http.StatusNotFound)
	}
	nora.post(path + "/steps/fly").status(http.StatusNotFound)
}

func TestASecondRecipeWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row, rowPage := r.add("ada")
	nora := r.as("nora")
	r.begin(nora, row, recipe.Left)
	a := nora.post(rowPage + "/recipes/rename-same").status(http.StatusConflict).has("läuft schon ein Assistent")
	if !strings.Contains(a.body, "summary") {
		t.Error("the page says nothing on top")
	}
	nora.post(rowPage + "/recipes/applicant").status(http.StatusConflict).has("nur eine Funktionsadresse")
}
