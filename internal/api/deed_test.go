package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/trial"
)

// eachPost runs f for every POST, with a portal for itself whose jobs rest.
func eachPost(t *testing.T, f func(t *testing.T, r *rig, e entry, path string, body any)) {
	for _, e := range matrix {
		if e.method != http.MethodPost {
			continue
		}
		t.Run(e.template, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			path, body := e.fill(r)
			trial.Must(0, r.Queue.Stop(t.Context()))
			f(t, r, e, path, body)
		})
	}
}

// effects are what the calls of the API did, mails included.
func (r *rig) effects() string {
	r.t.Helper()
	row := r.db.QueryRow(r.t.Context(), `select format('%s audit lines, %s rows, %s rounds, %s challenges, %s letters, %s imports, %s orders, %s revocations',
		(select count(*) from audit_line where action <> 'api.called'), (select count(*) from address_row), (select count(*) from challenge_round),
		(select count(*) from challenge), (select count(*) from letter), (select count(*) from import), (select count(*) from server_order),
		(select count(*) from certificate where revoked is not null))`)
	var s string
	trial.Must(0, row.Scan(&s))
	return s
}

func TestACallWhoseCommitWasNotHeardOfIsAnsweredAtTheSecondTry(t *testing.T) {
	t.Parallel()
	eachPost(t, func(t *testing.T, r *rig, e entry, path string, body any) {
		token := r.tokenOf("nora")
		cut := &cutter{}
		broken := r.another(cut.pool)
		cut.armed.Store(true)
		ask := func(at, path string, body any) answer {
			return trial.Must(r.askAt(at, "POST", "/api/v1"+path, token, body, "Content-Type", e.kind, "Idempotency-Key", "k"))
		}
		before := r.effects()
		if a := ask(broken, path, body); a.status < 500 || cut.armed.Load() {
			t.Fatalf("got %d %s, want the connection lost at the commit", a.status, a.body)
		}
		did := r.effects()
		r.clock.Advance(2 * time.Minute) // the brakes would let it happen again
		if a := ask(r.base, path+"?", body); a.code() != "api.key_reused" {
			t.Errorf("another request with the key: got %d %s, want it refused", a.status, a.body)
		}
		a := ask(r.base, path, body)
		wants(t, a, e.status)
		if a.header.Get("Idempotent-Replayed") != "true" {
			t.Error("it does not say that it was done before")
		}
		if got := r.effects(); got != did || did == before && e.template != "/email-domains/{domain}/imports/{id}/apply" {
			t.Errorf("before: %s\nonce:   %s\ntwice:  %s", before, did, got)
		}
		again := ask(r.base, path, body)
		if string(again.body) != string(a.body) || again.status != a.status || again.header.Get("Location") != a.header.Get("Location") {
			t.Errorf("the third answer is %d %s, want that of the second, %s", again.status, again.body, a.body)
		}
		if got := r.effects(); got != did {
			t.Errorf("once:   %s\nthrice: %s", did, got)
		}
	})
}

func TestAnAnswerThatWasNotKeptIsBuiltAgain(t *testing.T) {
	t.Parallel()
	eachPost(t, func(t *testing.T, r *rig, e entry, path string, body any) {
		token := r.tokenOf("nora")
		first := e.ask(r, token, path, body, "Idempotency-Key", "k")
		wants(t, first, e.status)
		did := r.effects()
		trial.Must(r.db.Exec(t.Context(), `delete from api_answer`))
		again := e.ask(r, token, path, body, "Idempotency-Key", "k")
		if again.status != first.status || string(again.body) != string(first.body) {
			t.Errorf("got %d %s, want %d %s", again.status, again.body, first.status, first.body)
		}
		for _, name := range []string{"Content-Type", "Location", "ETag"} {
			if got, want := again.header.Get(name), first.header.Get(name); got != want {
				t.Errorf("got %s %q, want %q", name, got, want)
			}
		}
		if first.header.Get("Idempotent-Replayed") != "" || again.header.Get("Idempotent-Replayed") != "true" {
			t.Error("the second answer alone should say that it was done before")
		}
		if got := r.effects(); got != did {
			t.Errorf("once:  %s\ntwice: %s", did, got)
		}
		trial.Must(r.db.Exec(t.Context(), `delete from api_answer`))
		if a := e.ask(r, token, path+"?", body, "Idempotency-Key", "k"); a.code() != "api.key_reused" {
			t.Errorf("the key with another address: got %d %s, want it refused", a.status, a.body)
		}
	})
}

