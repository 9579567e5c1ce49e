package clients_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

func TestAPersonAppliesAndDownloadsTheCertificate(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada", "adler@uni.example")
	r.StartJobs()
	ada := r.As("ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	ada.Get("/client-certificates").Is(http.StatusOK).Has("Zertifikat beantragen", `href="`+apply+`"`, "Kein gültiges Zertifikat")
	ada.Get(apply).Is(http.StatusOK).Has("ada.adler@uni.example", "adler@uni.example", "Ada Adler", "openssl req -new -newkey rsa:3072 -subj /CN=ada.adler@uni.example",
		"Eigener CSR", `href="/terms"`, `value="`+r.Order.Terms+`"`, `enctype="multipart/form-data"`)
	application := ada.Upload(apply, "", "key", "csr", "csr", sitetest.NewCSR("ada.adler@uni.example"), "terms", "on", "version", r.Order.Terms).Is(http.StatusSeeOther).To()
	var page sitetest.Answer
	r.Until("the certificate is issued", func() bool { page = ada.Get(application); return page.StatusCode == http.StatusSeeOther })
	ada.Get(application+"/progress").Is(http.StatusOK).Has("Das Zertifikat ist da", page.To()).Lacks("data-refresh", "<html")
	certificate := page.To()
	ada.Get(certificate).Is(http.StatusOK).Has("gültig", "ada.adler@uni.example", "adler@uni.example", "CN=Ada Adler", "EC P-256", "Universität Beispiel Mail CA",
		"noch 730 von 730 Tagen", "Zertifikat widerrufen", "Nur Zertifikat (PEM)", "openssl pkcs12").Lacks("Inhaber")
	ada.Get("/client-certificates").Has(certificate, "Für diese Adressen haben Sie schon ein Zertifikat").Lacks("Zertifikat beantragen")
	chain := sitetest.PemBlocks(t, ada.Get(certificate+"/chain.pem").Is(http.StatusOK).Content)
	if len(chain) != 3 || chain[0].Subject.CommonName != "Ada Adler" || chain[1].CheckSignatureFrom(chain[2]) != nil || chain[0].CheckSignatureFrom(chain[1]) != nil {
		t.Errorf("got a chain of %d, want leaf, issuing authority, root", len(chain))
	}
	r.As("nora").Get(fmt.Sprintf("/email-domains/uni.example/rows/%d", row)).Has("Zertifikat beantragt", "Zertifikat ausgestellt", certificate)
}

func TestWhatTheRequestAskedForInVainIsSaid(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	ada := r.As("ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	_, csr := sitetest.NewKey("Gott", func(c *x509.CertificateRequest) {
		c.EmailAddresses, c.DNSNames = []string{"chef@uni.example", "ada.adler@uni.example"}, []string{"www.uni.example"}
	})
	ada.Upload(apply, csr, "csr", "", "terms", "on", "version", r.Order.Terms).Is(http.StatusSeeOther).Follow().Is(http.StatusOK).
		Has("Der Antrag ist eingegangen", "Nicht übernommen", "chef@uni.example", "www.uni.example", "Gott", "data-refresh").Lacks("Die Adresse ada.adler@uni.example")
	ada.Get(apply).Is(http.StatusSeeOther) // to the application that is under way
	r.Clock.Advance(2 * time.Minute)
	ada.Get("/client-certificates").Has("eingegangen", "Ihr Antrag ist unterwegs").Lacks("Zertifikat beantragen")
}

