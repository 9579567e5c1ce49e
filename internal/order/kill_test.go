package order_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/order"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// The environment of a test binary that is to be another process of the portal.
const (
	childDatabase  = "PETSCHAFT_CHILD_DATABASE"
	childAuthority = "PETSCHAFT_CHILD_AUTHORITY"
	childIssues    = "PETSCHAFT_CHILD_ISSUES"
	childKind      = "PETSCHAFT_CHILD_KIND" // "order": of a server certificate
)

func TestMain(m *testing.M) {
	if os.Getenv(childIssues) == "" {
		os.Exit(m.Run())
	}
	if err := issueElsewhere(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// issueElsewhere is that other process: it issues one application or order.
func issueElsewhere() error {
	id, err := strconv.ParseInt(os.Getenv(childIssues), 10, 64)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // nobody is left over
	defer cancel()
	db, err := postgres.Open(ctx, os.Getenv(childDatabase))
	if err != nil {
		return err
	}
	defer db.Close()
	b, err := books(db, trial.Today, nil)
	if err != nil {
		return err
	}
	b.Authority = &catest.Client{URL: os.Getenv(childAuthority)}
	if os.Getenv(childKind) == "order" {
		return b.Fulfil(ctx, order.ServerID(id))
	}
	return b.Issue(ctx, order.ID(id))
}

// elsewhere starts a process that issues the application.
func (r *rig) elsewhere(t *testing.T, id order.ID) *exec.Cmd {
	t.Helper()
	return r.child(t, "application", int64(id))
}

func (r *rig) child(t *testing.T, kind string, id int64) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	r.ok(t, err)
	c := exec.Command(self)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	c.Env = append(os.Environ(), childDatabase+"="+r.url, childAuthority+"="+r.away.URL, childKind+"="+kind, fmt.Sprintf("%s=%d", childIssues, id))
	r.ok(t, c.Start())
	t.Cleanup(func() {
		c.Process.Kill() // it may be over
		c.Wait()
		if t.Failed() {
			t.Logf("the other process said: %s", &said)
		}
	})
	return c
}

// came waits until the authority has signed and not answered.
func (r *rig) came(t *testing.T, id int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	intent, err := r.away.Came(ctx)
	r.ok(t, err)
	if intent != id {
		t.Fatalf("got a call for intent %d, want %d", intent, id)
	}
}

// killed leaves an application whose certificate was signed while the process
// that asked for it was killed (SIGKILL) before it could note it.
func (r *rig) killed(t *testing.T) order.ID {
	t.Helper()
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example", "a@uni.example"))
	r.away.Next(catest.Slow)
	process := r.elsewhere(t, id)
	r.came(t, int64(id))
	r.ok(t, process.Process.Kill())
	if err := process.Wait(); err == nil {
		t.Fatal("the process ended well, want it killed")
	}
	r.ended(t, id, order.Issuing, "")
	if n := r.scalar(t, `select count(*) from certificate`); n != 0 || r.away.Signed(int64(id)) != 1 {
		t.Fatalf("got %d certificates recorded and %d signed, want none and one: the process died between", n, r.away.Signed(int64(id)))
	}
	return id
}

func TestAProcessKilledBetweenCallAndRecordIssuesNothingTwiceAndLosesNothing(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.killed(t)
	serial := r.intended(t, id)
	r.ok(t, r.Issue(t.Context(), id))
	c := r.one(t, id)
	if got := fmt.Sprintf("%x", c.Serial); got != serial || got != r.intended(t, id) {
		t.Errorf("got serial %s, want the first intent's, %s", got, serial)
	}
	if n := r.away.Signed(int64(id)); n != 1 {
		t.Errorf("got %d certificates signed for the intent, want 1", n)
	}
	if n := r.scalar(t, `select count(*) from letter where kind = 'issued'`); n != 1 {
		t.Errorf("got %d letters to the holder, want 1", n)
	}
}

// TestWhatWasSignedBeforeTheKillIsRecordedThoughTheRowIsInactiveNow: it exists,
// so it must be known, or nobody could revoke it.
func TestWhatWasSignedBeforeTheKillIsRecordedThoughTheRowIsInactiveNow(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.killed(t)
	r.off(t, r.application(t, id).RowID)
	r.ok(t, r.Issue(t.Context(), id))
	c := r.one(t, id)
	r.ok(t, r.Cert.Revoke(t.Context(), r.contact, c.ID, 0))
}

func TestAfterAKillManyProcessesRecordOneCertificate(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.killed(t)
	first, second := r.elsewhere(t, id), r.elsewhere(t, id)
	got := race(10, func(int) error { return r.Issue(t.Context(), id) })
	if got[""] != 10 {
		t.Errorf("got %v, want all well", got)
	}
	for _, c := range []*exec.Cmd{first, second} {
		if err := c.Wait(); err != nil {
			t.Errorf("another process: %v, want it to end well", err)
		}
	}
	r.one(t, id)
	if n := r.away.Signed(int64(id)); n != 1 {
		t.Errorf("got %d certificates signed for the intent, want 1", n)
	}
}