func TestWhoLostTheRightGetsNoKeptAnswer(t *testing.T) {
	t.Parallel()
	eachPost(t, func(t *testing.T, r *rig, e entry, path string, body any) {
		token := r.tokenOf("nora")
		ask := func() answer { return e.ask(r, token, path, body, "Idempotency-Key", "k") }
		first := ask()
		wants(t, first, e.status)
		if again := ask(); string(again.body) != string(first.body) || again.header.Get("Idempotent-Replayed") != "true" {
			t.Fatalf("got %d %s, want the first answer", again.status, again.body)
		}
		back := r.deprive(t)
		lost := r.effects()
		if a := ask(); a.status != http.StatusNotFound {
			t.Errorf("without the right: got %d %s, want 404", a.status, a.body)
		}
		trial.Must(r.db.Exec(t.Context(), `delete from api_answer`))
		if a := ask(); a.status != http.StatusNotFound {
			t.Errorf("without the right, after a crash: got %d %s, want 404", a.status, a.body)
		}
		if got := r.effects(); got != lost {
			t.Errorf("after the right was lost: %s\nthen: %s", lost, got)
		}
		back()
		if again := ask(); again.status != first.status || again.header.Get("Location") != first.header.Get("Location") {
			t.Errorf("with the right again: got %d %s, want the first answer", again.status, again.body)
		}
		trial.Must(r.db.Exec(t.Context(), `update token set withdrawn = $1`, r.clock.Now()))
		wants(t, ask(), http.StatusUnauthorized)
	})
}

// deprive takes from nora whatever she looks after, until back is called.
func (r *rig) deprive(t *testing.T) (back func()) {
	t.Helper()
	ctx, rita := t.Context(), r.actors["rita"]
	group := trial.Must(r.Org.Domain(ctx, rita, "uni.example")).Group
	trial.Must(0, r.Org.AddMember(ctx, rita, group, r.actors["ada"].Account))
	trial.Must(0, r.Org.RemoveMember(ctx, rita, group, r.actors["nora"].Account))
	contact := func(who string) {
		trial.Must(r.db.Exec(ctx, `update organisation set contact = $2 where id = $1`, r.organisations["nora"], r.actors[who].Account))
	}
	contact("ada")
	return func() {
		trial.Must(0, r.Org.AddMember(ctx, rita, group, r.actors["nora"].Account))
		contact("nora")
	}
}

func TestARefusalThatWasKeptAsksTheRightToo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, id := r.tokenOf("nora"), r.row("ada")
	ask := func(kind string) answer {
		body := string(trial.Must(json.Marshal(newRow("ada"))))
		return r.call("POST", uni+"/addresses", token, body, "Content-Type", kind, "Idempotency-Key", "k")
	}
	wants(t, ask("application/json"), 422)
	trial.Must(0, r.Mailbox.Delete(t.Context(), r.actors["nora"], "uni.example", id))
	back := r.deprive(t)
	wants(t, ask("application/json"), 404)
	wants(t, ask("text/plain"), 415) // says nothing of the domain
	back()
	if a := ask("application/json"); a.status != 422 || a.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("got %d %s, want the kept refusal", a.status, a.body)
	}
}

func TestWhatNobodyCouldReadIsAnsweredTheSameAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	ask := func(body string) answer {
		return r.call("POST", uni+"/addresses", token, body, "Content-Type", "application/json", "Idempotency-Key", "k")
	}
	wants(t, ask("{"), 400)
	if a := ask("{"); a.status != 400 || a.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("got %d %s, want the first answer", a.status, a.body)
	}
	if a := ask("{}"); a.code() != "api.key_reused" {
		t.Errorf("got %d %s, want the key refused", a.status, a.body)
	}
}

func TestFiftyCallsToTwoPortalsDoOneThing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, id, other := r.tokenOf("nora"), r.row("ada"), r.another()
	answers := make([]answer, 50)
	var all sync.WaitGroup
	for i := range answers {
		at := []string{r.base, other}[i%2]
		all.Go(func() {
			answers[i] = trial.Must(r.askAt(at, "POST", "/api/v1"+rowAt(id)+"/challenges", token, nil, "Idempotency-Key", "k"))
		})
	}
	all.Wait()
	var told string
	for _, a := range answers {
		if a.code() == "api.in_progress" || a.code() == "fault.busy" {
			continue
		}
		wants(t, a, 201)
		if told == "" {
			told = string(a.body)
		}
		if string(a.body) != told {
			t.Errorf("got two answers: %s and %s", a.body, told)
		}
	}
	if n := r.scalar(`select count(*) from challenge`); n != 1 || told == "" {
		t.Errorf("got %d mails and the answer %q, want one of each", n, told)
	}
}

