package mail

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"petschaft/internal/pgtest"
	"petschaft/internal/queue"
)

// gruff is an outbox before a server that says no to one command until it is
// mended; rita is the registration officer.
type gruff struct {
	*box
	command, no atomic.Value
	asked       atomic.Int64 // how often it said no
}

func newGruff(t *testing.T, command, no string) *gruff {
	t.Helper()
	g := &gruff{}
	g.say(command, no)
	url := script(t, "", func(said string) string {
		if said == g.command.Load() || said == "HELO" && g.command.Load() == "EHLO" {
			g.asked.Add(1)
			return g.no.Load().(string)
		}
		switch said {
		case "":
			return "220 mx.example ESMTP"
		case "EHLO":
			return "250-mx.example\r\n250 AUTH PLAIN"
		case "AUTH":
			return "235 2.7.0 fine"
		case "DATA":
			return "354 go on"
		}
		return "250 2.0.0 OK"
	})
	g.box = &box{db: pgtest.New(t)}
	var err error
	if g.queue, err = queue.Open(g.db); err != nil {
		t.Fatal(err)
	}
	g.Outbox = &Outbox{
		DB: g.db, Sender: newSender(t, Config{URL: strings.Replace(url, "smtp://", "smtp://kim:secret@", 1)}), Queue: g.queue, Now: g.now,
		OfficeLink: "https://petschaft.uni.example/office/mail",
		Officers:   func(context.Context, pgx.Tx) ([]Reader, error) { return []Reader{{"rita@uni.example", "en"}}, nil },
	}
	g.set(at)
	return g
}

func (g *gruff) say(command, no string) {
	g.command.Store(command)
	g.no.Store(no)
}

func (g *gruff) later(d time.Duration) { g.set(g.Now().Add(d)) }

// letter posts one to the address.
func (g *gruff) letter(t *testing.T, to string) ID {
	t.Helper()
	w := note
	w.To = to
	return g.post(t, w)
}

// try is one run of the letter's job: waited, or the state it left.
func (g *gruff) try(t *testing.T, id ID) string {
	t.Helper()
	err := g.deliver(t.Context(), id)
	if snooze, ok := errors.AsType[*rivertype.JobSnoozeError](err); ok {
		if snooze.Duration > probeEvery+time.Minute {
			t.Errorf("letter %d waits for %v, want it back when a letter may try", id, snooze.Duration)
		}
		return "waited"
	}
	got := g.row(t, id)
	if (err == nil) != (got.State != "deferred") {
		t.Errorf("letter %d is %s, and the job said %v", id, got.State, err)
	}
	if got.State == "failed" && g.unsent(t, id) {
		return "unsent"
	}
	return got.State
}

func (g *gruff) unsent(t *testing.T, id ID) (unsent bool) {
	t.Helper()
	if err := g.db.QueryRow(t.Context(), `select unsent from letter where id = $1`, id).Scan(&unsent); err != nil {
		t.Fatal(err)
	}
	return unsent
}

func (g *gruff) tries(t *testing.T, id ID, want string) {
	t.Helper()
	if got := g.try(t, id); got != want {
		t.Fatalf("at %s letter %d: got %s, want %s", g.Now().Format(time.TimeOnly), id, got, want)
	}
}

func (g *gruff) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	if err := g.db.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// hangUp closes the connections that are kept.
func (s *Sender) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.idle {
		c.cut()
	}
}
