package site_test

import (
	"net/http"
	"regexp"
	"testing"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

func TestSecurityTextSaysWhoIsToldOfFlaws(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	a := r.Anonymous().Get("/.well-known/security.txt").Is(http.StatusOK)
	for _, want := range []string{"Contact: mailto:security@uni.example\n", "Expires: ", "Preferred-Languages: de, en\n", "Canonical: " + r.Base + "/.well-known/security.txt\n"} {
		a.Has(want)
	}
}

func TestAnybodyReportsACertificateAndOfficersAnswerWithinADay(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	reference := r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example")
	var fingerprint string
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select encode(fingerprint, 'hex') from certificate where reference = $1`, reference).Scan(&fingerprint))
	anybody := r.Anonymous()
	anybody.Get("/imprint").Has(`href="/report"`)
	anybody.Post("/report", "reason", "1", "words", "Lag im Netz", "certificate", "unsinn", "email", "a@b.example").Is(http.StatusUnprocessableEntity).
		Has("Lag im Netz").Has("unsinn").Has("a@b.example")
	anybody.Post("/report", "reason", "1", "words", "Lag im Netz", "certificate", fingerprint).Is(http.StatusOK).Has("Referenznummer")
	rita := r.As("rita")
	rita.Get("/office").Has("Eine Meldung zu einem Zertifikat ist zu prüfen")
	rita.Get("/office/reports").Has(reference).Has("offen")
	var id int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from key_report`).Scan(&id))
	flood := `insert into key_report (reference, key, certificate, word, reason, created, due) select 'R' || n, key, certificate, false, 1, created, due from key_report, generate_series(1, 120) n`
	trial.Must(r.Pool.Exec(t.Context(), flood))
	rita.Get("/office").Has("121 Meldungen zu Zertifikaten sind zu prüfen")
	rita.Get("/office/reports").Has("Gezeigt sind die 100 mit der frühesten Frist")
	trial.Must(r.Pool.Exec(t.Context(), `delete from key_report where id <> $1`, id))
	r.Clock.Advance(25 * 60 * 60e9)
	rita = r.As("rita")
	rita.Get("/office").Has("Eine Meldung zu einem Zertifikat ist überfällig.")
	rita.Get("/office/reports").Has("überfällig")
	rita.Post(paths.OfficeReport(id), "answer", "").Is(http.StatusUnprocessableEntity).Has("Bitte füllen Sie dieses Feld aus.")
	rita.Post(paths.OfficeReport(id), "answer", "Ist geklärt.").Is(http.StatusSeeOther)
	rita.Get("/office").Lacks("überfällig")
}

func TestTheOfficeSeesWhatFallsAndWhoseItIsBeforeItBlocksAKey(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	key := sitetest.ECKey()
	one := r.Served(r.Organisation, key.Public(), 90, "www.uni.example")
	var digest string
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select encode(key, 'hex') from certificate where reference = $1`, one).Scan(&digest))
	rita := r.As("rita")
	rita.Get("/certificates/" + one).Has("/office/keys/" + digest)
	rita.Post("/office/keys", "which", digest).Is(http.StatusSeeOther)
	rita.Get("/office/keys/" + digest).Has("Ein gültiges Zertifikat wird widerrufen").Has(one).Has("wird sofort widerrufen").Has("Universität Probe")
	rita.Post("/office/keys/"+digest, "note", "Lag im Netz").Is(http.StatusSeeOther)
	rita.Get("/office/keys/" + digest).Has("gesperrt").Has("Lag im Netz")
	rita.Get("/office/audit?action=compromise.").Has(`href="/office/keys/` + digest + `"`).Has("Schlüssel " + digest[:16])
	r.As("nora").Get("/certificates/" + one).Has("widerrufen")
	rita.Get("/office/keys").Has(digest)
}

func TestAValueIsShownOnceAndACSRWithItEndsTheKey(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	private, csr := sitetest.NewKey("www.uni.example")
	anybody := r.Anonymous()
	page := anybody.Post("/report/key", "certificate", csr).Is(http.StatusOK)
	if regexp.MustCompile(`CN=Petschaft key compromise [A-Z2-7]{26}`).FindString(page.Content) == "" {
		t.Error("the page gives out no value")
	}
	anybody.Post("/report/key/proof", "csr", csr).Is(http.StatusUnprocessableEntity).Has("Dieser CSR beweist nichts")
	anybody.Post("/report/key", "certificate", private).Is(http.StatusUnprocessableEntity).Lacks("BEGIN PRIVATE KEY")
}
