package clients_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/order"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// keyName is what scripts call the key of a request.
func keyName(csr string) string {
	b, _ := pem.Decode([]byte(csr))
	sum := sha256.Sum256(trial.Must(pki.ReadCSR(b.Bytes)).Key.SPKI)
	return hex.EncodeToString(sum[:])
}

func TestAKeyThatWaitsLeadsOnForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	ada, bob := r.As("ada"), r.As("bob")
	row := r.LinkRow("ada.adler", "ada")
	csr := sitetest.NewCSR("")
	path := "/client-certificates/keys/" + keyName(csr)

	ada.Get(path).Is(http.StatusNotFound)
	if got, want := ada.Get(fmt.Sprintf("%s?row=%d", path, row)).Is(http.StatusSeeOther).To(), fmt.Sprintf("/client-certificates/apply/%d", row); got != want {
		t.Errorf("a key for which nothing was sent: got %s, want %s", got, want)
	}
	n := trial.Must(r.Order.Apply(t.Context(), r.Actors["ada"], row, order.Input{CSR: csr, Terms: r.Order.Terms})).ID
	application := fmt.Sprintf("/client-certificates/applications/%d", n)
	if got := ada.Get(path).Is(http.StatusSeeOther).To(); got != application {
		t.Errorf("an application under way: got %s, want %s", got, application)
	}
	waits := `data-waiting="` + keyName(csr) + `"`
	ada.Get(application).Is(http.StatusOK).Has(waits)
	r.As("rita").Get(application).Is(http.StatusOK).Lacks("data-waiting") // whose browser has no key of ada's
	trial.Must(0, r.Order.Issue(t.Context(), n))
	p12 := ada.Get(path).Is(http.StatusSeeOther).To()
	certificate := fmt.Sprintf("/client-certificates/%d", *trial.Must(r.Order.One(t.Context(), r.Actors["ada"], n)).Certificate)
	if want := certificate + "/p12"; p12 != want {
		t.Errorf("a certificate: got %s, want %s", p12, want)
	}
	ada.Get(p12).Is(http.StatusOK).Has(`data-key="`+keyName(csr)+`"`, certificate+"/chain.pem", "ada.adler@uni.example", "data-none")
	ada.Get(certificate).Has(waits)
	r.As("nora").Get(certificate).Is(http.StatusOK).Lacks("data-waiting")
	bob.Get(path).Is(http.StatusNotFound)
	bob.Get(p12).Is(http.StatusNotFound)
	for _, wrong := range []string{"x", "00", keyName(csr) + "00"} {
		ada.Get("/client-certificates/keys/" + wrong).Is(http.StatusNotFound)
	}
}
