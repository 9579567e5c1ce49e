package clients_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestDownloadsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	n := r.Certified("ada", r.LinkRow("ada.adler", "ada"))
	c := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], n))
	ada := r.As("ada")
	for path, want := range map[string][2]string{
		"/certificate.pem": {"application/x-pem-file", c.Reference + ".pem"},
		"/chain.pem":       {"application/pem-certificate-chain", c.Reference + "-chain.pem"},
	} {
		a := ada.Get(fmt.Sprintf("/client-certificates/%d%s", n, path)).Is(http.StatusOK)
		for header, w := range map[string]string{
			"Content-Type": want[0], "Content-Disposition": `attachment; filename="` + want[1] + `"`,
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		} {
			if got := a.Header.Get(header); got != w {
				t.Errorf("%s: %s: got %q, want %q", path, header, got, w)
			}
		}
		if first := sitetest.PemBlocks(t, a.Content)[0]; string(first.Raw) != string(c.DER) {
			t.Errorf("%s does not begin with the certificate", path)
		}
	}
}

func TestCertificatesAreSeenByWhomTheyConcern(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	n := r.Certified("ada", r.LinkRow("ada.adler", "ada"))
	for _, end := range []string{"", "/certificate.pem", "/chain.pem", "/revoke"} {
		path := fmt.Sprintf("/client-certificates/%d%s", n, end)
		for _, who := range []string{"bob", "sven", "niko"} {
			r.As(who).Get(path).Is(http.StatusNotFound)
		}
	}
	page := fmt.Sprintf("/client-certificates/%d", n)
	for _, who := range []string{"bob", "sven"} {
		r.As(who).Post(page+"/revoke", "reason", "0").Is(http.StatusNotFound)
	}
	r.As("nora").Get(page).Is(http.StatusOK).Has("Inhaber", "Ada Adler", "erst deaktivieren").Lacks("/revoke")
	r.As("rita").Get(page).Is(http.StatusOK).Has("Inhaber", "Ada Adler", "/revoke", "/office/certificates")
	if c := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], n)); c.Revoked != nil {
		t.Error("the certificate is revoked")
	}
}

func TestTheHolderRevokesForGood(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	row := r.LinkRow("ada.adler", "ada")
	n := r.Certified("ada", row)
	ada, page := r.As("ada"), fmt.Sprintf("/client-certificates/%d", n)
	ada.Get(page+"/revoke").Is(http.StatusOK).Has("lässt sich nicht zurücknehmen", "Der private Schlüssel ist in fremden Händen", "Ohne Angabe eines Grundes", "ada.adler@uni.example").
		Lacks("Das Recht auf das Zertifikat wurde entzogen")
	for _, form := range [][]string{nil, {"reason", "9"}, {"reason", "6"}, {"reason", "x"}} {
		ada.Post(page+"/revoke", form...).Is(http.StatusUnprocessableEntity).Has("Bitte füllen Sie dieses Feld aus", `href="#f-reason"`)
	}
	ada.Post(page+"/revoke", "reason", "1").Is(http.StatusSeeOther).Follow().Is(http.StatusOK).
		Has("Das Zertifikat ist widerrufen", "Der private Schlüssel ist in fremden Händen", "widerrufen").Lacks("/revoke\"")
	ada.Post(page+"/revoke", "reason", "1").Is(http.StatusConflict).Has("schon widerrufen")
	ada.Get(page + "/revoke").Is(http.StatusConflict)
	ada.Get("/client-certificates").Has("Kein gültiges Zertifikat", "Zertifikat beantragen")
	ada.Get("/client-certificates?which=over").Has(page, "widerrufen")
	serial := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], n)).Serial
	r.Until("the list names it", func() bool {
		l, err := x509.ParseRevocationList([]byte(r.Anonymous().Get("/pki/mail.crl").Content))
		return err == nil && len(l.RevokedCertificateEntries) == 1 && string(l.RevokedCertificateEntries[0].SerialNumber.Bytes()) == string(serial)
	})
	r.As("nora").Get(fmt.Sprintf("/email-domains/uni.example/rows/%d", row)).Has("Zertifikat widerrufen", "Grund: Der private Schlüssel")
}

func TestContactsRevokeWhatBelongsToAnInactiveRow(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	n := r.Certified("ada", row)
	nora, path, page := r.As("nora"), fmt.Sprintf("/email-domains/uni.example/rows/%d", row), fmt.Sprintf("/client-certificates/%d", n)
	nora.Get(path).Has("Ada Adler", page).Lacks(page + "/revoke")
	nora.Get(page + "/revoke").Is(http.StatusConflict).Has("erst deaktivieren")
	nora.Post(page+"/revoke", "reason", "5").Is(http.StatusConflict).Has("erst deaktivieren")
	nora.Get(path + "/deactivate").Has("Widerrufen Sie danach")
	nora.Post(path + "/deactivate").Is(http.StatusSeeOther)
	nora.Get(path).Has("noch ein gültiges Zertifikat", page+"/revoke")
	nora.Get(page).Has("Die Adresszeile ist inaktiv")
	nora.Get(page + "/revoke").Has("Ada Adler bekommt darüber eine Mail")
	nora.Post(page+"/revoke", "reason", "5").Is(http.StatusSeeOther).Follow().Has("Das Postfach gibt es nicht mehr")
	nora.Get(path).Lacks("noch ein gültiges Zertifikat", page+"/revoke")
	r.As("sven").Get(page).Is(http.StatusNotFound)
}

