package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// refused are answers that only one operation gives: what its state does not
// allow.
var refused = []struct {
	name   string
	status int
	ask    func(r *rig, token string) answer
}{
	{"a row whose address another took meanwhile stays inactive", 409, func(r *rig, token string) answer {
		id := r.row(rand(), "shared@uni.example")
		trial.Must(0, r.Mailbox.Deactivate(r.t.Context(), r.actors["nora"], "uni.example", id))
		r.row(rand(), "shared@uni.example")
		return r.call("PATCH", rowAt(id), token, map[string]any{"active": true})
	}},
	{"a challenged row stays", 409, func(r *rig, token string) answer {
		id := r.row(rand())
		trial.Must(r.Mailbox.Challenge(r.t.Context(), r.actors["nora"], "uni.example", id))
		return r.call("DELETE", rowAt(id), token, nil)
	}},
	{"a row of another version is not changed", 412, func(r *rig, token string) answer {
		return r.call("PATCH", rowAt(r.row(rand())), token, map[string]any{"comment": "neu"}, "If-Match", `"v9"`)
	}},
	{"a row of another version is not deleted", 412, func(r *rig, token string) answer {
		return r.call("DELETE", rowAt(r.row(rand())), token, nil, "If-Match", `"v9"`)
	}},
	{"a condition that names no version", 400, func(r *rig, token string) answer {
		return r.call("DELETE", rowAt(r.row(rand())), token, nil, "If-Match", `v1`)
	}},
	{"no challenges for an inactive row", 409, func(r *rig, token string) answer {
		id := r.row(rand())
		trial.Must(0, r.Mailbox.Deactivate(r.t.Context(), r.actors["nora"], "uni.example", id))
		return r.call("POST", rowAt(id)+"/challenges", token, nil)
	}},
	{"no second round within the minute", 429, func(r *rig, token string) answer {
		id := r.row(rand())
		trial.Must(r.Mailbox.Challenge(r.t.Context(), r.actors["nora"], "uni.example", id))
		return r.call("POST", rowAt(id)+"/challenges", token, nil)
	}},
	{"an active row's certificate is not the contact's to revoke", 409, func(r *rig, token string) answer {
		id := r.client(rand() + "@uni.example")
		row := trial.Must(r.Cert.One(r.t.Context(), r.actors["rita"], id)).RowID
		trial.Must(0, r.Mailbox.Activate(r.t.Context(), r.actors["nora"], "uni.example", row))
		return r.call("POST", fmt.Sprintf("/client-certificates/%d/revocation", id), token, map[string]any{"reason": "superseded"})
	}},
	{"no order for somebody else's organisation", 404, func(r *rig, token string) answer {
		return r.call("POST", "/orders", token, r.wish("sven", "www.institut.example"))
	}},
}

func rowAt(id mailbox.ID) string { return fmt.Sprintf(uni+"/addresses/%d", id) }

// unseen are described answers that no test can bring about, with the reason.
var unseen = map[string]string{}

func TestEveryDescribedAnswerIsGiven(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.tokenOf("nora")
	reads, writes := r.tokenOf("nora", person.ReadAddresses), r.tokenOf("nora", person.WriteAddresses)
	for _, e := range matrix {
		path, body := e.fill(r)
		wants(t, e.ask(r, nora, path, body), e.status)
		wants(t, e.ask(r, "", path, body), 401)
		other := reads
		if e.verb == person.ReadAddresses {
			other = writes
		}
		wants(t, e.ask(r, other, path, body), 403)
		if e.foreign != nil {
			wants(t, e.ask(r, nora, e.foreign(r), body), 404)
		}
		wants(t, e.ask(r, nora, with(path, "nonsense=1"), body), 422)
		wants(t, e.ask(r, nora, with(path, "nonsense=%00"), body), 400)
		e.misread(r, nora, path, body)
	}
	r.inProgress(nora)
	for _, c := range refused {
		if a := c.ask(r, nora); a.status != c.status {
			t.Errorf("%s: got %d, want %d: %s", c.name, a.status, c.status, a.body)
		}
	}
	r.tooMany(nora)
	r.broken(nora)
	for path, item := range r.contract.document["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			for status := range op.(map[string]any)["responses"].(map[string]any) {
				name := strings.ToUpper(method) + " " + path + " " + status
				if !r.contract.seen[name] && unseen[name] == "" {
					t.Errorf("%s is described and was never given", name)
				}
			}
		}
	}
}

