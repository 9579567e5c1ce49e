package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"html"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestTheAuthorityOutsideTakesItsTime: a minute, now and then a person, and a look
// before it revokes.
func TestTheAuthorityOutsideTakesItsTime(t *testing.T) {
	t.Parallel()
	s := trial.Must(newOutside(0))
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	s.URL = server.URL
	client, ctx := s.Client(), t.Context()
	request := func(intent int64) pki.Request {
		key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		return pki.Request{
			Intent: intent, Reference: fmt.Sprint("R-", intent), Profile: pki.TLSDomain, Key: trial.Must(pki.NewKey(key.Public())), DNS: []string{"www.institut.example"},
			Days: 90, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(time.Now()),
		}
	}
	soon := request(1)
	if a := trial.Must(client.Ask(ctx, soon)); a.Later.IsZero() || a.Person {
		t.Errorf("asked: got %+v, want it later", a)
	}
	a := trial.Must(client.Collect(ctx, soon, ""))
	if a.Certificate == nil {
		t.Fatalf("looked at: got %+v, want a certificate", a)
	}
	if d := pki.Differences(soon, *a.Certificate, false, time.Now()); len(d) != 0 {
		t.Errorf("it is not what was asked for: %v", d)
	}
	if a := trial.Must(client.Revoke(ctx, *a.Certificate, pki.Superseded)); a.Later.IsZero() {
		t.Errorf("revoked: got %+v, want it later", a)
	}
	if a := trial.Must(client.Revoke(ctx, *a.Certificate, pki.Superseded)); !a.Later.IsZero() || a.No != nil {
		t.Errorf("revoked, looked at: got %+v, want it done", a)
	}
	third := request(3)
	if a := trial.Must(client.Ask(ctx, third)); a.Later.IsZero() || !a.Person {
		t.Errorf("the third: got %+v, want a person to look at it", a)
	}
	trial.Until(t, "that person has", func() bool { return trial.Must(client.Collect(ctx, third, "")).Certificate != nil })
}

// TestTheDemoUsesTheAuthorityOutside for a product and a domain.
func TestTheDemoUsesTheAuthorityOutside(t *testing.T) {
	t.Parallel()
	c, port := newClone(t), fourFree(t)
	c.run(func() {
		rita := as(t, port, "rita")
		for _, path := range []string{"/office/products", "/office/products/tls-multi/authority"} {
			if page := rita(local("127.0.0.1", port) + path); !strings.HasPrefix(page, "200") || !strings.Contains(page, outsideName) {
				t.Errorf("%s does not name the authority outside: %.20q", path, page)
			}
		}
	}, "--port", fmt.Sprint(port))
}

// TestTheDemoHasAKeyThatFallsInTwoRooms: an officer who opens a person's certificate
// is led to its key, and reads that the server's falls with it.
func TestTheDemoHasAKeyThatFallsInTwoRooms(t *testing.T) {
	t.Parallel()
	c, port := newClone(t), fourFree(t)
	c.run(func() {
		rita, portal := as(t, port, "rita"), local("127.0.0.1", port)
		find := func(path, expr string) string {
			t.Helper()
			found := regexp.MustCompile(expr).FindStringSubmatch(rita(portal + path))
			if found == nil {
				t.Fatalf("%s has no %s", path, expr)
			}
			return html.UnescapeString(found[1])
		}
		hers := find("/office/certificates?q=mary.obrien", `href="(/client-certificates/[0-9]+)"`)
		key := find(hers, `href="(/office/keys/[0-9a-f]{64})"`)
		var page string
		trial.Until(t, "the server's certificate is there", func() bool { page = rita(portal + key); return strings.Contains(page, sharedWith) })
		for _, want := range []string{"O&#39;Brien", observatory, "2 gültige Zertifikate"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page of the key does not say %q", want)
			}
		}
	}, "--port", fmt.Sprint(port))
}