func TestOfficersFindCertificates(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	n := r.Certified("ada", r.LinkRow("ada.adler", "ada"))
	other := r.Certified("bob", r.LinkRow("bob.bach", "bob"))
	c := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], n))
	rita, path, none := r.As("rita"), fmt.Sprintf("/client-certificates/%d\"", n), fmt.Sprintf("/client-certificates/%d\"", other)
	rita.Get("/office/certificates").Is(http.StatusOK).Has(path, none)
	for _, q := range []string{
		"ada.adler@uni", "Adler", c.Reference, strings.ToLower(strings.ReplaceAll(c.Reference, "-", "+")), fmt.Sprintf("%x", c.Serial),
		strings.ReplaceAll(fmt.Sprintf("% X", c.Serial), " ", ":"),
	} {
		rita.Get("/office/certificates?q=" + q).Is(http.StatusOK).Has(path).Lacks(none)
	}
	rita.Get("/office/certificates?q=gibtesnicht").Has("Kein Treffer")
	rita.Get("/office").Has("/office/certificates", "/office/applications")
	rita.Get("/office/audit?action=cert.").Has("Zertifikat ausgestellt", path)
	rita.Get(fmt.Sprintf("/client-certificates/%d/revoke", n)).Has("Das Recht auf das Zertifikat wurde entzogen")
	rita.Post(fmt.Sprintf("/client-certificates/%d/revoke", n), "reason", "9").Is(http.StatusSeeOther)
}

func TestOnesOwnCertificatesAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	n := r.Certified("ada", row)
	trial.Must(r.Pool.Exec(t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, account, row_id, subject, emails, search, not_before, not_after, issued)
		select 'ALT-' || g, authority, issuer, decode(lpad(to_hex(g), 8, '0'), 'hex'), der, fingerprint, account, row_id, subject, emails, search, not_before,
			not_before + interval '1 hour 1 minute', issued from certificate, generate_series(1, 120) g where id = $1`, n))
	r.Clock.Advance(time.Hour)
	ada := r.As("ada")
	ada.Get("/client-certificates").Has("gültig", fmt.Sprintf("/client-certificates/%d\"", n)).Lacks("ALT-")
	seen, next := 0, "/client-certificates?which=over"
	for next != "" {
		page := ada.Get(next).Is(http.StatusOK).Has("abgelaufen")
		seen += strings.Count(page.Content, ">ALT-")
		_, rest, more := strings.Cut(page.Text(), `href="/client-certificates?before=`)
		if next = ""; more {
			next, _, _ = strings.Cut("/client-certificates?before="+rest, `#`)
		}
	}
	if seen != 120 {
		t.Errorf("got %d certificates on all pages, want 120", seen)
	}
	ada.Get("/client-certificates?which=all").Has("ALT-120")
	r.As("bob").Get("/client-certificates?which=all").Lacks("ALT-")
}

func TestTheOverviewTellsOfCertificatesThatEnd(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada.adler", "ada")
	n := r.Certified("ada", row)
	r.As("ada").Get("/").Has("Alles erledigt")
	r.Clock.Advance(710 * 24 * time.Hour)
	trial.Must(r.Pool.Exec(t.Context(), `update email_domain set proof_from = $1, proof_until = $2 where validation = 'domain'`, r.Clock.Now(), r.Clock.Now().Add(100*24*time.Hour)))
	ada := r.As("ada")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	ada.Get("/").Has("Ihr Zertifikat für ada.adler@uni.example endet in 20 Tagen", "Nächstes beantragen", apply)
	ada.Get("/client-certificates").Has("endet bald", "Zertifikat beantragen")
	ada.Get(fmt.Sprintf("/client-certificates/%d", n)).Has("Dieses Zertifikat endet bald", "noch 20 von 730 Tagen", "können Sie schon das nächste beantragen")
	trial.Must(0, r.Mailbox.Deactivate(t.Context(), r.Actors["nora"], "uni.example", row))
	ada.Get("/").Has("endet in 20 Tagen", `href="/client-certificates"`).Lacks("Nächstes beantragen", apply)
	ada.Get(fmt.Sprintf("/client-certificates/%d", n)).Has("Dieses Zertifikat endet bald. Ihr Netzansprechpartner hat die Adresse deaktiviert").Lacks("schon das nächste")
	trial.Must(0, r.Mailbox.Activate(t.Context(), r.Actors["nora"], "uni.example", row))
	r.Clock.Advance(21 * 24 * time.Hour)
	ada = r.As("ada")
	ada.Get("/").Has("Ihr Zertifikat für ada.adler@uni.example ist gestern abgelaufen", apply).Lacks("Alles erledigt")
	ada.Get(fmt.Sprintf("/client-certificates/%d", n)).Has("Nur Zertifikat (PEM)").Lacks("Mit Kette herunterladen", "openssl pkcs12")
	r.Applied("ada", row)
	ada.Get("/").Lacks("abgelaufen")
}

func TestALinkedNameThatHasNothingOfTheRowsIsMarked(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkInput(mailbox.Input{Kind: mailbox.Personal, Name: "Cranz, Clara", Primary: "c.cranz@uni.example"}, "ada")
	same := r.LinkRow("ada.adler", "ada")
	office := r.LinkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: "sekretariat@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	nora, domain := r.As("nora"), "/email-domains/uni.example"
	if got := strings.Count(nora.Get(domain).Content, "Name weicht ab"); got != 1 {
		t.Errorf("the table: got %d marks, want one", got)
	}
	nora.Get(fmt.Sprintf("%s/rows/%d", domain, row)).Has("Name weicht ab", "kein Wort gemeinsam")
	for _, n := range []mailbox.ID{same, office} {
		nora.Get(fmt.Sprintf("%s/rows/%d", domain, n)).Lacks("Name weicht ab")
	}
}
