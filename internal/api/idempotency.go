package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/person"
)

// An answer to a POST with an Idempotency-Key is kept for keyLife: who asks
// again, and still may, gets it again. Who asks while the first request is still
// at work waits for keyPatience. A claim that is not renewed for keyLapse is of a
// process that died; then, as after an answer that is not kept, the request is
// carried out again, and the operation knows its deed: it returns what it made
// then. So nothing happens twice.
const (
	keyLife     = person.DeedLife
	keyPatience = 3 * time.Second
	keyLapse    = time.Minute
	keyPoll     = 50 * time.Millisecond
	maxKey      = 255
)

// kept are the headers that belong to an answer.
var kept = [...]string{"Content-Type", "Content-Language", "Location", "ETag", "Link", "Retry-After"}

// idempotent makes a POST with an Idempotency-Key happen once.
func (a *API) idempotent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || len(r.Header.Values("Idempotency-Key")) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if !goodKey(key) {
			a.fail(w, r, errKeyForm.With("max", maxKey))
			return
		}
		body := digested(r)
		by := actor(r.Context())
		by.Deed = &person.Deed{Key: fmt.Sprintf("api %d %s", by.Token, key), Digest: body.digest}
		r = r.WithContext(context.WithValue(r.Context(), actorKey{}, by))
		c := claim{api: a, token: by.Token, key: key, number: claimNumber()}
		earlier, err := c.take(r.Context())
		switch {
		case err != nil:
			a.fail(w, r, err)
		case earlier != nil:
			by.Deed.Answered = true
			a.again(w, r, body, *earlier, next)
		default:
			c.carryOut(w, r, body, next)
		}
	})
}

// goodKey: printable ASCII, so that every client sends the same bytes.
func goodKey(key string) bool {
	for i := range len(key) {
		if key[i] < 0x20 || key[i] > 0x7e {
			return false
		}
	}
	return key != "" && len(key) <= maxKey
}

// claimNumber tells one claim of a key from the next.
func claimNumber() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

// hashed is a body and the digest of what was read of it.
type hashed struct {
	io.ReadCloser
	sum hash.Hash
	end bool
}

// digested makes the body of r tell its digest, with the address in front.
func digested(r *http.Request) *hashed {
	h := &hashed{ReadCloser: r.Body, sum: sha256.New()}
	fmt.Fprintf(h.sum, "%s\n", r.URL.RequestURI())
	r.Body = h
	return h
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.sum.Write(p[:n])
	h.end = h.end || errors.Is(err, io.EOF)
	return n, err
}

// digest reads what is left; nil when there is too much of it.
func (h *hashed) digest() []byte {
	if !h.end {
		_, _ = io.Copy(io.Discard, io.LimitReader(h, maxImport+1))
	}
	if !h.end {
		return nil
	}
	return h.sum.Sum(nil)
}

// keeps tells whether an answer with that status is kept, so that the same key
// gets it again. Who was turned away, by a right or by a brake, and whom a fault
// of ours hit, may try again with the same key.
func keeps(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		return false
	}
	return status < 500
}

// keptAnswer is an answer as it is kept. Status is nil while it is being found.
type keptAnswer struct {
	Digest  []byte
	Status  *int
	Headers map[string]string
	Body    []byte
}

// claim is one request's hold on a key of a token.
type claim struct {
	api    *API
	token  int64
	key    string
	number int64
}

func (c claim) args(more pgx.NamedArgs) pgx.NamedArgs {
	now := c.api.Now()
	args := pgx.NamedArgs{"token": c.token, "key": c.key, "claim": c.number, "now": now, "lapsed": now.Add(-keyLapse), "old": now.Add(-keyLife)}
	for k, v := range more {
		args[k] = v
	}
	return args
}

// take claims the key, or returns the answer that was given to it before.
func (c claim) take(ctx context.Context) (*keptAnswer, error) {
	for waited := time.Duration(0); ; waited += keyPoll {
		tag, err := c.api.DB.Exec(ctx, `insert into api_answer as x (token, key, claim, claimed) values (@token, @key, @claim, @now)
			on conflict (token, key) do update set claim = @claim, claimed = @now, digest = null, status = null, headers = '{}', body = ''
			where x.claimed <= case when x.status is null then @lapsed::timestamptz else @old::timestamptz end`, c.args(nil))
		if err != nil {
			return nil, fmt.Errorf("claim key: %w", err)
		}
		if tag.RowsAffected() == 1 {
			return nil, nil
		}
		rows, err := c.api.DB.Query(ctx, `select digest, status, headers, body from api_answer where token = @token and key = @key`, c.args(nil))
		if err != nil {
			return nil, fmt.Errorf("read kept answer: %w", err)
		}
		g, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[keptAnswer])
		switch {
		case errors.Is(err, pgx.ErrNoRows): // given up just now
		case err != nil:
			return nil, fmt.Errorf("read kept answer: %w", err)
		case g.Status != nil:
			return &g, nil
		}
		if waited >= keyPatience {
			return nil, errInProgress.Until(c.api.Now())
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(keyPoll):
		}
	}
}

// carryOut serves the request and keeps the answer, or gives the key up.
func (c claim) carryOut(w http.ResponseWriter, r *http.Request, body *hashed, next http.Handler) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	go c.renew(ctx)
	answer := &recorder{ResponseWriter: w, status: http.StatusOK, deed: actor(ctx).Deed}
	whole := false
	defer func() {
		if whole && keeps(answer.status) && !answer.deed.Strange() { // else the key stays with its deed
			if digest := body.digest(); digest != nil {
				c.keep(ctx, answer, digest)
				return
			}
		}
		c.giveUp(ctx)
	}()
	next.ServeHTTP(answer, r)
	whole = true
}

// renew holds the claim as long as the request takes.
func (c claim) renew(ctx context.Context) {
	tick := time.NewTicker(keyLapse / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, err := c.api.DB.Exec(ctx, `update api_answer set claimed = @now where token = @token and key = @key and claim = @claim and status is null`, c.args(nil))
			if err != nil && ctx.Err() == nil {
				c.api.trouble(ctx, "hold key", err)
			}
		}
	}
}

func (c claim) keep(ctx context.Context, answer *recorder, digest []byte) {
	headers := map[string]string{}
	for _, name := range kept {
		if v := answer.Header().Get(name); v != "" {
			headers[name] = v
		}
	}
	_, err := c.api.DB.Exec(ctx, `update api_answer set claimed = @now, digest = @digest, status = @status, headers = @headers, body = @body
		where token = @token and key = @key and claim = @claim and status is null`,
		c.args(pgx.NamedArgs{"digest": digest, "status": answer.status, "headers": headers, "body": answer.body.Bytes()}))
	if err != nil {
		c.api.trouble(ctx, "keep answer", err)
	}
}

func (c claim) giveUp(ctx context.Context) {
	_, err := c.api.DB.Exec(ctx, `delete from api_answer where token = @token and key = @key and claim = @claim and status is null`, c.args(nil))
	if err != nil {
		c.api.trouble(ctx, "give key up", err)
	}
}
