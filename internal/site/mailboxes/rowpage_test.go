package mailboxes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheNewestCertificateMayBeARevokedOne(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id := r.LinkRow("ada.adler", "ada")
	row, nora := fmt.Sprintf("%s/%d", sitetest.RowsOf, id), r.As("nora")
	fact := func() string {
		_, fact, _ := strings.Cut(nora.Get(row).Is(http.StatusOK).Text(), "Neuestes Zertifikat")
		fact, _, _ = strings.Cut(fact, "</dd>")
		return fact
	}
	if got := fact(); !strings.Contains(got, "noch keines") {
		t.Errorf("before the first: got %s", got)
	}
	only := r.Certified("ada", id)
	if got := fact(); !strings.Contains(got, "gültig") || !strings.Contains(got, fmt.Sprintf("/client-certificates/%d", only)) {
		t.Errorf("of a valid one: got %s, want it with its state", got)
	}
	trial.Must(0, r.Cert.Revoke(t.Context(), r.Actors["ada"], only, pki.Superseded))
	if got := fact(); !strings.Contains(got, "widerrufen") || strings.Contains(got, "noch keines") || !strings.Contains(got, fmt.Sprintf("/client-certificates/%d", only)) {
		t.Errorf("of a revoked one: got %s, want it with its state", got)
	}
}

// TestTheNewestCertificateIsTheOneThatBeginsLast, in whichever order they come, and
// never one that nobody wanted.
func TestTheNewestCertificateIsTheOneThatBeginsLast(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id := r.LinkRow("ada.adler", "ada")
	newest := r.Certified("ada", id)
	begins := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], newest)).NotBefore
	r.Clock.Advance(time.Hour)
	r.Recorded("ada", id, func(i *cert.Issuance) { i.Certificate.NotBefore = begins.Add(-time.Hour) })
	r.Recorded("ada", id, func(i *cert.Issuance) { i.Unwanted = mail.EndedRow })
	page := r.As("nora").Get(fmt.Sprintf("%s/%d", sitetest.RowsOf, id)).Is(http.StatusOK).Text()
	_, fact, _ := strings.Cut(page, "Neuestes Zertifikat")
	fact, _, _ = strings.Cut(fact, "</dd>")
	if !strings.Contains(fact, fmt.Sprintf("/client-certificates/%d", newest)) {
		t.Errorf("got %s, want certificate %d", fact, newest)
	}
}

// A serial number is spelled in the history as in the table above it.
func TestASerialNumberHasOneSpelling(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id := r.LinkRow("ada.adler", "ada")
	c := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], r.Certified("ada", id)))
	serial := pki.Colons(c.Serial)
	for page, sub := range map[string]string{fmt.Sprintf("%s/%d", sitetest.RowsOf, id): "nora", "/office/audit?action=cert.": "rita"} {
		a := r.As(sub).Get(page).Has("Seriennummer: " + serial)
		if plain := fmt.Sprintf("%x", c.Serial); strings.Contains(a.Text(), plain) {
			t.Errorf("%s: it says %s as well", page, plain)
		}
	}
}

func TestTheHistoryOfAFunctionalRowNamesItsOwnAddress(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, row := r.AddRow(mailbox.Input{
		Kind: mailbox.Functional, Name: "Prüfungsausschuss", Primary: "pa@uni.example", Aliases: []string{"pruefung@uni.example"}, Applicant: "ada@uni.example",
	})
	ada := r.As("ada")
	ada.Post(ada.Get(r.Asked(row, "ada@uni.example")[0]).Is(http.StatusSeeOther).To() + "/confirm").Is(http.StatusSeeOther)
	r.As("nora").Get(row).Has("Adresse bestätigt", "Adresse: pa@uni.example, pruefung@uni.example", "An: ada@uni.example").Lacks("Adresse: ada@uni.example")
}

func TestTwoPeopleOfOneNameAreToldApart(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	for _, local := range []string{"anna1", "anna2"} {
		r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Albrecht, Anna", Primary: local + "@uni.example"})
	}
	r.As("nora").Get("/email-domains/uni.example").Has(
		"Albrecht, Anna (anna1@uni.example) auswählen", "Albrecht, Anna (anna2@uni.example) auswählen",
		": Albrecht, Anna (anna1@uni.example)", ": Albrecht, Anna (anna2@uni.example)")
}

// A comment of several lines stays one, on pages and in the form that edits it.
func TestTheLinesOfACommentStay(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id, row := r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Muster, Max", Primary: "max@uni.example", Comment: "eins\nzwei"})
	nora := r.As("nora")
	nora.Get(row).Has("eins\nzwei")
	nora.Get("/email-domains/uni.example").Has("eins\nzwei")
	form := nora.Get(row + "/edit").Has(">eins\nzwei</textarea>")
	nora.Post(row+"/edit", "version", sitetest.VersionOf(t, nora, row), "kind", "personal", "name", "Muster, Maximilian", "alias1", "", "comment", "eins\r\nzwei").Is(http.StatusSeeOther)
	if got := trial.Must(r.Mailbox.Row(t.Context(), r.Actors["nora"], "uni.example", id)).Comment; got != "eins\nzwei" {
		t.Errorf("after an edit of the name: got the comment %q from\n%s", got, form.Excerpt())
	}
}

// What is asked only under a condition is not called optional, and what cannot
// be filled in is not either.
func TestOnlyWhatMayStayEmptyIsCalledOptional(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id := r.LinkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Prüfungsausschuss", Primary: "pa@uni.example", Applicant: "ada@uni.example"}, "ada")
	row, nora := fmt.Sprintf("%s/%d", sitetest.RowsOf, id), r.As("nora")
	label := func(a sitetest.Answer, words string) string {
		_, label, ok := strings.Cut(a.Text(), words)
		if !ok {
			t.Errorf("nobody asks %q", words)
		}
		label, _, _ = strings.Cut(label, "<input")
		return label
	}
	edit := nora.Get(row + "/edit")
	if got := label(edit, "Antragsteller"); strings.Contains(got, "(freiwillig)") {
		t.Errorf("what cannot be changed: got %s", got)
	}
	if got := label(edit, "Alias 1"); !strings.Contains(got, "(freiwillig)") {
		t.Errorf("what may stay empty: got %s", got)
	}
	nora.Post(row + "/deactivate").Is(http.StatusSeeOther)
	if got := label(nora.Get(row+"/edit"), "Ist das dieselbe oder eine andere Person?"); strings.Contains(got, "(freiwillig)") || strings.Contains(got, "required") {
		t.Errorf("what the hint tells when to answer: got %s", got)
	}
	nora.Post(row+"/edit", "version", sitetest.VersionOf(t, nora, row), "kind", "functional", "name", "Ausschuss", "applicant", "ada@uni.example").
		Is(http.StatusUnprocessableEntity).Has("eine andere Person? Bitte").Lacks("?:")
}