func TestTheApplicationFormComesBackAsItWas(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	ada := r.As("ada")
	apply, csr := fmt.Sprintf("/client-certificates/apply/%d", row), sitetest.NewCSR("antrag")
	line := strings.Split(csr, "\n")[2]
	for name, a := range map[string]sitetest.Answer{
		"without consent":          ada.Post(apply, "csr", csr),
		"a file without consent":   ada.Upload(apply, csr, "csr", ""),
		"the file is what counts":  ada.Upload(apply, csr, "csr", "etwas anderes"),
		"consent to older terms":   ada.Post(apply, "csr", csr, "terms", "on", "version", "000000000000"),
		"consent without a number": ada.Post(apply, "csr", csr, "terms", "on"),
	} {
		if a.Is(http.StatusUnprocessableEntity).Has("stimmen Sie ihnen zu", line); strings.Contains(a.Content, `id="f-terms" name="terms" checked`) {
			t.Errorf("%s: the consent is ticked", name)
		}
	}
	ada.Post(apply, "csr", csr[:200], "terms", "on", "version", r.Order.Terms).Is(http.StatusUnprocessableEntity).Has(csr[:60], "abgeschnitten", "checked")
	ada.Upload(apply, "kein Antrag", "csr", csr, "terms", "on", "version", r.Order.Terms).Is(http.StatusUnprocessableEntity).Has("Das ist kein Zertifikatsantrag", `href="#f-file"`, line)
	ada.Post(apply, "terms", "on", "version", r.Order.Terms).Is(http.StatusUnprocessableEntity).Has("Bitte geben Sie einen Zertifikatsantrag (CSR) an")
	ada.Upload(apply, strings.Repeat("x", 300_000), "csr", csr).Is(http.StatusUnprocessableEntity).Has("größer als 64 KiB", `href="#f-file"`, line)
	if n := r.Count(`select count(*) from application`); n != 0 {
		t.Errorf("got %d applications, want none", n)
	}
}

func TestAPrivateKeyIsNeverSentBackStoredOrLogged(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	ada := r.As("ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	key, csr := sitetest.NewKey("antrag")
	secret := strings.Split(key, "\n")[1]
	for name, a := range map[string]sitetest.Answer{
		"pasted":                   ada.Post(apply, "csr", key, "terms", "on", "version", r.Order.Terms),
		"pasted with the request":  ada.Post(apply, "csr", csr+key, "terms", "on", "version", r.Order.Terms),
		"pasted without its frame": ada.Post(apply, "csr", strings.Join(strings.Split(key, "\n")[1:4], "\n")),
		"as a file":                ada.Upload(apply, key, "csr", "", "terms", "on", "version", r.Order.Terms),
		"as a file beside it":      ada.Upload(apply, csr, "csr", key),
		"without consent":          ada.Post(apply, "csr", key),
	} {
		a.Is(http.StatusUnprocessableEntity)
		if name != "as a file beside it" {
			a.Has("Das ist ein privater Schlüssel")
		}
		if strings.Contains(a.Content, secret) {
			t.Errorf("%s: the answer holds the key", name)
		}
	}
	if strings.Contains(r.Logged.String(), secret) {
		t.Error("the log holds the key")
	}
	if dump := r.Dump(); strings.Contains(dump, secret) {
		t.Error("the database holds the key")
	}
}

func TestTwoTabsMakeOneApplication(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	var wait sync.WaitGroup
	got := make([]sitetest.Answer, 8)
	for i := range got {
		b := r.As("ada")
		wait.Go(func() {
			got[i] = b.Post(apply, "csr", sitetest.NewCSR("antrag"), "terms", "on", "version", r.Order.Terms)
		})
	}
	wait.Wait()
	won := 0
	for _, a := range got {
		if a.StatusCode == http.StatusSeeOther {
			won++
			continue
		}
		a.Is(http.StatusConflict).Has("Für diese Adresse läuft schon ein Antrag", "Antrag ansehen", "/client-certificates/applications/")
	}
	if n := r.Count(`select count(*) from application`); won != 1 || n != 1 {
		t.Errorf("got %d successes and %d applications, want one", won, n)
	}
}

func TestWhoMayNotApplyIsToldWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	ada, nora := r.As("ada"), r.As("nora")
	row := r.LinkRow("ada.adler", "ada", "adler@uni.example")
	path, apply := fmt.Sprintf("/email-domains/uni.example/rows/%d", row), fmt.Sprintf("/client-certificates/apply/%d", row)
	refused := func(words string) {
		t.Helper()
		ada.Get("/client-certificates").Has(words).Lacks("Zertifikat beantragen")
		ada.Get(apply).Is(http.StatusConflict).Has(words)
		ada.Post(apply, "csr", sitetest.NewCSR("antrag"), "terms", "on", "version", r.Order.Terms).Is(http.StatusConflict).Has(words)
	}
	nora.Post(path + "/deactivate").Is(http.StatusSeeOther)
	refused("Ihr Netzansprechpartner hat die Adresse deaktiviert")
	nora.Post(path + "/activate").Is(http.StatusSeeOther)
	nora.Post(path+"/edit", "version", sitetest.VersionOf(t, nora, path), "kind", "personal", "name", sitetest.People["ada"]).Is(http.StatusSeeOther)
	refused("Die Aliasse wurden geändert")
	trial.Must(r.Pool.Exec(t.Context(), `update link set suspended = false`))
	trial.Must(r.Pool.Exec(t.Context(), `update email_domain set proof_until = $1 where validation = 'domain'`, r.Clock.Now().Add(-time.Hour)))
	refused("Der Nachweis der E-Mail-Domain ist abgelaufen")
	for _, p := range []string{apply, "/client-certificates/apply/999999", "/client-certificates/apply/x"} {
		r.As("bob").Get(p).Is(http.StatusNotFound)
	}
	r.As("bob").Post(apply, "csr", sitetest.NewCSR("antrag"), "terms", "on", "version", r.Order.Terms).Is(http.StatusNotFound)
}

