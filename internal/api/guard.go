package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/intake"
	"petschaft/internal/person"
	"petschaft/internal/text"
	"petschaft/internal/trace"
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
			t := person.WhichToken(err)
			trace.Of(r.Context()).By(int64(t.Account), int64(t.Token))
			a.fail(w, r, err)
			return
		}
		trace.Of(r.Context()).By(int64(by.Account), by.Token)
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
			Detail: called(r, status),
		})
	})
}

// mostCalled bounds what a line keeps of the address of a call, in bytes as it is
// kept: whoever calls chooses what stands in it.
const mostCalled = 200

// called is what was called: the pattern of its path, and what stood in the path in
// place of each of its names.
func called(r *http.Request, status int) audit.Detail {
	route := chi.RouteContext(r.Context())
	call, left := r.Method+" "+route.RoutePattern(), mostCalled
	detail := audit.Detail{"call": call, "status": status}
	left -= len(call) + 4*len(route.URLParams.Keys) // brackets, quotes, commas and blanks
	var of []string
	for i, name := range route.URLParams.Keys {
		if name == "*" {
			continue
		}
		value := shortened(text.Line(route.URLParams.Values[i]), left)
		left -= quoted(value)
		of = append(of, value)
	}
	if len(of) > 0 {
		detail["of"] = of
	}
	return detail
}

// shortened is s in at most so many bytes as they are kept.
func shortened(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:max(0, most)], "")
	}
	for s != "" && quoted(s) > most {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// quoted is how long s is in JSON, without its quotes. It holds no controls.
func quoted(s string) int { return len(s) + strings.Count(s, `"`) + strings.Count(s, `\`) }

// may is the gate before an operation: the token was made for its verb.
func may(ctx context.Context, v person.Verb) error { return actor(ctx).Can(v) }

// bodyTime is how long a body may take that is no file.
const bodyTime = 30 * time.Second

// admit lets the body of a call in that has the right to be made. A file is read
// as it comes; what nobody reads is not held at all.
func (a *API) admit(r *http.Request, types []string) error {
	t := intake.Terms{Most: maxBody, Within: bodyTime}
	switch {
	case slices.Contains(types, csvType):
		t = intake.Terms{Most: maxImport + 1, Held: intake.MostForm, Within: uploadTime}
	case len(types) == 0:
		t.Held = 1
	}
	return a.worded(r.Context(), intake.Admit(r, t), t.Most)
}

// worded says of a body that is too large what the most is.
func (a *API) worded(ctx context.Context, err error, most int64) error {
	if errors.Is(err, intake.ErrLarge) {
		return a.said(ctx, tooLarge, "api.too_large", "max", most>>20)
	}
	return err
}

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
	if errors.Is(err, intake.ErrLarge) || errors.Is(err, intake.ErrSlow) {
		return err
	}
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
