package site_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
)

func TestAPersonAppliesAndDownloadsTheCertificate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada", "adler@uni.example")
	r.work()
	ada := r.as("ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	ada.get("/client-certificates").status(http.StatusOK).has("Zertifikat beantragen", `href="`+apply+`"`, "Kein gültiges Zertifikat")
	ada.get(apply).status(http.StatusOK).has("ada.adler@uni.example", "adler@uni.example", "Ada Adler", "openssl req -new -newkey rsa:3072 -subj /CN=ada.adler@uni.example",
		"Eigener CSR", `href="/terms"`, `value="`+r.Order.Terms+`"`, `enctype="multipart/form-data"`)
	application := ada.upload(apply, "", "key", "csr", "csr", newCSR("ada.adler@uni.example"), "terms", "on", "version", r.Order.Terms).status(http.StatusSeeOther).to()
	var page answer
	r.until("the certificate is issued", func() bool { page = ada.get(application); return page.StatusCode == http.StatusSeeOther })
	ada.get(application+"/progress").status(http.StatusOK).has("Das Zertifikat ist da", page.to()).lacks("data-refresh", "<html")
	certificate := page.to()
	ada.get(certificate).status(http.StatusOK).has("gültig", "ada.adler@uni.example", "adler@uni.example", "CN=Ada Adler", "EC P-256", "Universität Beispiel Mail CA",
		"noch 730 von 730 Tagen", "Zertifikat widerrufen", "Nur Zertifikat (PEM)", "openssl pkcs12").lacks("Inhaber")
	ada.get("/client-certificates").has(certificate, "Für diese Adressen haben Sie schon ein Zertifikat").lacks("Zertifikat beantragen")
	chain := pemBlocks(t, ada.get(certificate+"/chain.pem").status(http.StatusOK).body)
	if len(chain) != 3 || chain[0].Subject.CommonName != "Ada Adler" || chain[1].CheckSignatureFrom(chain[2]) != nil || chain[0].CheckSignatureFrom(chain[1]) != nil {
		t.Errorf("got a chain of %d, want leaf, issuing authority, root", len(chain))
	}
	r.as("nora").get(fmt.Sprintf("/email-domains/uni.example/rows/%d", row)).has("Zertifikat beantragt", "Zertifikat ausgestellt", certificate)
}

func pemBlocks(t *testing.T, text string) (all []*x509.Certificate) {
	t.Helper()
	for rest := []byte(text); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			if strings.TrimSpace(string(rest)) != "" {
				t.Errorf("the file holds more than certificates: %q", rest)
			}
			return all
		}
		all = append(all, must(x509.ParseCertificate(b.Bytes)))
	}
}

func TestWhatTheRequestAskedForInVainIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	ada := r.as("ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	_, csr := newKey("Gott", func(c *x509.CertificateRequest) {
		c.EmailAddresses, c.DNSNames = []string{"chef@uni.example", "ada.adler@uni.example"}, []string{"www.uni.example"}
	})
	ada.upload(apply, csr, "csr", "", "terms", "on", "version", r.Order.Terms).status(http.StatusSeeOther).follow().status(http.StatusOK).
		has("Der Antrag ist eingegangen", "Nicht übernommen", "chef@uni.example", "www.uni.example", "Gott", "data-refresh").lacks("Die Adresse ada.adler@uni.example")
	ada.get(apply).status(http.StatusSeeOther) // to the application that is under way
	r.clock.Advance(2 * time.Minute)
	ada.get("/client-certificates").has("eingegangen", "Ihr Antrag ist unterwegs").lacks("Zertifikat beantragen")
}

func TestTheApplicationFormComesBackAsItWas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	ada := r.as("ada")
	apply, csr := fmt.Sprintf("/client-certificates/apply/%d", row), newCSR("antrag")
	line := strings.Split(csr, "\n")[2]
	for name, a := range map[string]answer{
		"without consent":          ada.post(apply, "csr", csr),
		"a file without consent":   ada.upload(apply, csr, "csr", ""),
		"the file is what counts":  ada.upload(apply, csr, "csr", "etwas anderes"),
		"consent to older terms":   ada.post(apply, "csr", csr, "terms", "on", "version", "000000000000"),
		"consent without a number": ada.post(apply, "csr", csr, "terms", "on"),
	} {
		if a.status(http.StatusUnprocessableEntity).has("stimmen Sie ihnen zu", line); strings.Contains(a.body, `id="f-terms" name="terms" checked`) {
			t.Errorf("%s: the consent is ticked", name)
		}
	}
	ada.post(apply, "csr", csr[:200], "terms", "on", "version", r.Order.Terms).status(http.StatusUnprocessableEntity).has(csr[:60], "abgeschnitten", "checked")
	ada.upload(apply, "kein Antrag", "csr", csr, "terms", "on", "version", r.Order.Terms).status(http.StatusUnprocessableEntity).has("Das ist kein Zertifikatsantrag", `href="#f-file"`, line)
	ada.post(apply, "terms", "on", "version", r.Order.Terms).status(http.StatusUnprocessableEntity).has("Bitte geben Sie einen Zertifikatsantrag (CSR) an")
	ada.upload(apply, strings.Repeat("x", 300_000), "csr", csr).status(http.StatusUnprocessableEntity).has("größer als 64 KiB", `href="#f-file"`, line)
	if n := r.count(`select count(*) from application`); n != 0 {
		t.Errorf("got %d applications, want none", n)
	}
}