func TestAnApplicationThatCameToNothingSaysWhyAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row, other := r.LinkRow("ada.adler", "ada"), r.LinkRow("zweite", "ada")
	ada, rita := r.As("ada"), r.As("rita")
	late := r.Applied("ada", other)
	trial.Must(r.Pool.Exec(t.Context(), `update address_row set active = false, status = 'inactive' where id = $1`, other))
	trial.Must(0, r.Order.Issue(t.Context(), late))
	ada.Get(fmt.Sprintf("/client-certificates/applications/%d", late)).Is(http.StatusOK).Has("Der Antrag wurde abgelehnt", "hat die Adresse deaktiviert").Lacks("data-refresh")
	trial.Must(r.Pool.Exec(t.Context(), `update application set reason = 'pki.request.name_long' where id = $1`, late))
	for _, p := range []string{fmt.Sprintf("/client-certificates/applications/%d", late), "/client-certificates"} {
		ada.Get(p).Is(http.StatusOK).Has("hat mehr als 64 Zeichen").Lacks("no value", "name_long")
	}
	n := r.Failed("ada", row)
	path := fmt.Sprintf("/client-certificates/applications/%d", n)
	ada.Get(path).Has("Das Zertifikat konnte nicht ausgestellt werden", "Zertifizierungsstelle hat den Antrag zurückgewiesen", "neuen Antrag")
	ada.Get("/").Has("konnte nicht ausgestellt werden", path, "wurde abgelehnt")
	ada.Get("/client-certificates").Has("gescheitert", "abgelehnt", path)
	rita.Get("/").Has("Eine Ausstellung ist gescheitert")
	rita.Get("/office/applications").Is(http.StatusOK).Has("Ada Adler", "ada.adler@uni.example", "zurückgewiesen", "Noch einmal")
	retry := fmt.Sprintf("/office/applications/%d/retry", n)
	r.As("nora").Post(retry).Is(http.StatusForbidden)
	rita.Post(retry).Is(http.StatusSeeOther).Follow().Has("Ein neuer Versuch ist unterwegs", "Alle Anträge erledigt")
	rita.Post(retry).Is(http.StatusConflict).Has("nicht gescheitert")
	ada.Get(path).Is(http.StatusOK).Has("Das Zertifikat wird ausgestellt")
	r.Clock.Advance(2 * time.Minute)
	ada.Get(path).Has("Es dauert länger als sonst")
}

