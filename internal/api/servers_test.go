package api_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	random "crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/text"
	"petschaft/internal/trial"
)

// serverMatrix are the operations for technical contacts.
var serverMatrix = []entry{
	{"GET", "/organisations", person.ReadOrders, "", 200, at("/organisations", nil), nil},
	{"GET", "/orders", person.ReadOrders, "", 200, at("/orders", nil), nil},
	{"POST", "/orders", person.WriteOrders, "application/json", 201, func(r *rig) (string, any) { return "/orders", r.wish("nora", "www.uni.example") }, nil},
	{
		"GET", "/orders/{reference}", person.ReadOrders, "", 200, func(r *rig) (string, any) { return "/orders/" + r.ordered("nora", "www.uni.example"), nil },
		func(r *rig) string { return "/orders/" + r.ordered("sven", "www.institut.example") },
	},
	{"GET", "/certificates", person.ReadCertificates, "", 200, at("/certificates", nil), nil},
	{"GET", "/certificates/{reference}", person.ReadCertificates, "", 200, ofServer("", nil), foreignServer("")},
	{"GET", "/certificates/{reference}/download/{format}", person.ReadCertificates, "", 200, ofServer("/download/fullchain.pem", nil), foreignServer("/download/fullchain.pem")},
	{"POST", "/certificates/{reference}/renewal", person.WriteOrders, "application/json", 201, ofServer("/renewal", map[string]any{}), foreignServer("/renewal")},
	{
		"POST", "/certificates/{reference}/revocation", person.RevokeCertificates, "application/json", 200,
		ofServer("/revocation", map[string]any{"reason": "superseded"}), foreignServer("/revocation"),
	},
}

// request is a new certification request as PEM.
func request() string {
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), random.Reader))
	der := trial.Must(x509.CreateCertificateRequest(random.Reader, &x509.CertificateRequest{}, key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// wish is the body of an order.
func (r *rig) wish(who string, names ...string) map[string]any {
	return map[string]any{"organisation": r.organisations[who], "product": "tls-multi", "csr": request(), "names": names}
}

func (r *rig) ordered(who, name string) string {
	r.t.Helper()
	return trial.Must(r.Order.Submit(r.t.Context(), r.actors[who], order.Submission{Wish: order.Wish{
		Organisation: r.organisations[who], Product: "tls-multi", CSR: request(), Names: []string{name},
	}}))
}

// served is a certificate of somebody's organisation whose time for a renewal
// has come.
func (r *rig) served(who, name string) string {
	r.t.Helper()
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), random.Reader))
	reference, number := text.NewReference(), counted.Add(1)+1_000_000
	c := trial.Must(campus.Signed(r.t.Context(), r.CA, pki.Request{
		Intent: number, Profile: pki.TLSServer, Key: trial.Must(pki.NewKey(key.Public())), DNS: []string{name}, Days: 90,
		Serial: pki.NewSerial(), NotBefore: r.clock.Now().Add(-80 * 24 * time.Hour),
	}))
	trial.Must(0, r.DB.Tx(r.t.Context(), func(tx pgx.Tx) error {
		_, err := r.Cert.Record(r.t.Context(), tx, r.Cert.Now(), cert.Issuance{
			Reference: reference, Authority: ca.TLS, Organisation: r.organisations[who], Order: number, Product: "tls-multi", Certificate: c,
		})
		return err
	}))
	return reference
}

func ofServer(below string, body any) func(*rig) (string, any) {
	return func(r *rig) (string, any) {
		return "/certificates/" + r.served("nora", "www.uni.example") + below, body
	}
}

func foreignServer(below string) func(*rig) string {
	return func(r *rig) string { return "/certificates/" + r.served("sven", "www.institut.example") + below }
}

// byRule lets orders of somebody's organisation be approved without a person.
func (r *rig) byRule(who, name string) {
	r.t.Helper()
	trial.Must(0, r.Org.EditOrganisation(r.t.Context(), r.actors["rita"], r.organisations[who], org.OrganisationInput{Name: name, Country: "DE", AutoApprove: true}))
}

