package site_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"testing"

	"petschaft/internal/cert"
)

// earlierPart is a part of the form: a file, or text where it has no name.
type earlierPart struct{ field, file, content string }

func (b *browser) sendEarlier(parts ...earlierPart) answer {
	b.r.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for _, p := range parts {
		if p.file == "" {
			must(0, m.WriteField(p.field, p.content))
			continue
		}
		must(must(m.CreateFormFile(p.field, p.file)).Write([]byte(p.content)))
	}
	must(0, m.Close())
	req := must(http.NewRequest(http.MethodPost, b.r.at("/office/earlier"), &body))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(req)
}

// TestAnOfficerTakesOverEarlierCertificates through the pages: files and a list
// of owners, the plan, an assignment, and what its people see then.
func TestAnOfficerTakesOverEarlierCertificates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.linkRow("ada", "ada")
	e, rita := r.elsewhere(), r.as("rita")
	file := string(e.mail(20, "ada@uni.example")) + string(e.server(90, "Irgendwer", "alt.fremd.example"))
	plan := rita.sendEarlier(earlierPart{"files", "alt.pem", file}).status(http.StatusSeeOther).to()
	rita.get(plan).status(http.StatusOK).has("ada@uni.example", "alt.fremd.example", "nicht zugeordnet", "Ein Zertifikat übernehmen", "Keine Organisation hat alle diese Namen")
	rita.get(plan + "?show=faulty").status(http.StatusOK).has("Hier ist keines")
	rita.post(plan+"/lines/2", "organisation", "Unsinn").status(http.StatusUnprocessableEntity).has("Eine Organisation dieses Namens gibt es im Portal nicht", `value="Unsinn"`)
	rita.post(plan+"/lines/2", "organisation", "universität probe").status(http.StatusSeeOther)
	rita.get(plan).has("2 Zertifikate übernehmen")
	rita.post(plan + "/apply").status(http.StatusSeeOther)
	rita.post(plan + "/apply").status(http.StatusConflict).has("Es gibt nichts zu übernehmen")
	rita.get("/office/earlier").status(http.StatusOK).has("2 von 2 übernommen")

	ada := r.as("ada")
	mine := must(r.Cert.Mine(t.Context(), r.actors["ada"], cert.Valid, 0, 10))
	if len(mine) != 1 {
		t.Fatalf("got %d certificates of hers, want one", len(mine))
	}
	path := fmt.Sprint("/client-certificates/", mine[0].ID)
	ada.get(path).status(http.StatusOK).has("stammt nicht aus dem Portal", "CN=Alte CA")
	ada.get(path + "/chain.pem").status(http.StatusOK).has("BEGIN CERTIFICATE")
	ada.get(path + "/revoke").status(http.StatusOK).has("vermerkt den Widerruf nur")
	ada.post(path+"/revoke", "reason", "4").status(http.StatusSeeOther)
	ada.get(path).status(http.StatusOK).has("nur hier vermerkt")

	nora := r.as("nora")
	server := must(r.Cert.Servers(t.Context(), r.actors["nora"], cert.ServerView{})).Certificates[0]
	path = "/certificates/" + server.Reference
	nora.get(path).status(http.StatusOK).has("stammt nicht aus dem Portal", "nicht aus diesem Portal", "lässt sich hier nicht verlängern")
	nora.get(path + "/certificate.pem").status(http.StatusOK)
	nora.get(path + "/fullchain.pem").status(http.StatusNotFound) // nothing above it was given
	nora.get(path + "/renew").status(http.StatusConflict)
	nora.get("/certificates").status(http.StatusOK).has("alt.fremd.example")
}

// TestOddCertificatesAreShown: the plan says what is odd, and the pages of those
// that were taken over open like all others.
func TestOddCertificatesAreShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita, nora := r.as("rita"), r.as("nora")
	file := string(must(os.ReadFile("testdata/51-old-all.pem")))
	plan := rita.sendEarlier(earlierPart{"files", "alt.p7b", file}).status(http.StatusSeeOther).to()
	rita.get(plan).status(http.StatusOK).has(
		"Hinweis: Ein Text in Subject oder Aussteller", "Hinweis: Die Seriennummer ist negativ", "Hinweis: Die Seriennummer ist 0", "Hinweis: Die Seriennummer ist länger",
		"Hinweis: Das Zertifikat ist älter als Version 3", "Hinweis: Adresse oder Name stehen nur im Subject", "Hinweis: Ein Name darin steht mit Umlauten",
		"prüfstand-süd.example", "old1.institut.example", "CN=Old Issuing 2").lacks("kein lesbares Zertifikat")
	for line := range 12 {
		if line != 10 { // hers is for mail
			rita.post(fmt.Sprintf("%s/lines/%d", plan, line+1), "organisation", "Universität Probe").status(http.StatusSeeOther)
		}
	}
	rita.post(plan + "/apply").status(http.StatusSeeOther)
	all := must(r.Cert.Servers(t.Context(), r.actors["nora"], cert.ServerView{Which: cert.All})).Certificates
	if len(all) != 11 {
		t.Errorf("got %d certificates of servers, want 11", len(all))
	}
	for _, c := range all {
		nora.get("/certificates/"+c.Reference).status(http.StatusOK).has(cert.Spelled(c.CommonName), "EC P-256")
		nora.get("/certificates/" + c.Reference + "/certificate.pem").status(http.StatusOK)
	}
}

// TestAnUploadIsRefusedInWords, and a private key is not sent back.
func TestAnUploadIsRefusedInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	const key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----"
	rita.sendEarlier(earlierPart{"pasted", "", key}).status(http.StatusUnprocessableEntity).has("einen privaten Schlüssel").lacks("MIGHAgEA")
	rita.sendEarlier(earlierPart{"pasted", "", "Guten Tag"}).status(http.StatusUnprocessableEntity).has("enthält kein Zertifikat", ">Guten Tag</textarea>")
	rita.sendEarlier().status(http.StatusUnprocessableEntity).has("kein Zertifikat einer Person")
	one := string(r.elsewhere().server(90, "x", "x.example"))
	rita.sendEarlier(earlierPart{"files", "x.pem", one}, earlierPart{"owners", "wem.csv", "Farbe;Form\nrot;rund\n"}).
		status(http.StatusUnprocessableEntity).has("In den ersten Zeilen der Besitzerliste")
}

// TestTheDigestIsOrderedOnTheDomainsPage, and the language chosen there is that
// of letters.
func TestTheDigestIsOrderedOnTheDomainsPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	nora.get("/email-domains").status(http.StatusOK).has("Wochenübersicht bestellen")
	nora.post("/email-domains/digest", "wants", "yes").status(http.StatusSeeOther)
	nora.get("/email-domains").has("Wochenübersicht abbestellen")
	nora.post("/email-domains/digest").status(http.StatusSeeOther)
	nora.get("/email-domains").has("Wochenübersicht bestellen")
	nora.post("/language", "lang", "en").status(http.StatusSeeOther)
	var lang string
	must(0, r.db.QueryRow(t.Context(), `select language from account where id = $1`, r.actors["nora"].Account).Scan(&lang))
	if lang != "en" {
		t.Errorf("got the language %q, want the one that was chosen", lang)
	}
}
