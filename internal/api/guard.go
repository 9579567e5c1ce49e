package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/text"
	"petschaft/web/locale"
)

// guarded speaks the language that the caller accepts, whatever a cookie says,
// and turns a panic into the same problem as any failure nobody foresaw.
func (a *API) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := locale.With(r.Context(), locale.Accepted(r.Header.Get("Accept-Language")))
		r = r.WithContext(context.WithValue(ctx, apiKey{}, a))
		w.Header().Set("Vary", "Accept-Language")
		w.Header().Del("Content-Language") // data have none
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				a.fail(w, r, fmt.Errorf("panic: %v", p))
			}
		}()
		text.Headers(r.Header)
		if err := text.Address(r.URL); err != nil {
			a.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type actorKey struct{}

// actor is who acts; only under authenticated.
func actor(ctx context.Context) person.Actor {
	by, _ := ctx.Value(actorKey{}).(person.Actor)
	return by
}

// authenticated serves requests with a token that counts.
func (a *API) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, err := bearer(r)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		by, _, err := a.People.ByToken(r.Context(), secret, a.ClientIP(r))
		if err != nil {
			a.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, by)))
	})
}

// bearer is the token of r (RFC 6750, 2.1). One in the address or in a cookie is
// none.
func bearer(r *http.Request) (string, error) {
	given := r.Header.Values("Authorization")
	if len(given) == 1 {
		scheme, secret, ok := strings.Cut(given[0], " ")
		if ok && strings.EqualFold(scheme, "Bearer") && secret != "" {
			return strings.TrimSpace(secret), nil
		}
	}
	return "", errNoToken
}

// limited counts the calls of each token, in Postgres, so that the bound holds
// across processes.
func (a *API) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		by := actor(r.Context())
		calls, err := brake.Brake{Kind: "api.call", Most: a.PerMinute, Per: time.Minute}.Take(r.Context(), a.DB, a.Now(), strconv.FormatInt(by.Token, 10))
		switch {
		case err != nil:
			a.fail(w, r, err)
		case calls.Held:
			a.fail(w, r, fault.New(fault.TooMany, "api.too_many", "calls", a.PerMinute).Until(calls.Until))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// recorded leaves an audit line for each call that was let in: who, through
// which token, from where, what was asked and how it was answered. What a call
// changed stands in the lines of the operations, as with the pages.
func (a *API) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		done := false
		defer func() {
			status := answer.Status()
			if !done {
				status = http.StatusInternalServerError
			}
			if err := a.record(r, status); err != nil {
				a.trouble(r.Context(), "record call of the API", err)
			}
		}()
		next.ServeHTTP(answer, r)
		done = true
	})
}

// record does not wait for the disk: a crash may lose the calls of half a second
// before it, never a change with its line.
func (a *API) record(r *http.Request, status int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	by := actor(ctx)
	options := pgx.TxOptions{BeginQuery: "begin; set local synchronous_commit = off"}
	return pgx.BeginTxFunc(ctx, a.DB, options, func(tx pgx.Tx) error {
		return audit.Write(ctx, tx, audit.Line{
			Who: by.Who(), At: a.Now(), Action: "api.called", About: []audit.Thing{person.TokenID(by.Token).Thing()},
			Detail: audit.Detail{"call": r.Method + " " + r.URL.Path, "status": status},
		})
	})
}

// may is the gate before an operation: the token was made for its verb.
func may(ctx context.Context, v person.Verb) error { return actor(ctx).Can(v) }

// readable refuses a body that no operation reads. What JSON holds is text from
// then on: UTF-8, whatever was sent with it (RFC 8259, 8.1).
func readable(r *http.Request, types []string) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return errEncoding
	}
	given, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case given == "" && r.ContentLength == 0 || len(types) == 0:
		return nil // nothing is sent, or nothing is read
	case !slices.Contains(types, given):
		return errMedia.With("types", strings.Join(types, ", "))
	case !slices.Contains([]string{jsonType, patchType}, given):
		return nil // a file, whose reader knows encodings
	}
	if c := params["charset"]; c != "" && !slices.Contains([]string{"utf-8", "utf8", "us-ascii"}, strings.ToLower(c)) {
		return errCharsetJSON
	}
	r.Header.Set("Content-Type", given) // huma knows it in lower case only
	return textual(r)
}

// textual makes the body of r one that is text. What is longer than any body may
// be is refused by whoever reads it.
func textual(r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+2))
	if err != nil {
		return errMalformed.Because(err)
	}
	rest := r.Body
	if len(body) <= maxBody {
		if body, err = text.JSON(body); err != nil {
			return err
		}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	return nil
}
