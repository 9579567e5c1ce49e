package earlier_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"testing"

	"petschaft/internal/cert"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// part is a part of the form: a file, or text where it has no name.
type part struct{ field, file, content string }

func sendEarlier(b *sitetest.Browser, parts ...part) sitetest.Answer {
	b.Rig.T.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for _, p := range parts {
		if p.file == "" {
			trial.Must(0, m.WriteField(p.field, p.content))
			continue
		}
		trial.Must(trial.Must(m.CreateFormFile(p.field, p.file)).Write([]byte(p.content)))
	}
	trial.Must(0, m.Close())
	req := trial.Must(http.NewRequest(http.MethodPost, b.Rig.At("/office/earlier"), &body))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.Send(req)
}

// TestAnOfficerTakesOverEarlierCertificates through the pages: files and a list
// of owners, the plan, an assignment, and what its people see then.
func TestAnOfficerTakesOverEarlierCertificates(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := fmt.Sprint("/email-domains/uni.example/rows/", r.LinkRow("ada", "ada"))
	e, rita := r.NewElsewhere(), r.As("rita")
	file := string(e.Mail(20, "ada@uni.example")) + string(e.Server(90, "Irgendwer", "alt.fremd.example"))
	plan := sendEarlier(rita, part{"files", "alt.pem", file}).Is(http.StatusSeeOther).To()
	rita.Get(plan).Is(http.StatusOK).Has("ada@uni.example", "alt.fremd.example", "nicht zugeordnet", "Ein Zertifikat übernehmen", "Keine Organisation hat alle diese Namen")
	rita.Get(plan + "?show=faulty").Is(http.StatusOK).Has("Hier ist keines")
	rita.Post(plan+"/lines/2", "organisation", "Unsinn").Is(http.StatusUnprocessableEntity).Has("Eine Organisation dieses Namens gibt es im Portal nicht", `value="Unsinn"`)
	rita.Post(plan+"/lines/2", "organisation", "universität probe").Is(http.StatusSeeOther)
	rita.Get(plan).Has("2 Zertifikate übernehmen", "Plan verwerfen").Lacks("Rest verwerfen")
	rita.Post(plan + "/apply").Is(http.StatusSeeOther)
	rita.Post(plan + "/apply").Is(http.StatusConflict).Has("Es gibt nichts zu übernehmen")
	rita.Get("/office/earlier").Is(http.StatusOK).Has("2 von 2 übernommen")

	ada := r.As("ada")
	mine := trial.Must(r.Cert.Mine(t.Context(), r.Actors["ada"], cert.Valid, 0, 10))
	if len(mine) != 1 {
		t.Fatalf("got %d certificates of hers, want one", len(mine))
	}
	path := fmt.Sprint("/client-certificates/", mine[0].ID)
	ada.Get(path).Is(http.StatusOK).Has("stammt nicht aus dem Portal", "CN=Alte CA")
	ada.Get(path + "/chain.pem").Is(http.StatusOK).Has("BEGIN CERTIFICATE")
	ada.Get(path + "/revoke").Is(http.StatusOK).Has("vermerkt den Widerruf nur")
	rita.Get(row).Has("Widerruf aller Zertifikate vermerken", "Widerruf vermerken").Lacks("Alle Zertifikate widerrufen", ">Widerrufen")
	rita.Get(row+"/revoke").Is(http.StatusOK).Has("vermerkt das Portal nur", "Widerruf aller Zertifikate vermerken").Lacks("öffentlichen Sperrliste", "Alle Zertifikate widerrufen")
	rita.Post(row+"/revoke", "reason", "4").Is(http.StatusSeeOther).Follow().Has("Der Widerruf eines Zertifikats ist vermerkt").Lacks("Die neue Sperrliste")
	ada.Get(path).Is(http.StatusOK).Has("nur hier vermerkt")

	nora := r.As("nora")
	server := trial.Must(r.Cert.Servers(t.Context(), r.Actors["nora"], cert.ServerView{})).Certificates[0]
	path = "/certificates/" + server.Reference
	nora.Get(path).Is(http.StatusOK).Has("stammt nicht aus dem Portal", "nicht aus diesem Portal", "Neu bestellen wie dieses")
	nora.Get(path + "/certificate.pem").Is(http.StatusOK)
	nora.Get(path + "/fullchain.pem").Is(http.StatusNotFound) // nothing above it was given
	nora.Get(path + "/renew").Is(http.StatusConflict)
	nora.Get("/certificates").Is(http.StatusOK).Has("alt.fremd.example")
}

// TestOddCertificatesAreShown: the plan says what is odd, and the pages of those
// that were taken over open like all others.
func TestOddCertificatesAreShown(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita, nora := r.As("rita"), r.As("nora")
	file := string(trial.Must(os.ReadFile("../../pki/testdata/51-old-all.pem")))
	plan := sendEarlier(rita, part{"files", "alt.p7b", file}).Is(http.StatusSeeOther).To()
	rita.Get(plan).Is(http.StatusOK).Has(
		"Hinweis: Ein Text in Subject oder Aussteller", "Hinweis: Die Seriennummer ist negativ", "Hinweis: Die Seriennummer ist 0", "Hinweis: Die Seriennummer ist länger",
		"Hinweis: Das Zertifikat ist älter als Version 3", "Hinweis: Adresse oder Name stehen nur im Subject", "Hinweis: Ein Name darin steht mit Umlauten",
		"prüfstand-süd.example", "old1.institut.example", "CN=Old Issuing 2").Lacks("kein lesbares Zertifikat")
	for line := range 12 {
		if line != 10 { // hers is for mail
			rita.Post(fmt.Sprintf("%s/lines/%d", plan, line+1), "organisation", "Universität Probe").Is(http.StatusSeeOther)
		}
	}
	rita.Post(plan + "/apply").Is(http.StatusSeeOther)
	all := trial.Must(r.Cert.Servers(t.Context(), r.Actors["nora"], cert.ServerView{Which: cert.All})).Certificates
	if len(all) != 11 {
		t.Errorf("got %d certificates of servers, want 11", len(all))
	}
	for _, c := range all {
		nora.Get("/certificates/"+c.Reference).Is(http.StatusOK).Has(cert.Spelled(c.CommonName), "EC P-256")
		nora.Get("/certificates/" + c.Reference + "/certificate.pem").Is(http.StatusOK)
	}
}

// TestAnUploadIsRefusedInWords, and a private key is not sent back.
func TestAnUploadIsRefusedInWords(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	const key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----"
	sendEarlier(rita, part{"pasted", "", key}).Is(http.StatusUnprocessableEntity).Has("einen privaten Schlüssel").Lacks("MIGHAgEA")
	sendEarlier(rita, part{"pasted", "", "Guten Tag"}).Is(http.StatusUnprocessableEntity).Has("enthält kein Zertifikat", ">Guten Tag</textarea>")
	sendEarlier(rita).Is(http.StatusUnprocessableEntity).Has("kein Zertifikat einer Person")
	one := string(r.NewElsewhere().Server(90, "x", "x.example"))
	sendEarlier(rita, part{"files", "x.pem", one}, part{"owners", "wem.csv", "Farbe;Form\nrot;rund\n"}).
		Is(http.StatusUnprocessableEntity).Has("In den ersten Zeilen der Besitzerliste")
}
