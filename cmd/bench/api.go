package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

const (
	apiClients   = 8
	apiCreations = 10_000
)

// apiSpeed measures pages of a large domain, and creations one by one.
func apiSpeed(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer r.close()
	d, err := r.domain(ctx, "large.example")
	if err != nil {
		return nil, err
	}
	if err := r.fill(ctx, d, "large.example", c.Rows); err != nil {
		return nil, err
	}
	small, err := r.domain(ctx, "small.example")
	if err != nil {
		return nil, err
	}
	if _, err := r.DB.Exec(ctx, "vacuum analyze"); err != nil {
		return nil, err
	}
	token, err := r.token(ctx, d, small)
	if err != nil {
		return nil, err
	}
	pages, err := r.apiPages(ctx, token)
	if err != nil {
		return nil, err
	}
	creations, err := r.apiCreations(ctx, token, small)
	return append(pages, creations...), err
}

// token is the secret of one that reads and writes addresses of the domains.
func (r *rig) token(ctx context.Context, domains ...org.ID) (string, error) {
	in := person.TokenInput{
		Form: "bench", Name: "bench", Verbs: []person.Verb{person.ReadAddresses, person.WriteAddresses}, Ends: time.Now().AddDate(0, 1, 0),
	}
	for _, d := range domains {
		in.Domains = append(in.Domains, int64(d))
	}
	secret, _, err := r.Org.MakeToken(ctx, r.actor, in)
	return secret, err
}

var nextPage = regexp.MustCompile(`<http://[^/]+([^>]+)>; rel="next"`)

// ask calls the API inside the process, and returns where the next page is.
func (r *rig) ask(token, path string) (next string, err error) {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Host = r.host()
	req.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	r.Handler.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		return "", fmt.Errorf("%s: status %d: %s", path, rec.Code, rec.Body)
	}
	if m := nextPage.FindStringSubmatch(rec.Header().Get("Link")); m != nil {
		next = m[1]
	}
	return next, nil
}

func (r *rig) apiPages(ctx context.Context, token string) ([]figure, error) {
	var all []figure
	for _, q := range []string{"", "&sort=-end&status=confirmed", "&sort=status"} {
		path := "/api/v1/email-domains/large.example/addresses?limit=100" + q
		deep := path
		for range 20 {
			next, err := r.ask(token, deep)
			if err != nil {
				return nil, err
			}
			deep = next
		}
		for i, p := range []string{path, deep} {
			floor, took, err := r.apiAgainst(ctx, token, p)
			if err != nil {
				return nil, err
			}
			all = append(all, figure{
				name: "API, page of 100" + q + map[int]string{1: ", deep"}[i], measured: fmt.Sprintf("F %v, page %v", us(floor), us(took)),
				bound: "≤ F + 5 ms", ok: took <= floor+5*time.Millisecond,
			})
		}
	}
	return all, nil
}

// apiAgainst alternates the floor with one page.
func (r *rig) apiAgainst(ctx context.Context, token, path string) (floor, took time.Duration, err error) {
	bare := r.floor(ctx)
	floors, pages := make([]time.Duration, rounds), make([]time.Duration, rounds)
	for i := range floors {
		if floors[i], err = timed(4*samples, bare); err != nil {
			return 0, 0, err
		}
		if pages[i], err = timed(samples, func() error { _, err := r.ask(token, path); return err }); err != nil {
			return 0, 0, err
		}
	}
	return median(floors), median(pages), nil
}

// create makes n rows of the domain by clients over kept connections and returns
// how many it made in a second.
func (r *rig) create(token, prefix string, from, n int) (float64, error) {
	var next atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, apiClients)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: apiClients}}
	defer client.CloseIdleConnections()
	began := time.Now()
	for range apiClients {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := r.createOne(client, token, fmt.Sprintf("%s%d", prefix, from+i)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return 0, err
	default:
		return float64(n) / took.Seconds(), nil
	}
}

func (r *rig) createOne(client *http.Client, token, local string) error {
	body := fmt.Sprintf(`{"kind":"personal","name":"Bench, %s","primary":"%s@small.example","aliases":["a.%s@small.example"]}`, local, local, local)
	req, err := http.NewRequest(http.MethodPost, r.front.URL+"/api/v1/email-domains/small.example/addresses", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var said bytes.Buffer
	if _, err := io.Copy(&said, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("create %s: status %d: %s", local, res.StatusCode, said.String())
	}
	return nil
}

// apiCreations records what creations send to the database, and then alternates
// sending that bare with creating.
func (r *rig) apiCreations(ctx context.Context, token string, d org.ID) ([]figure, error) {
	log := &statements{open: map[*pgx.Conn]*unit{}}
	r.change = func(c *pgxpool.Config) { c.ConnConfig.Tracer = log }
	if err := r.reopen(ctx); err != nil {
		return nil, err
	}
	if _, err := r.create(token, "bench", 0, apiCreations); err != nil {
		return nil, err
	}
	r.change = nil
	if err := r.reopen(ctx); err != nil {
		return nil, err
	}
	if _, err := r.DB.Exec(ctx, `delete from address_row where domain = $1`, d); err != nil {
		return nil, err
	}
	bare, api := make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		part := log.done[i*len(log.done)/rounds : (i+1)*len(log.done)/rounds]
		took, err := r.replay(ctx, part)
		if err != nil {
			return nil, err
		}
		n := apiCreations / rounds
		bare[i] = float64(n) / took.Seconds()
		if api[i], err = r.create(token, "api", i*n, n); err != nil {
			return nil, err
		}
	}
	b, a := middle(bare), middle(api)
	return []figure{{
		name:     fmt.Sprintf("API, %d creations by %d clients", apiCreations, apiClients),
		measured: fmt.Sprintf("bare %.0f/s, API %.0f/s = %.2f × bare, 0 errors", b, a, a/b),
		bound:    "≥ 0.4 × bare", ok: a >= 0.4*b,
	}}, nil
}
