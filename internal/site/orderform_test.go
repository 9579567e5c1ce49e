package site_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"petschaft/internal/org"
)

// requestFile is a request as somebody brought it.
func requestFile(t *testing.T, name string) string {
	t.Helper()
	return string(must(os.ReadFile(filepath.Join("testdata", "cases", name+".csr"))))
}

func TestNamesOfARequestAreOfferedAsTheyWillBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sven := r.as("sven")
	mine := must(r.Org.Organisations(t.Context(), r.actors["sven"]))[0].ID
	name := must(r.Org.AddName(t.Context(), r.actors["rita"], mine, org.NameInput{Name: "prüfstand-süd.example"}))
	must(0, r.Org.ValidateName(t.Context(), r.actors["rita"], name, org.Check{Proof: org.Proof{Method: "DNS TXT", By: "RA", From: r.clock.Now()}}))
	const without = "Aus Ihrem CSR wird nicht übernommen"
	for file, want := range map[string]struct {
		names []string
		added bool
	}{
		"02-noattrs":       {[]string{"www.institut.example"}, false},
		"05-upper":         {[]string{"www.institut.example", "mail.institut.example"}, false},
		"07-cn-not-in-san": {[]string{"www.institut.example", "wiki.institut.example"}, true},
		"10b-backslash-n":  {[]string{"www.institut.example"}, false},
		"11z-openssl-idn":  {[]string{"www.institut.example", "prüfstand-süd.example"}, true},
		"12b-ms-extreq":    {[]string{"www.institut.example", "wiki.institut.example"}, false},
	} {
		csr, names := requestFile(t, file), strings.Join(want.names, "\n")
		page := sven.post("/orders/new", "step", "names", "csr", csr).status(http.StatusOK).has(">" + names + "</textarea>").lacks(without)
		const added = "steht in Ihrem CSR nur als CN"
		if want.added {
			page.has("www.institut.example " + added)
		} else {
			page.lacks(added)
		}
		sven.post("/orders/new", "step", "check", "csr", csr, "names", names, "organisation", fmt.Sprint(mine), "product", "tls-multi").
			status(http.StatusOK).has(want.names...).lacks(without)
	}
	sven.post("/orders/new", "step", "names", "csr", requestFile(t, "07-cn-not-in-san"), "names", "wiki.institut.example").
		status(http.StatusOK).has(without, "Der Name „www.institut.example“ (CN)").lacks("nur als CN")
}

func TestAKeyThatNoServerMayHaveIsRefusedAtTheFirstStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	big := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	p521 := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, big))})
	nora.post("/orders/new", "step", "names", "csr", string(p521)).status(http.StatusUnprocessableEntity).
		has("Schlüssel der Art EC P-521 gibt es bei keinem Produkt", "EC P-256, EC P-384, RSA 2048", `href="#f-csr"`)
	nora.post("/orders/new", "step", "names", "csr", requestFile(t, "09c-ed25519")).status(http.StatusUnprocessableEntity).
		has("Für Server sind nur RSA- und EC-Schlüssel möglich").lacks("Mailprogramm")
}

func TestAStepThatDoesNotExistOrdersNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	whole := []string{"csr", newCSR("www.uni.example"), "names", "www.uni.example", "organisation", fmt.Sprint(r.organisation), "product", "tls-single", "comment", "Bleibt da"}
	for _, step := range [][]string{nil, {"step", ""}, {"step", "sumbit"}} {
		nora.post("/orders/new", append(step, whole...)...).status(http.StatusUnprocessableEntity).
			has("Nichts wurde bestellt", "Bleibt da", strings.Split(whole[1], "\n")[1])
	}
	if n := r.count(`select count(*) from server_order`); n != 0 {
		t.Errorf("got %d orders, want none", n)
	}
	nora.post("/orders/new", append(whole, "step", "submit")...).status(http.StatusSeeOther)
}

func TestAFileThatIsTooLargeLosesNothingTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	whole := []string{"step", "names", "csr", newCSR("www.uni.example"), "names", "www.uni.example", "product", "tls-multi", "comment", "Bleibt da"}
	for _, size := range []int{70_000, 300_000, 3_000_000} {
		nora.upload("/orders/new", strings.Repeat("x", size), whole...).status(http.StatusUnprocessableEntity).
			has("größer als 64 KiB", `href="#f-file"`, "Bleibt da", "www.uni.example", strings.Split(whole[3], "\n")[1])
	}
	nora.post("/orders/new", append(whole, "x", strings.Repeat("x", 300_000))...).status(http.StatusRequestEntityTooLarge).
		has("höchstens 256 KiB", "Gehen Sie im Browser zurück").lacks("Teilen Sie")
	nora.upload("/orders/new", strings.Repeat("x", 17<<20), whole...).status(http.StatusRequestEntityTooLarge).has("64 KiB")
	nora.upload("/orders/new", "", append(whole, "one", strings.Repeat("x", 90_000), "two", strings.Repeat("x", 90_000), "three", strings.Repeat("x", 90_000), "four", strings.Repeat("x", 90_000))...).
		status(http.StatusRequestEntityTooLarge)
}

func TestEachRefusedNameHasALineOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.as("nora").post("/orders/new", "step", "check", "csr", newCSR("www.uni.example"), "names", "my_server.uni.example\nwww.uni.example:443\nwww.elsewhere.example",
		"organisation", fmt.Sprint(r.organisation), "product", "tls-multi").status(http.StatusUnprocessableEntity).
		has("„my_server.uni.example“ ist kein gültiger Servername. Der Unterstrich", "etwa mit Bindestrich.\n„www.uni.example:443“", "für jeden Port.\nwww.elsewhere.example gehört nicht")
}

func TestTooManyNamesGetOneSentence(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("n%d.uni.example", i))
	}
	r.as("nora").post("/orders/new", "step", "check", "csr", newCSR("n1.uni.example"), "names", strings.Join(names, "\n"), "organisation", fmt.Sprint(r.organisation)).
		status(http.StatusUnprocessableEntity).has("Das sind 100 Namen; ein Zertifikat trägt höchstens 50.").lacks(`href="#f-product"`)
}