func with(path, query string) string {
	if strings.Contains(path, "?") {
		return path + "&" + query
	}
	return path + "?" + query
}

// misread sends what cannot be read.
func (e entry) misread(r *rig, token, path string, body any) {
	t := r.t
	t.Helper()
	if e.method == http.MethodPost {
		wants(t, e.ask(r, token, path, body, "Idempotency-Key", strings.Repeat("x", 256)), 400)
		path, body = e.fill(r)
		key := rand()
		wants(t, e.ask(r, token, path, body, "Idempotency-Key", key), e.status)
		a := e.ask(r, token, with(path, "x=1"), body, "Idempotency-Key", key)
		wants(t, a, 422)
		if got := a.code(); got != "api.key_reused" {
			t.Errorf("%s with a key of another request: got %s", e, got)
		}
	}
	if e.kind == "" {
		return
	}
	wants(t, e.ask(r, token, path, "x", "Content-Type", "text/plain"), 415)
	wants(t, e.ask(r, token, path, "x", "Content-Encoding", "gzip"), 415)
	long := 1 << 20
	if e.kind == "text/csv" {
		long = 20 << 20
	} else {
		wants(t, e.ask(r, token, path, "{"), 400)
	}
	wants(t, e.ask(r, token, path, strings.Repeat(" ", long+1)), 413)
}

// inProgress asks for what another process has in hand.
func (r *rig) inProgress(token string) {
	r.t.Helper()
	var all sync.WaitGroup
	for _, e := range matrix {
		if e.method != http.MethodPost {
			continue
		}
		path, body := e.fill(r)
		key := rand()
		trial.Must(r.db.Exec(r.t.Context(), `insert into api_answer (token, key, claim, claimed) select id, $1, 1, $2 from token`, key, r.clock.Now()))
		all.Go(func() {
			a := e.ask(r, token, path, body, "Idempotency-Key", key)
			if a.status != 409 || a.code() != "api.in_progress" || a.header.Get("Retry-After") == "" {
				r.t.Errorf("%s while another process has it in hand: got %d %s: %v", e, a.status, a.code(), a.header)
			}
		})
	}
	all.Wait()
}

// tooMany asks when the minute's calls are used up.
func (r *rig) tooMany(token string) {
	r.t.Helper()
	type request struct {
		entry
		path string
		body any
	}
	var all []request
	for _, e := range matrix {
		path, body := e.fill(r)
		all = append(all, request{e, path, body})
	}
	trial.Must(r.db.Exec(r.t.Context(), `update brake set n = 1000000`))
	for _, q := range all {
		a := q.ask(r, token, q.path, q.body)
		wants(r.t, a, 429)
		if got := a.header.Get("Retry-After"); got == "" {
			r.t.Errorf("%s does not say when it goes on", q)
		}
	}
	trial.Must(r.db.Exec(r.t.Context(), `delete from brake`))
}

// broken asks while everything is locked, and then when a table is gone.
func (r *rig) broken(token string) {
	r.t.Helper()
	ctx := r.t.Context()
	paths, bodies := make([]string, len(matrix)), make([]any, len(matrix))
	for i, e := range matrix {
		paths[i], bodies[i] = e.fill(r)
	}
	trial.Must(0, pgx.BeginFunc(ctx, r.db, func(tx pgx.Tx) error {
		trial.Must(tx.Exec(ctx, `lock table email_domain, organisation in access exclusive mode`))
		for i, e := range matrix {
			wants(r.t, e.ask(r, token, paths[i], bodies[i]), 503)
		}
		return nil
	}))
	trial.Must(r.db.Exec(ctx, `alter table email_domain rename to gone`))
	trial.Must(r.db.Exec(ctx, `alter table organisation rename to gone_too`))
	for i, e := range matrix {
		a := e.ask(r, token, paths[i], bodies[i])
		wants(r.t, a, 500)
		var p struct{ Detail, Reference, Code string }
		a.to(r.t, &p)
		if p.Reference == "" || !strings.Contains(r.logged.String(), p.Reference) || p.Code != "" {
			r.t.Errorf("%s: got %s, want a reference that the log knows", e, a.body)
		}
		for _, inner := range []string{"SQLSTATE", "email_domain", "relation", "pgx", "goroutine", ".go"} {
			if slices.Contains(strings.FieldsFunc(string(a.body), func(c rune) bool { return c == '"' || c == ' ' }), inner) {
				r.t.Errorf("%s tells %q of what is inside: %s", e, inner, a.body)
			}
		}
	}
}
