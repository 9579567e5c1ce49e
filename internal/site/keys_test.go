package site_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/order"
	"petschaft/internal/pki"
)

// keyName is what scripts call the key of a request.
func keyName(csr string) string {
	b, _ := pem.Decode([]byte(csr))
	sum := sha256.Sum256(must(pki.ReadCSR(b.Bytes)).Key.SPKI)
	return hex.EncodeToString(sum[:])
}

func TestAKeyThatWaitsLeadsOnForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ada, bob := r.as("ada"), r.as("bob")
	row := r.linkRow("ada.adler", "ada")
	csr := newCSR("")
	path := "/client-certificates/keys/" + keyName(csr)

	ada.get(path).status(http.StatusNotFound)
	if got, want := ada.get(fmt.Sprintf("%s?row=%d", path, row)).status(http.StatusSeeOther).to(), fmt.Sprintf("/client-certificates/apply/%d", row); got != want {
		t.Errorf("a key for which nothing was sent: got %s, want %s", got, want)
	}
	n := must(r.Order.Apply(t.Context(), r.actors["ada"], row, order.Input{CSR: csr, Terms: r.Order.Terms})).ID
	application := fmt.Sprintf("/client-certificates/applications/%d", n)
	if got := ada.get(path).status(http.StatusSeeOther).to(); got != application {
		t.Errorf("an application under way: got %s, want %s", got, application)
	}
	waits := `data-waiting="` + keyName(csr) + `"`
	ada.get(application).status(http.StatusOK).has(waits)
	r.as("rita").get(application).status(http.StatusOK).lacks("data-waiting") // whose browser has no key of ada's
	must(0, r.Order.Issue(t.Context(), n))
	p12 := ada.get(path).status(http.StatusSeeOther).to()
	certificate := fmt.Sprintf("/client-certificates/%d", *must(r.Order.One(t.Context(), r.actors["ada"], n)).Certificate)
	if want := certificate + "/p12"; p12 != want {
		t.Errorf("a certificate: got %s, want %s", p12, want)
	}
	ada.get(p12).status(http.StatusOK).has(`data-key="`+keyName(csr)+`"`, certificate+"/chain.pem", "ada.adler@uni.example", "data-none")
	ada.get(certificate).has(waits)
	r.as("nora").get(certificate).status(http.StatusOK).lacks("data-waiting")
	bob.get(path).status(http.StatusNotFound)
	bob.get(p12).status(http.StatusNotFound)
	for _, wrong := range []string{"x", "00", keyName(csr) + "00"} {
		ada.get("/client-certificates/keys/" + wrong).status(http.StatusNotFound)
	}
}