type anOrder struct {
	Reference, State, Reason string
	Names                    []string
	Renews                   *string
}

type aCertificate struct {
	Reference, State, Serial string
	Names                    []string
	Renewable                bool
	Renewal, Reason          *string
	ReplacedBy               *string `json:"replaced_by"`
}

func TestACertificateIsOrderedFetchedRenewedAndRevoked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.byRule("nora", "Universität")
	token := r.tokenOf("nora")
	a := r.call("POST", "/orders", token, r.wish("nora", "www.uni.example", "uni.example"))
	wants(t, a, http.StatusCreated)
	var o anOrder
	a.to(t, &o)
	if got, want := a.header.Get("Location"), r.base+"/api/v1/orders/"+o.Reference; got != want {
		t.Errorf("got Location %s, want %s", got, want)
	}
	issued := func(reference string) anOrder {
		var o anOrder
		r.until(func() bool { r.call("GET", "/orders/"+reference, token, nil).to(t, &o); return o.State == "issued" })
		return o
	}
	issued(o.Reference)
	for _, name := range []string{"certificate.pem", "x509chain.pem", "fullchain.pem", "issuers.pem", "certificate.cer", "certificate.p7b"} {
		file := r.call("GET", "/certificates/"+strings.ToLower(o.Reference)+"/download/"+name, token, nil)
		wants(t, file, http.StatusOK)
		if !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment; filename="+o.Reference+"-www.uni.example") {
			t.Errorf("%s: got Content-Disposition %q, want a file called by reference and name", name, file.header.Get("Content-Disposition"))
		}
	}
	chain := r.call("GET", "/certificates/"+o.Reference+"/download/fullchain.pem", token, nil)
	first, _ := pem.Decode(chain.body)
	leaf, err := x509.ParseCertificate(first.Bytes)
	if err != nil || !slices.Equal(leaf.DNSNames, []string{"www.uni.example", "uni.example"}) {
		t.Errorf("the chain: got a first certificate for %v (%v), want the two names", leaf.DNSNames, err)
	}

	early := r.call("POST", "/certificates/"+o.Reference+"/renewal", token, map[string]any{"csr": request()})
	wants(t, early, http.StatusConflict)
	r.clock.Advance(70 * 24 * time.Hour)
	r.signsIn["nora"]() // else her token sleeps
	a = r.call("POST", "/certificates/"+o.Reference+"/renewal", token, map[string]any{"csr": request()})
	wants(t, a, http.StatusCreated)
	var next anOrder
	a.to(t, &next)
	if next.Renews == nil || *next.Renews != o.Reference || !slices.Equal(next.Names, []string{"www.uni.example", "uni.example"}) {
		t.Errorf("the renewal: got %+v, want one of %s with the same names", next, o.Reference)
	}
	issued(next.Reference)
	var old aCertificate
	r.call("GET", "/certificates/"+o.Reference, token, nil).to(t, &old)
	if old.State != "replaced" || old.ReplacedBy == nil || *old.ReplacedBy != next.Reference || old.Renewable {
		t.Errorf("the renewed certificate: got %+v, want replaced by %s", old, next.Reference)
	}

	a = r.call("POST", "/certificates/"+o.Reference+"/revocation", token, map[string]any{"reason": "superseded"})
	wants(t, a, http.StatusOK)
	a.to(t, &old)
	if old.State != "revoked" || old.Reason == nil || *old.Reason != "superseded" {
		t.Errorf("after the revocation: got %+v, want revoked as superseded", old)
	}
	wants(t, r.call("POST", "/certificates/"+o.Reference+"/revocation", token, map[string]any{"reason": "superseded"}), http.StatusConflict)
}

