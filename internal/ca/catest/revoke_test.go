package catest_test

import (
	"strings"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/pki"
)

func TestRevokingGoesAsTheAuthorityIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		modes []catest.Mode
		want  string // what each of two calls says; "nothing" is done
		after int    // revoked after the first
	}{
		"done":                         {nil, "nothing nothing", 1},
		"it was revoked before":        {[]catest.Mode{catest.AlreadyRevoked}, "nothing nothing", 1},
		"later":                        {[]catest.Mode{catest.Pending}, "later nothing", 0},
		"broken":                       {[]catest.Mode{catest.Broken}, "unknown nothing", 0},
		"done, and the answer is lost": {[]catest.Mode{catest.Cut}, "unknown nothing", 1},
		"refusing":                     {[]catest.Mode{catest.Refusing, catest.Refusing}, "no no", 0},
		"too many":                     {[]catest.Mode{catest.TooMany, catest.TooManyBare}, "later later", 0},
		"a page of the web":            {[]catest.Mode{catest.HTML}, "unknown nothing", 0},
		"it answers twice":             {[]catest.Mode{catest.Twice}, "nothing nothing", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := newServer(t)
			r := request(t, 1)
			a, err := client.Ask(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			s.NextRevoke(c.modes...)
			var got []string
			for range 2 {
				done, err := client.Revoke(t.Context(), *a.Certificate, pki.KeyCompromise)
				if got = append(got, said(r, done, err)); len(got) == 1 && s.Count(1).Revoked != c.after {
					t.Errorf("%d are revoked after the first call, want %d", s.Count(1).Revoked, c.after)
				}
				if done.Kind() == pki.AnswerLater && !done.Later.After(now) {
					t.Errorf("later is %s, want it ahead", done.Later)
				}
			}
			if all := strings.Join(got, " "); all != c.want || s.Count(1).Revoking != 2 {
				t.Errorf("got %q in %d calls, want %q in two", all, s.Count(1).Revoking, c.want)
			}
			if reason, is := s.Revoked(a.Certificate.DER); is != strings.Contains(c.want, "nothing") || is && reason != pki.KeyCompromise {
				t.Errorf("revoked: %v, for %d, want the reason that was given", is, reason)
			}
		})
	}
}

func TestEachKindOfCallCanBeWaitedFor(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	s.Next(catest.Good, catest.Slow)
	s.NextRevoke(catest.Slow)
	r := request(t, 6)
	a, err := client.Ask(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if intent, err := s.Came(t.Context()); err != nil || intent != 6 {
		t.Errorf("got %d and %v, want the call to ask", intent, err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := client.Collect(t.Context(), r, a.Reference)
		done <- err
	}()
	if intent, err := s.CameCollect(t.Context()); err != nil || intent != 6 {
		t.Errorf("got %d and %v, want the call to collect", intent, err)
	}
	s.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	go func() {
		_, err := client.Revoke(t.Context(), *a.Certificate, pki.Superseded)
		done <- err
	}()
	if intent, err := s.CameRevoke(t.Context()); err != nil || intent != 6 || s.Count(6).Revoked != 1 {
		t.Errorf("got %d and %v, want the call to revoke, and it done", intent, err)
	}
	s.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAClientWithoutAClockHasTheMachines(t *testing.T) {
	t.Parallel()
	s := catest.New(t)
	s.Next(catest.Pending)
	a, err := (&catest.Client{URL: s.URL}).Ask(t.Context(), request(t, 1))
	if wait := time.Until(a.Later); err != nil || wait < time.Minute || wait > 2*time.Minute {
		t.Errorf("got %s from now and %v, want two minutes", wait, err)
	}
}