// TestAProcessKilledBeforeItsAnswerIsKept kills a real process (SIGKILL) that has
// committed and has not kept its answer yet.
func TestAProcessKilledBeforeItsAnswerIsKept(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"/email-domains/{domain}/addresses", "/email-domains/{domain}/addresses/{id}/challenges", "/orders"} {
		e := matrix[slices.IndexFunc(matrix, func(e entry) bool { return e.method == "POST" && e.template == template })]
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			token := r.tokenOf("nora")
			path, body := e.fill(r)
			release := r.hold(t)
			at, process := r.elsewhere()
			headers := []string{"Content-Type", e.kind, "Idempotency-Key", "k"}
			go r.askAt(at, "POST", "/api/v1"+path, token, body, headers...) // it hears nothing
			r.held(t)
			did := r.effects()
			process.Kill()
			release()
			if a := e.ask(r, token, path, body, headers...); a.code() != "api.in_progress" {
				t.Errorf("just after: got %d %s, want 409: it may be alive", a.status, a.body)
			}
			r.clock.Advance(61 * time.Second)
			a := e.ask(r, token, path, body, headers...)
			wants(t, a, e.status)
			if got := r.effects(); got != did {
				t.Errorf("once:  %s\ntwice: %s", did, got)
			}
		})
	}
}

// TestAConnectionCutBeforeTheAnswerIsKept is the same without a death.
func TestAConnectionCutBeforeTheAnswerIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, id := r.tokenOf("nora"), r.row("ada")
	release := r.hold(t)
	at := r.another()
	ask := func(at string) answer {
		return trial.Must(r.askAt(at, "POST", "/api/v1"+rowAt(id)+"/challenges", token, nil, "Idempotency-Key", "k"))
	}
	heard := make(chan answer)
	go func() { heard <- ask(at) }()
	r.held(t)
	release()
	first := <-heard
	wants(t, first, 201)
	r.clock.Advance(61 * time.Second)
	if again := ask(r.base); again.status != 201 || string(again.body) != string(first.body) {
		t.Errorf("got %d %s, want %s", again.status, again.body, first.body)
	}
	if n := r.scalar(`select count(*) from challenge`); n != 1 {
		t.Errorf("got %d mails, want 1", n)
	}
}

// TestASlowSenderHoldsNobodyUp sends a body that no operation reads, and not all
// of it.
func TestASlowSenderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, id := r.tokenOf("nora"), r.row("ada")
	slow := trial.Must(net.Dial("tcp", strings.TrimPrefix(r.base, "http://")))
	defer slow.Close()
	trial.Must(fmt.Fprintf(slow, "POST /api/v1%s/challenges HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nIdempotency-Key: k\r\nContent-Length: 9\r\n\r\nslow",
		rowAt(id), token))
	trial.Until(t, "the slow request has begun", func() bool { return r.scalar(`select count(*) from api_answer`) > 0 })
	for range 20 { // it has the key and comes to the operation now
		wants(t, r.call("PATCH", rowAt(id), token, map[string]any{"comment": rand()}), 200)
	}
}

const held = 4711

// hold keeps everybody from keeping an answer until release, which cuts the
// connections of those who wait.
func (r *rig) hold(t *testing.T) (release func()) {
	t.Helper()
	ctx := t.Context()
	trial.Must(r.db.Exec(ctx, fmt.Sprintf(`create function wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(%d); return new; end $$`, held)))
	trial.Must(r.db.Exec(ctx, `create trigger wait before update on api_answer for each row when (new.status is not null) execute function wait()`))
	tx := trial.Must(r.db.Begin(ctx))
	trial.Must(tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, held))
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(ctx)) })
	return func() {
		trial.Must(tx.Exec(ctx, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = $1 and not granted`, held))
		trial.Must(0, tx.Rollback(ctx))
		trial.Must(r.db.Exec(ctx, `drop trigger wait on api_answer`))
	}
}

// held waits until somebody is about to keep an answer.
func (r *rig) held(t *testing.T) {
	t.Helper()
	trial.Until(t, "somebody is about to keep an answer", func() bool {
		return r.scalar(`select count(*) from pg_locks l join pg_database d on d.oid = l.database
			where d.datname = current_database() and locktype = 'advisory' and objid = $1 and not granted`, held) > 0
	})
}
