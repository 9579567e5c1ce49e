package order_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// samples are the project's requests with what should happen to them: the words
// they are refused with, or the names of the certificate and what is said to be
// left out of it.
var samples = map[string]struct {
	refused string
	names   []string
	dropped []string
}{
	"good-cn-only.csr":       {names: []string{"alt.institut.example"}},
	"good-der.csr":           {names: []string{"www.institut.example"}},
	"good-p256.csr":          {names: []string{"api.institut.example"}},
	"good-rsa3072.csr":       {names: []string{"www.institut.example", "institut.example"}, dropped: []string{"pki.dropped.subject"}},
	"good-wildcard-p384.csr": {names: []string{"*.labor.institut.example"}},
	"smuggle-ca-true.csr":    {names: []string{"www.institut.example"}, dropped: []string{"pki.dropped.ca", "pki.dropped.purpose", "pki.dropped.purpose"}},
	"smuggle-names.csr": {names: []string{"www.institut.example"}, dropped: []string{
		"pki.dropped.email", "pki.dropped.ip", "pki.dropped.subject_email", "pki.dropped.uri",
	}},
	"smuggle-second-cn.csr": {names: []string{"www.institut.example"}, dropped: []string{"pki.dropped.second_common_name"}},
	"foreign-name.csr":      {refused: "serverorder.names.foreign", names: []string{"www.institut.example"}, dropped: []string{"pki.dropped.dns"}},
	"bad-p224.csr":          {refused: "pki.key.curve_small"},
	"bad-rsa1024.csr":       {refused: "pki.key.rsa_small"},
	"bad-signature.csr":     {refused: "pki.csr.signature"},
	"bad-truncated.csr":     {refused: "pki.csr.cut_off"},
	"bad-two-blocks.csr":    {refused: "pki.csr.two_blocks"},
}

func TestEverySampleGoesAsItsReadmeSays(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	name := trial.Must(h.Mailbox.Org.AddName(t.Context(), h.officer, h.id, org.NameInput{Name: "institut.example", Wildcard: true}))
	h.ok(t, h.Mailbox.Org.ValidateName(t.Context(), h.officer, name, org.Check{
		Wildcard: true, Proof: org.Proof{Method: "DNS TXT", By: "RA", From: h.Now()},
	}))
	h.rule(t, true)
	files, _ := filepath.Glob(filepath.Join("..", "pki", "testdata", "samples", "*.csr"))
	if len(files) != len(samples) {
		t.Fatalf("got %d samples, want %d", len(files), len(samples))
	}
	for _, path := range files {
		file := filepath.Base(path)
		want, known := samples[file]
		if !known {
			t.Errorf("%s: nothing is said about it", file)
			continue
		}
		data, err := os.ReadFile(path)
		h.ok(t, err)
		request, _ := pki.ReadCSR(data)
		w := order.Wish{Organisation: h.id, Product: "tls-wildcard", CSR: string(data), Names: request.Asked.DNS}
		reference, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: w})
		if want.refused != "" {
			h.refused(t, file, err, want.refused)
			if len(want.names) == 0 {
				continue
			}
			w.Names = want.names
			reference, err = h.Submit(t.Context(), h.tina, order.Submission{Wish: w})
		}
		h.ok(t, err)
		h.holdsOnly(t, file, h.see(t, reference).ID, reference, want.names)
		var dropped []string
		for _, d := range request.Ignored(pki.Names{DNS: want.names}, org.FoldName) {
			dropped = append(dropped, d.ID)
		}
		slices.Sort(dropped)
		if d := cmp.Diff(want.dropped, dropped); d != "" {
			t.Errorf("%s: said to be left out: -want +got\n%s", file, d)
		}
	}
}

func (h *house) refused(t *testing.T, file string, err error, id string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.ID == id }) {
		t.Errorf("%s: got %v, want it refused with %s", file, err, id)
	}
	if f != nil && id == "serverorder.names.foreign" && !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return slices.Contains(x.Args, any("www.anderswo.example")) }) {
		t.Errorf("%s: the refusal does not name the foreign name: %+v", file, f.Fields)
	}
}

// holdsOnly issues the order and looks for anything in the certificate that is
// neither the key nor an authorised name.
func (h *house) holdsOnly(t *testing.T, file string, id order.ServerID, reference string, names []string) {
	t.Helper()
	h.ok(t, h.Fulfil(t.Context(), id))
	c := trial.Must(h.Cert.Server(t.Context(), h.tina, reference))
	x, err := x509.ParseCertificate(c.DER)
	h.ok(t, err)
	if d := cmp.Diff(names, x.DNSNames); d != "" {
		t.Errorf("%s: names: -want +got\n%s", file, d)
	}
	if got, want := x.Subject.String(), "CN="+names[0]; got != want {
		t.Errorf("%s: got subject %s, want %s", file, got, want)
	}
	if x.IsCA || len(x.EmailAddresses)+len(x.IPAddresses)+len(x.URIs)+len(x.UnknownExtKeyUsage) > 0 ||
		!slices.Equal(x.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("%s: got CA %v, addresses %v %v %v, purposes %v; want a server's certificate only", file, x.IsCA, x.EmailAddresses, x.IPAddresses, x.URIs, x.ExtKeyUsage)
	}
}

// TestAPrivateKeyIsRefusedAndKeptNowhere pastes one, alone and beside a request.
func TestAPrivateKeyIsRefusedAndKeptNowhere(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	key := privatePEM(t, ecKey(t))
	secret := strings.Split(key, "\n")[1]
	for _, text := range []string{key, h.key + key, key + h.key} {
		w := h.wish("www.uni.example")
		w.CSR = text
		_, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: w})
		wantsField(t, err, "csr", "pki.csr.private_key")
		if strings.Contains(err.Error(), secret) {
			t.Error("the error repeats the key")
		}
	}
	if n := h.campus.Scalar(`select (select count(*) from server_order) + (select count(*) from audit_line where detail::text like '%' || $1 || '%')`, secret); n != 0 {
		t.Errorf("got %d orders or audit lines, want none", n)
	}
}
