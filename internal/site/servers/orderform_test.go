package servers_test

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
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// requestFile is a request as somebody brought it.
func requestFile(t *testing.T, name string) string {
	t.Helper()
	return string(trial.Must(os.ReadFile(filepath.Join("..", "..", "pki", "testdata", "cases", name+".csr"))))
}

func TestNamesOfARequestAreOfferedAsTheyWillBe(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	sven := r.As("sven")
	mine := trial.Must(r.Org.Organisations(t.Context(), r.Actors["sven"]))[0].ID
	name := trial.Must(r.Org.AddName(t.Context(), r.Actors["rita"], mine, org.NameInput{Name: "prüfstand-süd.example"}))
	trial.Must(0, r.Org.ValidateName(t.Context(), r.Actors["rita"], name, org.Check{Proof: org.Proof{Method: "DNS TXT", By: "RA", From: r.Clock.Now()}}))
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
		page := sven.Post("/orders/new", "step", "names", "csr", csr).Is(http.StatusOK).Has(">" + names + "</textarea>").Lacks(without)
		const added = "steht in Ihrem CSR nur als CN"
		if want.added {
			page.Has("www.institut.example " + added)
		} else {
			page.Lacks(added)
		}
		sven.Post("/orders/new", "step", "check", "csr", csr, "names", names, "organisation", fmt.Sprint(mine), "product", "tls-multi").
			Is(http.StatusOK).Has(want.names...).Lacks(without)
	}
	sven.Post("/orders/new", "step", "names", "csr", requestFile(t, "07-cn-not-in-san"), "names", "wiki.institut.example").
		Is(http.StatusOK).Has(without, "Der Name „www.institut.example“ (CN)").Lacks("nur als CN")
}

func TestAKeyThatNoServerMayHaveIsRefusedAtTheFirstStep(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	big := trial.Must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	p521 := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: trial.Must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, big))})
	nora.Post("/orders/new", "step", "names", "csr", string(p521)).Is(http.StatusUnprocessableEntity).
		Has("Schlüssel der Art EC P-521 gibt es bei keinem Produkt", "EC P-256, EC P-384, RSA 2048", `href="#f-csr"`)
	nora.Post("/orders/new", "step", "names", "csr", requestFile(t, "09c-ed25519")).Is(http.StatusUnprocessableEntity).
		Has("Für Server sind nur RSA- und EC-Schlüssel möglich").Lacks("Mailprogramm")
}

func TestAStepThatDoesNotExistOrdersNothing(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	whole := []string{"csr", sitetest.NewCSR("www.uni.example"), "names", "www.uni.example", "organisation", fmt.Sprint(r.Organisation), "product", "tls-single", "comment", "Bleibt da"}
	for _, step := range [][]string{nil, {"step", ""}, {"step", "sumbit"}} {
		nora.Post("/orders/new", append(step, whole...)...).Is(http.StatusUnprocessableEntity).
			Has("Nichts wurde bestellt", "Bleibt da", strings.Split(whole[1], "\n")[1])
	}
	if n := r.Count(`select count(*) from server_order`); n != 0 {
		t.Errorf("got %d orders, want none", n)
	}
	nora.Post("/orders/new", append(whole, "step", "submit")...).Is(http.StatusSeeOther)
}

func TestAFileThatIsTooLargeLosesNothingTyped(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	whole := []string{"step", "names", "csr", sitetest.NewCSR("www.uni.example"), "names", "www.uni.example", "product", "tls-multi", "comment", "Bleibt da"}
	for _, size := range []int{70_000, 300_000, 3_000_000} {
		nora.Upload("/orders/new", strings.Repeat("x", size), whole...).Is(http.StatusUnprocessableEntity).
			Has("größer als 64 KiB", `href="#f-file"`, "Bleibt da", "www.uni.example", strings.Split(whole[3], "\n")[1])
	}
	nora.Post("/orders/new", append(whole, "x", strings.Repeat("x", 300_000))...).Is(http.StatusRequestEntityTooLarge).
		Has("höchstens 256 KiB", "Gehen Sie im Browser zurück").Lacks("Teilen Sie")
	nora.Upload("/orders/new", strings.Repeat("x", 17<<20), whole...).Is(http.StatusRequestEntityTooLarge).Has("64 KiB")
	nora.Upload("/orders/new", "", append(whole, "one", strings.Repeat("x", 90_000), "two", strings.Repeat("x", 90_000), "three", strings.Repeat("x", 90_000), "four", strings.Repeat("x", 90_000))...).
		Is(http.StatusRequestEntityTooLarge)
}

func TestEachRefusedNameHasALineOfItsOwn(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.As("nora").Post("/orders/new", "step", "check", "csr", sitetest.NewCSR("www.uni.example"), "names", "my_server.uni.example\nwww.uni.example:443\nwww.elsewhere.example",
		"organisation", fmt.Sprint(r.Organisation), "product", "tls-multi").Is(http.StatusUnprocessableEntity).
		Has("„my_server.uni.example“ ist kein gültiger Servername. Der Unterstrich", "etwa mit Bindestrich.\n„www.uni.example:443“", "für jeden Port.\nwww.elsewhere.example gehört nicht")
}

func TestTooManyNamesGetOneSentence(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("n%d.uni.example", i))
	}
	r.As("nora").Post("/orders/new", "step", "check", "csr", sitetest.NewCSR("n1.uni.example"), "names", strings.Join(names, "\n"), "organisation", fmt.Sprint(r.Organisation)).
		Is(http.StatusUnprocessableEntity).Has("Das sind 100 Namen; ein Zertifikat trägt höchstens 50.").Lacks(`href="#f-product"`)
}
