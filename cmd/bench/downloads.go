package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"
)

// downloadsEach is how many files one round fetches.
const downloadsEach = 4000

// downloads fetches chain files against a handler that sends the same bytes
// behind the same sign-in.
func (r *rig) downloads(ctx context.Context, references []string) (figure, error) {
	content, err := r.get("/certificates/" + references[0] + "/x509chain.pem")
	if err != nil {
		return figure{}, err
	}
	static := r.Desk.Load(nil)(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, ok := r.Desk.Actor(req.Context()); !ok {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Write([]byte(content))
	}))
	fetch := func(h http.Handler, path func(i int) string) (time.Duration, error) {
		began := time.Now()
		err := share(downloadsEach, func(i int) error {
			req := httptest.NewRequestWithContext(ctx, http.MethodGet, path(i), nil)
			req.Host = r.host()
			for _, c := range r.cookies {
				req.AddCookie(c)
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if rec.Code != http.StatusOK || rec.Body.Len() < len(content)/2 {
				return fmt.Errorf("%s: status %d, %d bytes", path(i), rec.Code, rec.Body.Len())
			}
			return nil
		})
		return time.Since(began), err
	}
	var bare, portal []time.Duration
	for range rounds {
		b, err := fetch(static, func(int) string { return "/static" })
		if err != nil {
			return figure{}, err
		}
		p, err := fetch(r.Handler, func(i int) string { return "/certificates/" + references[i%len(references)] + "/x509chain.pem" })
		if err != nil {
			return figure{}, err
		}
		bare, portal = append(bare, b), append(portal, p)
	}
	b, p := rate(downloadsEach, median(bare)), rate(downloadsEach, median(portal))
	return figure{
		name:     fmt.Sprintf("download of a chain file, %d clients", issueClients),
		measured: fmt.Sprintf("static %.0f/s, portal %.0f/s = %.2f ×", b, p, p/b), bound: "≥ 0.5 ×", ok: p >= 0.5*b,
	}, nil
}
