package catest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"petschaft/internal/pki"
)

// errRevoked is the no of an authority that has revoked a certificate before.
var errRevoked = errors.New("the certificate is revoked already")

// call asks once. Done, it has read what came into a; else it is the no or the
// later that came instead, or an error where nobody knows.
func (c *Client) call(ctx context.Context, path string, q, into any) (a pki.Answer, done bool, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, false, fmt.Errorf("ask the authority: %w", err)
	}
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return a, false, fmt.Errorf("ask the authority: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return a, false, errAway.Because(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode >= 300 {
		a, err = c.instead(path, reply)
		return a, false, err
	}
	if err := json.NewDecoder(io.LimitReader(reply.Body, 64<<20)).Decode(into); err != nil { // the first answer counts
		return a, false, errAway.Because(err)
	}
	if reply.StatusCode != http.StatusAccepted {
		return a, true, nil
	}
	a.Later = retryAt(reply.Header.Get("Retry-After"), c.now())
	if said, ok := into.(*answer); ok {
		a.Reference, a.Words, a.Person = said.Reference, pki.WordsOf(said.Words), said.Person
	}
	return a, false, nil
}

// instead is the answer that stands in a status and not in a body.
func (c *Client) instead(path string, reply *http.Response) (pki.Answer, error) {
	said, _ := io.ReadAll(io.LimitReader(reply.Body, 8<<10)) // as much as there is
	a := pki.Answer{Words: pki.WordsOf(string(said))}
	status := fmt.Errorf("the authority answers %s", reply.Status)
	switch code := reply.StatusCode; {
	case code == http.StatusTooManyRequests:
		a.Later = retryAt(reply.Header.Get("Retry-After"), c.now())
	case code >= 500:
		return pki.Answer{}, errAway.Because(status)
	case code == http.StatusNotFound && path == "/collect":
		a.No = pki.ErrUnasked.Because(status)
	case code == http.StatusConflict && path == "/revoke":
		a.No = errRevoked
	default:
		a.No = errRefused.Because(status)
	}
	return a, nil
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// How long to wait at least, at most, and where nobody said.
const (
	soonest, latest = time.Minute, 24 * time.Hour
	unsaid          = 10 * time.Minute
)

// retryAt reads a Retry-After (RFC 9110, 10.2.3): seconds, or a date. Authorities
// say 0 and they say days: it is a minute at least and a day at most.
func retryAt(header string, now time.Time) time.Time {
	wait := unsaid
	if n, err := strconv.ParseUint(header, 10, 32); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return now.Add(min(max(wait, soonest), latest))
}