func TestAnOrderThatCannotBeSaysWhereItIsWrong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: trial.Must(x509.MarshalPKCS8PrivateKey(trial.Must(ecdsa.GenerateKey(elliptic.P256(), random.Reader))))}))
	for what, x := range map[string]struct {
		field   string
		value   any
		status  int
		pointer string
	}{
		"a foreign name":             {"names", []string{"www.institut.example"}, 422, "#/names"},
		"no name":                    {"names", []string{}, 422, "#/names"},
		"a private key":              {"csr", key, 422, "#/csr"},
		"no request":                 {"csr", "hello", 422, "#/csr"},
		"an unknown product":         {"product", "tls-none", 422, "#/product"},
		"somebody else's":            {"organisation", r.organisations["sven"], 404, ""},
		"a comment that is too long": {"comment", strings.Repeat("x", 2001), 422, "#/comment"},
		"an unknown field":           {"secret", "x", 422, "#/secret"},
	} {
		body := r.wish("nora", "www.uni.example")
		body[x.field] = x.value
		a := r.call("POST", "/orders", token, body)
		if a.status != x.status {
			t.Errorf("%s: got %d, want %d: %s", what, a.status, x.status, a.body)
		}
		var p struct{ Errors []struct{ Pointer string } }
		a.to(t, &p)
		if x.pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer != x.pointer) {
			t.Errorf("%s: got errors %+v, want one at %s", what, p.Errors, x.pointer)
		}
		if bytes.Contains(a.body, []byte(strings.Split(key, "\n")[1])) {
			t.Errorf("%s: the private key stands in the answer", what)
		}
	}
	if n := r.scalar(`select count(*) from server_order`); n != 0 {
		t.Errorf("got %d orders, want none", n)
	}
}

func TestOneKeyMakesOneOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, body := r.tokenOf("nora"), r.wish("nora", "www.uni.example")
	var all sync.Map
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			a := r.call("POST", "/orders", token, body, "Idempotency-Key", "night of the fourteenth")
			if a.status == http.StatusCreated {
				all.Store(string(a.body), true)
			} else if a.status != http.StatusConflict {
				t.Errorf("got %d, want 201 or, while another one is at work, 409: %s", a.status, a.body)
			}
		})
	}
	done.Wait()
	answers := 0
	all.Range(func(any, any) bool { answers++; return true })
	if n := r.scalar(`select count(*) from server_order`); n != 1 || answers != 1 {
		t.Errorf("got %d orders and %d different answers, want one of each", n, answers)
	}
	r.clock.Advance(48 * time.Hour) // the answer is forgotten, the order is not
	a := r.call("POST", "/orders", token, body, "Idempotency-Key", "night of the fourteenth")
	if a.status != 422 || a.code() != "api.key_reused" {
		t.Errorf("the same key two days later: got %d %s, want 422: the key belongs to the first order", a.status, a.code())
	}
}

// TestAnOrderOfWhatIsOrderedAlreadyIsAnsweredWithAWarning, which stops nothing.
func TestAnOrderOfWhatIsOrderedAlreadyIsAnsweredWithAWarning(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, body := r.tokenOf("nora"), r.wish("nora", "www.uni.example")
	type warned struct {
		Reference, State string
		Warnings         []struct{ Code, Detail, Reference string }
	}
	order := func() (o warned) {
		a := r.call("POST", "/orders", token, body)
		wants(t, a, http.StatusCreated)
		a.to(t, &o)
		return o
	}
	first, second := order(), order()
	if len(first.Warnings) != 0 || second.State != first.State {
		t.Errorf("got %+v, then %+v; want no warning at first, and both in one state", first, second)
	}
	if len(second.Warnings) != 1 || second.Warnings[0].Reference != first.Reference || second.Warnings[0].Code != "serverorder.check.twin_order" ||
		!strings.Contains(second.Warnings[0].Detail, first.Reference) {
		t.Errorf("got %+v, want a warning that names %s", second, first.Reference)
	}
	var seen warned
	r.call("GET", "/orders/"+second.Reference, token, nil).to(t, &seen)
	if !slices.Equal(seen.Warnings, second.Warnings) {
		t.Errorf("asked for it: got %+v, want the same warning", seen)
	}
}

