package site_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
)

func TestDownloadsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.certified("ada", r.linkRow("ada.adler", "ada"))
	c := must(r.Cert.One(t.Context(), r.actors["ada"], n))
	ada := r.as("ada")
	for path, want := range map[string][2]string{
		"/certificate.pem": {"application/x-pem-file", c.Reference + ".pem"},
		"/chain.pem":       {"application/pem-certificate-chain", c.Reference + "-chain.pem"},
	} {
		a := ada.get(fmt.Sprintf("/client-certificates/%d%s", n, path)).status(http.StatusOK)
		for header, w := range map[string]string{
			"Content-Type": want[0], "Content-Disposition": `attachment; filename="` + want[1] + `"`,
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		} {
			if got := a.Header.Get(header); got != w {
				t.Errorf("%s: %s: got %q, want %q", path, header, got, w)
			}
		}
		if first := pemBlocks(t, a.body)[0]; string(first.Raw) != string(c.DER) {
			t.Errorf("%s does not begin with the certificate", path)
		}
	}
}

func TestCertificatesAreSeenByWhomTheyConcern(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.certified("ada", r.linkRow("ada.adler", "ada"))
	for _, end := range []string{"", "/certificate.pem", "/chain.pem", "/revoke"} {
		path := fmt.Sprintf("/client-certificates/%d%s", n, end)
		for _, who := range []string{"bob", "sven", "niko"} {
			r.as(who).get(path).status(http.StatusNotFound)
		}
	}
	page := fmt.Sprintf("/client-certificates/%d", n)
	for _, who := range []string{"bob", "sven"} {
		r.as(who).post(page+"/revoke", "reason", "0").status(http.StatusNotFound)
	}
	r.as("nora").get(page).status(http.StatusOK).has("Inhaber", "Ada Adler", "erst deaktivieren").lacks("/revoke")
	r.as("rita").get(page).status(http.StatusOK).has("Inhaber", "Ada Adler", "/revoke", "/office/certificates")
	if c := must(r.Cert.One(t.Context(), r.actors["ada"], n)); c.Revoked != nil {
		t.Error("the certificate is revoked")
	}
}

func TestTheHolderRevokesForGood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	row := r.linkRow("ada.adler", "ada")
	n := r.certified("ada", row)
	ada, page := r.as("ada"), fmt.Sprintf("/client-certificates/%d", n)
	ada.get(page+"/revoke").status(http.StatusOK).has("lässt sich nicht zurücknehmen", "Der private Schlüssel ist in fremden Händen", "Ohne Angabe eines Grundes", "ada.adler@uni.example").
		lacks("Das Recht auf das Zertifikat wurde entzogen")
	for _, form := range [][]string{nil, {"reason", "9"}, {"reason", "6"}, {"reason", "x"}} {
		ada.post(page+"/revoke", form...).status(http.StatusUnprocessableEntity).has("Bitte füllen Sie dieses Feld aus", `href="#f-reason"`)
	}
	ada.post(page+"/revoke", "reason", "1").status(http.StatusSeeOther).follow().status(http.StatusOK).
		has("Das Zertifikat ist widerrufen", "Der private Schlüssel ist in fremden Händen", "widerrufen").lacks("/revoke\"")
	ada.post(page+"/revoke", "reason", "1").status(http.StatusConflict).has("schon widerrufen")
	ada.get(page + "/revoke").status(http.StatusConflict)
	ada.get("/client-certificates").has("Kein gültiges Zertifikat", "Zertifikat beantragen")
	ada.get("/client-certificates?which=over").has(page, "widerrufen")
	serial := must(r.Cert.One(t.Context(), r.actors["ada"], n)).Serial
	r.until("the list names it", func() bool {
		l, err := x509.ParseRevocationList([]byte(r.anonymous().get("/pki/mail.crl").body))
		return err == nil && len(l.RevokedCertificateEntries) == 1 && string(l.RevokedCertificateEntries[0].SerialNumber.Bytes()) == string(serial)
	})
	r.as("nora").get(fmt.Sprintf("/email-domains/uni.example/rows/%d", row)).has("Zertifikat widerrufen", "Grund: Der private Schlüssel")
}

func TestContactsRevokeWhatBelongsToAnInactiveRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	n := r.certified("ada", row)
	nora, path, page := r.as("nora"), fmt.Sprintf("/email-domains/uni.example/rows/%d", row), fmt.Sprintf("/client-certificates/%d", n)
	nora.get(path).has("Ada Adler", page).lacks(page + "/revoke")
	nora.get(page + "/revoke").status(http.StatusConflict).has("erst deaktivieren")
	nora.post(page+"/revoke", "reason", "5").status(http.StatusConflict).has("erst deaktivieren")
	nora.get(path + "/deactivate").has("Widerrufen Sie danach")
	nora.post(path + "/deactivate").status(http.StatusSeeOther)
	nora.get(path).has("noch ein gültiges Zertifikat", page+"/revoke")
	nora.get(page).has("Die Adresszeile ist inaktiv")
	nora.get(page + "/revoke").has("Ada Adler bekommt darüber eine Mail")
	nora.post(page+"/revoke", "reason", "5").status(http.StatusSeeOther).follow().has("Das Postfach gibt es nicht mehr")
	nora.get(path).lacks("noch ein gültiges Zertifikat", page+"/revoke")
	r.as("sven").get(page).status(http.StatusNotFound)
}

