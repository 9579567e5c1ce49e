package site_test

import (
	"crypto"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestWhileTheDatabaseIsAwayEverythingSaysTryAgain: pages, actions, the API,
// lists and OCSP, as the reader can read it, and the log in few lines.
func TestWhileTheDatabaseIsAwayEverythingSaysTryAgain(t *testing.T) {
	t.Parallel()
	var p *pgtest.Proxy
	r := sitetest.New(t, func(c *portal.Config) {
		p = pgtest.NewProxy(t, c.DatabaseURL)
		c.DatabaseURL = p.URL
	})
	a := newAsked(r)
	question := a.question(a.c, crypto.SHA1)
	nora := r.As("nora")
	token, _ := token(r, "nora", person.DomainVerbs())
	german, english := r.Anonymous(), r.As("rita")
	english.Lang = "en"
	began := time.Now()
	p.Refuse()
	call := func(method, path string) sitetest.Answer {
		req := trial.Must(http.NewRequest(method, r.At("/api/v1"+path), strings.NewReader("{}")))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		return german.Send(req)
	}
	const away, awayEnglish = "Das Portal erreicht seine Datenbank gerade nicht", "The portal cannot reach its database"
	asked := 0
	for range 10 {
		for _, x := range []struct {
			sitetest.Answer
			words string
		}{
			{nora.Get("/email-domains/uni.example"), away},
			{nora.Post("/email-domains/uni.example/rows", "name", "x"), "Ihr letzter Schritt wurde entweder ganz oder gar nicht ausgeführt."},
			{english.Get("/office"), awayEnglish},
			{german.Get("/c/" + strings.Repeat("x", 43)), away},
			{nora.Get("/email-domains/uni.example/export.csv"), away},
			{call("GET", "/email-domains"), away},
			{call("POST", "/email-domains/uni.example/addresses"), away},
			{german.Get("/pki/mail.crl"), "Service Unavailable"},
			{german.Get(ocspPath(question)), "Service Unavailable"},
			{a.post(question, "application/ocsp-request"), "Service Unavailable"},
		} {
			asked++
			x.Is(http.StatusServiceUnavailable).Has(x.words)
			if got, _ := strconv.Atoi(x.Header.Get("Retry-After")); got < 10 || got > 11 {
				t.Errorf("%s %s: got Retry-After %q, want ten seconds", x.Request.Method, x.Request.URL, x.Header.Get("Retry-After"))
			}
		}
		german.Get("/readyz").Is(http.StatusServiceUnavailable)
	}
	log := r.Logged.String()
	if strings.Contains(log, "request failed") || strings.Contains(log, "level=WARN") {
		t.Errorf("the log has more than the outage:\n%s", log)
	}
	if n, most := strings.Count(log, "database away"), int(time.Since(began).Seconds())+1; n == 0 || n > most {
		t.Errorf("got %d lines about %d refused requests in %s, want one a second:\n%s", n, asked, time.Since(began), log)
	}
	p.Light()
	nora.Get("/email-domains/uni.example").Is(http.StatusOK)
	german.Get("/readyz").Is(http.StatusOK)
}

// TestAStandbyInAFailoverIsAwayToo: it answers, and writes nothing.
func TestAStandbyInAFailoverIsAwayToo(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	trial.Must(r.Pool.Exec(t.Context(), `do $$ begin execute 'alter database ' || quote_ident(current_database()) || ' set default_transaction_read_only = on'; end $$`))
	r.DB.Reset()
	a := nora.Post("/email-domains/uni.example/rows", "name", "Neu", "primary", "neu@uni.example", "kind", "personal")
	a.Is(http.StatusServiceUnavailable).Has("Das Portal erreicht seine Datenbank gerade nicht")
	if a.Header.Get("Retry-After") == "" {
		t.Error("want to be told when to try again")
	}
}