// count is a number that the database tells.
func (r *rig) count(sql string, args ...any) (n int) {
	r.t.Helper()
	must(0, r.db.QueryRow(r.t.Context(), sql, args...).Scan(&n))
	return n
}

func TestAPrivateKeyIsNeverSentBackStoredOrLogged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	ada := r.as("ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	key, csr := newKey("antrag")
	secret := strings.Split(key, "\n")[1]
	for name, a := range map[string]answer{
		"pasted":                   ada.post(apply, "csr", key, "terms", "on", "version", r.Order.Terms),
		"pasted with the request":  ada.post(apply, "csr", csr+key, "terms", "on", "version", r.Order.Terms),
		"pasted without its frame": ada.post(apply, "csr", strings.Join(strings.Split(key, "\n")[1:4], "\n")),
		"as a file":                ada.upload(apply, key, "csr", "", "terms", "on", "version", r.Order.Terms),
		"as a file beside it":      ada.upload(apply, csr, "csr", key),
		"without consent":          ada.post(apply, "csr", key),
	} {
		a.status(http.StatusUnprocessableEntity)
		if name != "as a file beside it" {
			a.has("Das ist ein privater Schlüssel")
		}
		if strings.Contains(a.body, secret) {
			t.Errorf("%s: the answer holds the key", name)
		}
	}
	if strings.Contains(r.logged.String(), secret) {
		t.Error("the log holds the key")
	}
	if dump := r.dump(); strings.Contains(dump, secret) {
		t.Error("the database holds the key")
	}
}

// dump is everything that the tables of the portal hold.
func (r *rig) dump() string {
	r.t.Helper()
	var all strings.Builder
	for _, table := range []string{"application", "certificate", "audit_line", "sessions", "river_job", "letter"} {
		var rows string
		must(0, r.db.QueryRow(r.t.Context(), `select coalesce(string_agg(x::text, ' '), '') || ' ' ||
			coalesce(string_agg(encode(convert_to(x::text, 'UTF8'), 'escape'), ' '), '') from `+table+` x`).Scan(&rows))
		all.WriteString(rows)
	}
	return all.String()
}

func TestTwoTabsMakeOneApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	var wait sync.WaitGroup
	got := make([]answer, 8)
	for i := range got {
		b := r.as("ada")
		wait.Go(func() { got[i] = b.post(apply, "csr", newCSR("antrag"), "terms", "on", "version", r.Order.Terms) })
	}
	wait.Wait()
	won := 0
	for _, a := range got {
		if a.StatusCode == http.StatusSeeOther {
			won++
			continue
		}
		a.status(http.StatusConflict).has("Für diese Adresse läuft schon ein Antrag", "Antrag ansehen", "/client-certificates/applications/")
	}
	if n := r.count(`select count(*) from application`); won != 1 || n != 1 {
		t.Errorf("got %d successes and %d applications, want one", won, n)
	}
}

func TestWhoMayNotApplyIsToldWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ada, nora := r.as("ada"), r.as("nora")
	row := r.linkRow("ada.adler", "ada", "adler@uni.example")
	path, apply := fmt.Sprintf("/email-domains/uni.example/rows/%d", row), fmt.Sprintf("/client-certificates/apply/%d", row)
	refused := func(words string) {
		t.Helper()
		ada.get("/client-certificates").has(words).lacks("Zertifikat beantragen")
		ada.get(apply).status(http.StatusConflict).has(words)
		ada.post(apply, "csr", newCSR("antrag"), "terms", "on", "version", r.Order.Terms).status(http.StatusConflict).has(words)
	}
	nora.post(path + "/deactivate").status(http.StatusSeeOther)
	refused("Ihr Netzansprechpartner hat die Adresse deaktiviert")
	nora.post(path + "/activate").status(http.StatusSeeOther)
	nora.post(path+"/edit", "version", version(t, nora, path), "kind", "personal", "name", names["ada"]).status(http.StatusSeeOther)
	refused("Die Aliasse wurden geändert")
	must(r.db.Exec(t.Context(), `update link set suspended = false`))
	must(r.db.Exec(t.Context(), `update email_domain set proof_until = $1 where validation = 'domain'`, r.clock.Now().Add(-time.Hour)))
	refused("Der Nachweis der E-Mail-Domain ist abgelaufen")
	for _, p := range []string{apply, "/client-certificates/apply/999999", "/client-certificates/apply/x"} {
		r.as("bob").get(p).status(http.StatusNotFound)
	}
	r.as("bob").post(apply, "csr", newCSR("antrag"), "terms", "on", "version", r.Order.Terms).status(http.StatusNotFound)
}