func TestWithoutAnAuthorityApplyingSaysSo(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t, func(c *portal.Config) {
		db, err := postgres.Open(t.Context(), c.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		trial.Must(db.Exec(t.Context(), `delete from authority`))
	})
	row := r.LinkRow("ada.adler", "ada")
	ada := r.As("ada")
	const words = "noch keine Zertifizierungsstelle eingerichtet"
	ada.Get("/client-certificates").Is(http.StatusOK).Has(words).Lacks("Zertifikat beantragen")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	ada.Get(apply).Is(http.StatusServiceUnavailable).Has(words)
	ada.Post(apply, "csr", sitetest.NewCSR("antrag"), "terms", "on", "version", r.Order.Terms).Is(http.StatusServiceUnavailable).Has(words)
	ada.Get("/pki").Is(http.StatusOK).Has("Noch keine Zertifizierungsstelle")
	ada.Get("/pki/mail.crt").Is(http.StatusNotFound)
	ada.Get("/pki/mail.crl").Is(http.StatusNotFound)
}

func TestAFunctionalCertificateNamesOnlyTheAddress(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	ada := r.As("ada")
	ada.Get(fmt.Sprintf("/client-certificates/apply/%d", row)).Is(http.StatusOK).Has("sekretariat@uni.example", "nennt nur die Adresse").Lacks("<strong>Ada Adler")
	ada.Get(fmt.Sprintf("/client-certificates/%d", r.Certified("ada", row))).Is(http.StatusOK).Has("E=sekretariat@uni.example").Lacks("CN=Ada", "CN=sek")
}

func TestWhoseNameNoCertificateHoldsIsToldBeforeApplying(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	ada := r.As("ada")
	trial.Must(r.Pool.Exec(t.Context(), `update account set family_name = E'Adl\ue000er' where username = 'ada'`))
	ada.Get(apply).Is(http.StatusConflict).Has("nach „Adl“ das Zeichen U+E000", "dort berichtigen")
	ada.Lang = "en"
	ada.Get(apply).Is(http.StatusConflict).Has("After “Adl”", "the character U+E000")
	ada.Upload(apply, "", "key", "csr", "csr", sitetest.NewCSR("ada"), "terms", "on", "version", r.Order.Terms).Is(http.StatusConflict).Has("U+E000")
	if n := 0; r.Pool.QueryRow(t.Context(), `select count(*) from application`).Scan(&n) != nil || n != 0 {
		t.Errorf("there are %d applications, want none", n)
	}
}

// Whoever is refused for their key is not told to use its CSR once more; whoever
// is refused for something else is.
func TestARefusalForTheKeyAsksForAnother(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	in := order.Input{CSR: sitetest.NewCSR("antrag"), Terms: r.Order.Terms}
	applied := func(sub string, row mailbox.ID) order.ID {
		n := trial.Must(r.Order.Apply(t.Context(), r.Actors[sub], row, in)).ID
		trial.Must(0, r.Order.Issue(t.Context(), n))
		return n
	}
	applied("ada", r.LinkRow("ada.adler", "ada"))
	r.As("bob").Get(paths.Application(applied("bob", r.LinkRow("bob", "bob")))).Is(http.StatusOK).Has("Der Antrag wurde abgelehnt", "schon jemand anderes ein Zertifikat", "Erzeugen Sie einen neuen", "Zu Ihren Adressen").
		Lacks("noch einmal verwenden")

	r.Clock.Advance(time.Hour)
	late := r.Applied("bob", r.LinkRow("bob2", "bob"))
	trial.Must(r.Pool.Exec(t.Context(), `update application set state = 'refused', reason = 'mailbox.apply.suspended', ended = $2 where id = $1`, late, r.Clock.Now()))
	r.As("bob").Get(paths.Application(late)).Has("Ihren CSR können Sie dafür noch einmal verwenden")
}
