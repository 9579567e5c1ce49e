package api_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func newRow(local string) map[string]any {
	return map[string]any{"kind": "personal", "name": local, "primary": local + "@uni.example"}
}

func TestEightClientsWithTheSameKeyMakeOneRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for round := range 5 {
		local := fmt.Sprintf("ada%d", round)
		answers, start := make([]answer, 8), make(chan struct{})
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				<-start
				answers[i] = r.call("POST", uni+"/addresses", token, newRow(local), "Idempotency-Key", local)
			})
		}
		close(start)
		all.Wait()
		fresh := 0
		for _, a := range answers {
			wants(t, a, http.StatusCreated)
			if string(a.body) != string(answers[0].body) || a.header.Get("Location") != answers[0].header.Get("Location") || a.header.Get("ETag") != `"v1"` {
				t.Errorf("two clients got different answers: %s and %s", a.body, answers[0].body)
			}
			if a.header.Get("Idempotent-Replayed") == "" {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%d of 8 answers were fresh, want 1", fresh)
		}
		if n := r.scalar(`select count(*) from address_row where name = $1`, local); n != 1 {
			t.Errorf("there are %d rows, want 1", n)
		}
		if n := r.scalar(`select count(*) from audit_line where action = 'mailbox.added' and detail->>'name' = $1`, local); n != 1 {
			t.Errorf("there are %d audit lines, want 1", n)
		}
	}
}

func TestAnAnswerIsKeptForADay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	ask := func() answer {
		return r.call("POST", uni+"/addresses", token, newRow("ada"), "Idempotency-Key", "k")
	}
	first := ask()
	wants(t, first, 201)
	r.clock.Advance(24*time.Hour - time.Second)
	trial.Must(0, r.API.Tidy(t.Context()))
	if again := ask(); string(again.body) != string(first.body) || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("a day later: got %d %s, want the first answer", again.status, again.body)
	}
	r.clock.Advance(2 * time.Second)
	if again := ask(); again.status != 422 || again.code() != "mailbox.address.taken" {
		t.Errorf("after a day the key is new: got %d %s, want what the operation says by itself", again.status, again.body)
	}
	r.clock.Advance(25 * time.Hour)
	trial.Must(0, r.API.Tidy(t.Context()))
	if n := r.scalar(`select count(*) from api_answer`); n != 0 {
		t.Errorf("%d answers were never forgotten", n)
	}
}

func TestWhatWasRefusedForAPassingReasonMayBeTriedAgainWithItsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, id := r.tokenOf("nora"), r.row("ada")
	trial.Must(r.Mailbox.Challenge(t.Context(), r.actors["nora"], "uni.example", id))
	ask := func() answer {
		return r.call("POST", rowAt(id)+"/challenges", token, nil, "Idempotency-Key", "k")
	}
	a := ask()
	wants(t, a, 429)
	if got := a.header.Get("Retry-After"); got != "61" {
		t.Errorf("got Retry-After %s, want 61", got)
	}
	r.clock.Advance(61 * time.Second)
	wants(t, ask(), 201)
	wants(t, ask(), 201)
	if n := r.scalar(`select count(*) from challenge_round where row_id = $1`, id); n != 2 {
		t.Errorf("there are %d rounds, want 2", n)
	}
}

func TestWhatWasRefusedForGoodIsRefusedAgainWithItsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, id := r.tokenOf("nora"), r.row("ada")
	trial.Must(0, r.Mailbox.Deactivate(t.Context(), r.actors["nora"], "uni.example", id))
	ask := func() answer {
		return r.call("POST", rowAt(id)+"/challenges", token, nil, "Idempotency-Key", "k")
	}
	wants(t, ask(), 409)
	trial.Must(0, r.Mailbox.Activate(t.Context(), r.actors["nora"], "uni.example", id))
	a := ask()
	wants(t, a, 409)
	if a.header.Get("Idempotent-Replayed") != "true" || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %v, want the first answer", a.header)
	}
}

func TestAKeyBelongsToItsToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, other := r.tokenOf("nora"), r.tokenOf("nora")
	wants(t, r.call("POST", uni+"/addresses", one, newRow("ada"), "Idempotency-Key", "k"), 201)
	wants(t, r.call("POST", uni+"/addresses", other, newRow("bob"), "Idempotency-Key", "k"), 201)
}

func TestAClaimOfAProcessThatDiedLapses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	wants(t, r.call("GET", "/email-domains", token, nil), 200)
	trial.Must(r.db.Exec(t.Context(), `insert into api_answer (token, key, claim, claimed) select id, 'k', 7, $1 from token`, r.clock.Now()))
	ask := func() answer {
		return r.call("POST", uni+"/addresses", token, newRow("ada"), "Idempotency-Key", "k")
	}
	began := time.Now()
	wants(t, ask(), 409)
	if waited := time.Since(began); waited < 2*time.Second {
		t.Errorf("it waited %v for the first request, want some seconds", waited)
	}
	r.clock.Advance(61 * time.Second)
	wants(t, ask(), 201)
	wants(t, ask(), 201)
	if n := r.scalar(`select count(*) from address_row where name = 'ada'`); n != 1 {
		t.Errorf("there are %d rows, want 1", n)
	}
}

func TestAFileIsTakenOnceForItsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora", person.WriteImports)
	ask := func(file string) answer {
		return r.call("POST", uni+"/imports", token, file, "Content-Type", "text/csv", "Idempotency-Key", "night")
	}
	first, again := ask(sample), ask(sample)
	wants(t, first, 202)
	wants(t, again, 202)
	if first.header.Get("Location") != again.header.Get("Location") {
		t.Errorf("got two imports: %s and %s", first.header.Get("Location"), again.header.Get("Location"))
	}
	wants(t, ask(sample+"Neu,neu@uni.example,persönlich\n"), 422)
	if n := r.scalar(`select count(*) from import`); n != 1 {
		t.Errorf("there are %d imports, want 1", n)
	}
}

func TestWithoutAKeyEachRequestIsItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	wants(t, r.call("POST", uni+"/addresses", token, newRow("ada")), 201)
	wants(t, r.call("POST", uni+"/addresses", token, newRow("ada")), 422)
	wants(t, r.call("POST", uni+"/addresses", token, newRow("bob"), "Idempotency-Key", ""), 400)
	if n := r.scalar(`select count(*) from api_answer`); n != 0 {
		t.Errorf("%d answers were kept", n)
	}
}