func TestAnApplicationThatCameToNothingSaysWhyAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row, other := r.linkRow("ada.adler", "ada"), r.linkRow("zweite", "ada")
	ada, rita := r.as("ada"), r.as("rita")
	late := r.applied("ada", other)
	must(r.db.Exec(t.Context(), `update address_row set active = false, status = 'inactive' where id = $1`, other))
	must(0, r.Order.Issue(t.Context(), late))
	ada.get(fmt.Sprintf("/client-certificates/applications/%d", late)).status(http.StatusOK).has("Der Antrag wurde abgelehnt", "hat die Adresse deaktiviert").lacks("data-refresh")
	must(r.db.Exec(t.Context(), `update application set reason = 'pki.request.name_long' where id = $1`, late))
	for _, p := range []string{fmt.Sprintf("/client-certificates/applications/%d", late), "/client-certificates"} {
		ada.get(p).status(http.StatusOK).has("hat mehr als 64 Zeichen").lacks("no value", "name_long")
	}
	n := r.failed("ada", row)
	path := fmt.Sprintf("/client-certificates/applications/%d", n)
	ada.get(path).has("Das Zertifikat konnte nicht ausgestellt werden", "Zertifizierungsstelle hat den Antrag zurückgewiesen", "neuen Antrag")
	ada.get("/").has("konnte nicht ausgestellt werden", path, "wurde abgelehnt")
	ada.get("/client-certificates").has("gescheitert", "abgelehnt", path)
	rita.get("/").has("Eine Ausstellung ist gescheitert")
	rita.get("/office/applications").status(http.StatusOK).has("Ada Adler", "ada.adler@uni.example", "zurückgewiesen", "Noch einmal")
	retry := fmt.Sprintf("/office/applications/%d/retry", n)
	r.as("nora").post(retry).status(http.StatusForbidden)
	rita.post(retry).status(http.StatusSeeOther).follow().has("Ein neuer Versuch ist unterwegs", "Alle Anträge erledigt")
	rita.post(retry).status(http.StatusConflict).has("nicht gescheitert")
	ada.get(path).status(http.StatusOK).has("Das Zertifikat wird ausgestellt")
	r.clock.Advance(2 * time.Minute)
	ada.get(path).has("Es dauert länger als sonst")
}

func TestWithoutAnAuthorityApplyingSaysSo(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *portal.Config) {
		db, err := postgres.Open(t.Context(), c.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		must(db.Exec(t.Context(), `delete from authority`))
	})
	row := r.linkRow("ada.adler", "ada")
	ada := r.as("ada")
	const words = "noch keine Zertifizierungsstelle eingerichtet"
	ada.get("/client-certificates").status(http.StatusOK).has(words).lacks("Zertifikat beantragen")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	ada.get(apply).status(http.StatusServiceUnavailable).has(words)
	ada.post(apply, "csr", newCSR("antrag"), "terms", "on", "version", r.Order.Terms).status(http.StatusServiceUnavailable).has(words)
	ada.get("/pki").status(http.StatusOK).has("Noch keine Zertifizierungsstelle")
	ada.get("/pki/mail.crt").status(http.StatusNotFound)
	ada.get("/pki/mail.crl").status(http.StatusNotFound)
}

func TestAFunctionalCertificateNamesOnlyTheAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	ada := r.as("ada")
	ada.get(fmt.Sprintf("/client-certificates/apply/%d", row)).status(http.StatusOK).has("sekretariat@uni.example", "nennt nur die Adresse").lacks("<strong>Ada Adler")
	ada.get(fmt.Sprintf("/client-certificates/%d", r.certified("ada", row))).status(http.StatusOK).has("E=sekretariat@uni.example").lacks("CN=Ada", "CN=sek")
}

func TestWhoseNameNoCertificateHoldsIsToldBeforeApplying(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	ada := r.as("ada")
	must(r.db.Exec(t.Context(), `update account set family_name = E'Adl\ue000er' where username = 'ada'`))
	ada.get(apply).status(http.StatusConflict).has("nach „Adl“ das Zeichen U+E000", "dort berichtigen")
	ada.lang = "en"
	ada.get(apply).status(http.StatusConflict).has("After “Adl”", "the character U+E000")
	ada.upload(apply, "", "key", "csr", "csr", newCSR("ada"), "terms", "on", "version", r.Order.Terms).status(http.StatusConflict).has("U+E000")
	if n := 0; r.db.QueryRow(t.Context(), `select count(*) from application`).Scan(&n) != nil || n != 0 {
		t.Errorf("there are %d applications, want none", n)
	}
}