func TestOfficersFindCertificates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.certified("ada", r.linkRow("ada.adler", "ada"))
	other := r.certified("bob", r.linkRow("bob.bach", "bob"))
	c := must(r.Cert.One(t.Context(), r.actors["ada"], n))
	rita, path, none := r.as("rita"), fmt.Sprintf("/client-certificates/%d\"", n), fmt.Sprintf("/client-certificates/%d\"", other)
	rita.get("/office/certificates").status(http.StatusOK).has(path, none)
	for _, q := range []string{
		"ada.adler@uni", "Adler", c.Reference, strings.ToLower(strings.ReplaceAll(c.Reference, "-", "+")), fmt.Sprintf("%x", c.Serial),
		strings.ReplaceAll(fmt.Sprintf("% X", c.Serial), " ", ":"),
	} {
		rita.get("/office/certificates?q=" + q).status(http.StatusOK).has(path).lacks(none)
	}
	rita.get("/office/certificates?q=gibtesnicht").has("Kein Treffer")
	rita.get("/office").has("/office/certificates", "/office/applications")
	rita.get("/office/audit?action=cert.").has("Zertifikat ausgestellt", path)
	rita.get(fmt.Sprintf("/client-certificates/%d/revoke", n)).has("Das Recht auf das Zertifikat wurde entzogen")
	rita.post(fmt.Sprintf("/client-certificates/%d/revoke", n), "reason", "9").status(http.StatusSeeOther)
}

func TestOnesOwnCertificatesAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada.adler", "ada")
	n := r.certified("ada", row)
	must(r.db.Exec(t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, account, row_id, subject, emails, search, not_before, not_after, issued)
		select 'ALT-' || g, authority, issuer, decode(lpad(to_hex(g), 8, '0'), 'hex'), der, fingerprint, account, row_id, subject, emails, search, not_before,
			not_before + interval '1 hour 1 minute', issued from certificate, generate_series(1, 120) g where id = $1`, n))
	r.clock.Advance(time.Hour)
	ada := r.as("ada")
	ada.get("/client-certificates").has("gültig", fmt.Sprintf("/client-certificates/%d\"", n)).lacks("ALT-")
	seen, next := 0, "/client-certificates?which=over"
	for next != "" {
		page := ada.get(next).status(http.StatusOK).has("abgelaufen")
		seen += strings.Count(page.body, ">ALT-")
		_, rest, more := strings.Cut(page.text(), `href="/client-certificates?before=`)
		if next = ""; more {
			next, _, _ = strings.Cut("/client-certificates?before="+rest, `#`)
		}
	}
	if seen != 120 {
		t.Errorf("got %d certificates on all pages, want 120", seen)
	}
	ada.get("/client-certificates?which=all").has("ALT-120")
	r.as("bob").get("/client-certificates?which=all").lacks("ALT-")
}

func TestTheOverviewTellsOfCertificatesThatEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.certified("ada", r.linkRow("ada.adler", "ada"))
	r.as("ada").get("/").lacks("Ihr Zertifikat für")
	r.clock.Advance(710 * 24 * time.Hour)
	must(r.db.Exec(t.Context(), `update email_domain set proof_from = $1, proof_until = $2 where validation = 'domain'`, r.clock.Now(), r.clock.Now().Add(100*24*time.Hour)))
	ada := r.as("ada")
	ada.get("/").has("Ihr Zertifikat für ada.adler@uni.example endet am", "Nächstes beantragen")
	ada.get("/client-certificates").has("endet bald", "Zertifikat beantragen")
	ada.get(fmt.Sprintf("/client-certificates/%d", n)).has("Dieses Zertifikat endet bald", "noch 20 von 730 Tagen")
}

func TestALinkedNameThatHasNothingOfTheRowsIsMarked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkInput(mailbox.Input{Kind: mailbox.Personal, Name: "Cranz, Clara", Primary: "c.cranz@uni.example"}, "ada")
	same := r.linkRow("ada.adler", "ada")
	office := r.linkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	nora, domain := r.as("nora"), "/email-domains/uni.example"
	if got := strings.Count(nora.get(domain).body, "Name weicht ab"); got != 1 {
		t.Errorf("the table: got %d marks, want one", got)
	}
	nora.get(fmt.Sprintf("%s/rows/%d", domain, row)).has("Name weicht ab", "kein Wort gemeinsam")
	for _, n := range []mailbox.ID{same, office} {
		nora.get(fmt.Sprintf("%s/rows/%d", domain, n)).lacks("Name weicht ab")
	}
}