func TestServerCertificatesAndOrdersAreListedPageByPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for i := range 5 {
		r.served("nora", fmt.Sprintf("h%d.uni.example", i))
		r.ordered("nora", fmt.Sprintf("o%d.uni.example", i))
	}
	r.served("sven", "www.institut.example")
	r.ordered("sven", "www.institut.example")
	for _, path := range []string{"/certificates?sort=name&state=all", "/certificates?state=ending&sort=-end", "/orders?state=received,review"} {
		seen := map[string]bool{}
		next := path + "&limit=2"
		for pages := 0; next != "" && pages < 5; pages++ {
			a := r.call("GET", next, token, nil)
			wants(t, a, http.StatusOK)
			var page struct {
				Certificates, Orders []struct {
					Reference    string
					Organisation int64
				}
			}
			a.to(t, &page)
			for _, x := range append(page.Certificates, page.Orders...) {
				seen[x.Reference] = true
				if x.Organisation != int64(r.organisations["nora"]) {
					t.Errorf("%s: got something of organisation %d", path, x.Organisation)
				}
			}
			next = r.linked(a, "next")
		}
		if len(seen) != 5 {
			t.Errorf("%s: got %d over all pages, want 5", path, len(seen))
		}
	}
	var found struct{ Certificates []aCertificate }
	r.call("GET", "/certificates?q=h3", token, nil).to(t, &found)
	if len(found.Certificates) != 1 || !found.Certificates[0].Renewable {
		t.Errorf("the search: got %+v, want the one renewable certificate of h3", found.Certificates)
	}
	for _, path := range []string{"/certificates?cursor=x", "/orders?cursor=x", "/certificates?sort=serial", "/orders?state=lost"} {
		wants(t, r.call("GET", path, token, nil), http.StatusUnprocessableEntity)
	}
}

// linked is the path below /api/v1 that a Link leads to, empty for none.
func (r *rig) linked(a answer, rel string) string {
	for _, l := range strings.Split(a.header.Get("Link"), ", ") {
		to, kind, _ := strings.Cut(l, "; ")
		if kind == `rel="`+rel+`"` {
			return strings.TrimPrefix(strings.Trim(to, "<>"), r.base+"/api/v1")
		}
	}
	return ""
}

// TestRequestsAreReadByTheAPIAsOnPages orders with requests from the field.
func TestRequestsAreReadByTheAPIAsOnPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	file := func(name string) string {
		return string(trial.Must(os.ReadFile(filepath.Join("..", "pki", "testdata", "cases", name+".csr"))))
	}
	for _, name := range []string{"02-noattrs", "03-printable-underscore", "10-oneline", "11z-openssl-idn"} {
		body := r.wish("nora", "WWW.Uni.example.", "DNS:mail.uni.example")
		body["csr"] = file(name)
		var o struct{ Names []string }
		a := r.call("POST", "/orders", token, body)
		wants(t, a, http.StatusCreated)
		if a.to(t, &o); !slices.Equal(o.Names, []string{"www.uni.example", "mail.uni.example"}) {
			t.Errorf("%s: got names %q, want them as certificates hold them", name, o.Names)
		}
	}
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprintf("n%d.uni.example", i))
	}
	for what, x := range map[string]struct {
		csr   string
		names []string
		want  string
	}{
		"Ed25519":       {file("09c-ed25519"), []string{"www.uni.example"}, "#/csr serverorder.key.edwards"},
		"an underscore": {request(), []string{"my_server.uni.example"}, "#/names serverorder.names.wrong #/names org.name.underscore"},
		"51 names":      {request(), many, "#/names api.field.items"},
	} {
		body := r.wish("nora", x.names...)
		body["csr"] = x.csr
		a := r.call("POST", "/orders", token, body)
		wants(t, a, http.StatusUnprocessableEntity)
		var p struct {
			Errors []struct{ Pointer, Code string }
		}
		a.to(t, &p)
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Pointer, e.Code)
		}
		if said := strings.Join(got, " "); said != x.want {
			t.Errorf("%s: got %q, want %q", what, said, x.want)
		}
	}
}
