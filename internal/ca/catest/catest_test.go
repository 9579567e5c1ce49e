package catest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

var now = trial.Today()

func request(t *testing.T, intent int64) pki.Request {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := pki.NewKey(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pki.Request{
		Intent: intent, Profile: pki.MailPersonal, Key: k, CommonName: "Ada Lovelace", Surname: "Lovelace",
		Emails: []string{"ada@garten.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}
}

func TestAGoodAuthorityGivesOneCertificateForOneIntent(t *testing.T) {
	t.Parallel()
	s := catest.New(t)
	r := request(t, 1)
	one, err := campus.Signed(t.Context(), s.Client(), r)
	if err != nil {
		t.Fatal(err)
	}
	two, err := campus.Signed(t.Context(), s.Client(), r)
	if err != nil || !bytes.Equal(one.DER, two.DER) || s.Signed(1) != 1 || s.Calls() != 2 || s.All() != 1 {
		t.Errorf("asked twice: %v, signed %d times in %d calls, want the same bytes, signed once", err, s.Signed(1), s.Calls())
	}
	if err := pki.Matches(r, one); err != nil {
		t.Errorf("got %v, want what was asked for", err)
	}
	if way, err := pki.Chain(one.DER, s.Chain()...); err != nil || len(way) != 3 {
		t.Errorf("the chain has %d certificates (%v), want three", len(way), err)
	}
	list, err := s.Client().SignCRL(t.Context(), "mail", 3, []pki.Revocation{{Serial: one.Serial, At: now, Reason: pki.KeyCompromise}}, now, now.Add(time.Hour))
	if err != nil || list.Number != 3 {
		t.Errorf("got list %d and %v, want number 3", list.Number, err)
	}
}

func TestAnAuthorityMisbehavesAsItIsTold(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		mode    catest.Mode
		fault   string // of the first call
		answer  string // what pki.Matches says to its answer
		signed  int    // after the first call
		signed2 int    // after a second one, to an authority that is good again
	}{
		"broken":     {catest.Broken, "ca.unavailable", "", 0, 1},
		"refusing":   {catest.Refusing, "ca.refused", "", 0, 1},
		"cut":        {catest.Cut, "ca.unavailable", "", 1, 1},
		"twice":      {catest.Twice, "", "", 1, 1},
		"forgetful":  {catest.Forgetful, "", "", 1, 1},
		"other key":  {catest.OtherKey, "", "pki.answer.key", 1, 1},
		"other name": {catest.OtherName, "", "pki.answer.names", 1, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := catest.New(t)
			s.Next(c.mode)
			r := request(t, 5)
			got, err := campus.Signed(t.Context(), s.Client(), r)
			if f := fault.Of(err); (f == nil) != (c.fault == "") || f != nil && f.ID != c.fault {
				t.Errorf("got %v, want %q", err, c.fault)
			}
			if err == nil {
				if f := fault.Of(pki.Matches(r, got)); (f == nil) != (c.answer == "") || f != nil && f.ID != c.answer {
					t.Errorf("the answer: got %v, want %q", f, c.answer)
				}
			}
			if s.Signed(5) != c.signed {
				t.Errorf("signed %d times, want %d", s.Signed(5), c.signed)
			}
			if _, err := campus.Signed(t.Context(), s.Client(), r); err != nil || s.Signed(5) != c.signed2 {
				t.Errorf("asked again: %v, signed %d times in all, want %d", err, s.Signed(5), c.signed2)
			}
		})
	}
}

func TestAForgetfulAuthoritySignsAnewEachTime(t *testing.T) {
	t.Parallel()
	s := catest.New(t)
	s.Always(catest.Forgetful)
	r := request(t, 1)
	one, err := campus.Signed(t.Context(), s.Client(), r)
	if err != nil {
		t.Fatal(err)
	}
	two, err := campus.Signed(t.Context(), s.Client(), r)
	if err != nil || bytes.Equal(one.Serial, two.Serial) || s.Signed(1) != 2 {
		t.Errorf("got %v, the serials %x and %x, want two certificates", err, one.Serial, two.Serial)
	}
}

func TestASlowAuthorityAnswersWhenItIsReleased(t *testing.T) {
	t.Parallel()
	s := catest.New(t)
	s.Next(catest.Slow)
	r := request(t, 9)
	done := make(chan error, 1)
	go func() {
		_, err := campus.Signed(t.Context(), s.Client(), r)
		done <- err
	}()
	if intent, err := s.Came(t.Context()); err != nil || intent != 9 || s.Signed(9) != 1 {
		t.Fatalf("got intent %d and %v, want 9, signed by now", intent, err)
	}
	select {
	case err := <-done:
		t.Fatalf("it answered before it was released: %v", err)
	default:
	}
	s.Release()
	if err := <-done; err != nil {
		t.Errorf("got %v, want the certificate", err)
	}
}

func TestAHangingAuthorityIsLeftByItsClient(t *testing.T) {
	t.Parallel()
	s := catest.New(t)
	s.Always(catest.Hanging)
	c := s.Client()
	c.Timeout = 20 * time.Millisecond
	_, err := campus.Signed(t.Context(), c, request(t, 1))
	if !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) || s.Signed(1) != 0 {
		t.Errorf("got %v, want it unavailable after the client's time", err)
	}
}
