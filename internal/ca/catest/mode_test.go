package catest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// newServer is one whose clock is the test's.
func newServer(t *testing.T, organisation ...string) (*catest.Server, *catest.Client) {
	t.Helper()
	s := catest.New(t, organisation...)
	s.Clock(func() time.Time { return now })
	return s, s.Client()
}

func mailbox(t *testing.T, intent int64) pki.Request {
	t.Helper()
	r := request(t, intent)
	r.Profile, r.CommonName, r.Surname = pki.MailMailbox, "", ""
	return r
}

func server(t *testing.T, intent int64) pki.Request {
	t.Helper()
	r := mailbox(t, intent)
	r.Profile, r.Emails, r.DNS = pki.TLSDomain, nil, []string{"www.garten.example"}
	return r
}

// said is an answer in a word: how it ended, and what is wrong with a certificate
// from outside.
func said(r pki.Request, a pki.Answer, err error) string {
	if err != nil {
		return "unknown"
	}
	switch a.Kind() {
	case pki.AnswerNo:
		return "no"
	case pki.AnswerLater:
		return "later"
	case pki.AnswerNothing:
		return "nothing"
	}
	word := "yes"
	for _, d := range pki.Differences(r, *a.Certificate, false, now) {
		word += strings.TrimPrefix(d.Code, "pki.answer")
	}
	return word
}

func TestEveryModeAnswersAsItIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode    catest.Mode
		request func(*testing.T, int64) pki.Request
		first   string
		signed  int
		second  string // to the same authority, good again
		signed2 int
	}{
		"good":                        {catest.Good, request, "yes", 1, "yes", 1},
		"it answers twice":            {catest.Twice, request, "yes", 1, "yes", 1},
		"it forgets":                  {catest.Forgetful, request, "yes", 1, "yes", 1},
		"another key":                 {catest.OtherKey, request, "yes.key", 1, "yes.key", 1},
		"another name":                {catest.OtherName, request, "yes.names", 1, "yes.names", 1},
		"another mailbox":             {catest.OtherName, mailbox, "yes.names.mailbox", 1, "yes.names.mailbox", 1},
		"another server":              {catest.OtherName, server, "yes.names.server", 1, "yes.names.server", 1},
		"broken":                      {catest.Broken, request, "unknown", 0, "yes", 1},
		"cut":                         {catest.Cut, request, "unknown", 1, "yes", 1},
		"refusing":                    {catest.Refusing, request, "no", 0, "yes", 1},
		"a page of the web":           {catest.HTML, request, "unknown", 0, "yes", 1},
		"too many":                    {catest.TooMany, request, "later", 0, "yes", 1},
		"too many, until a date":      {catest.TooManyDate, request, "later", 0, "yes", 1},
		"too many, nobody says how":   {catest.TooManyBare, request, "later", 0, "yes", 1},
		"for another purpose":         {catest.WrongPurpose, request, "yes.purposes", 1, "yes.purposes", 1},
		"a server's, another purpose": {catest.WrongPurpose, server, "yes.purposes", 1, "yes.purposes", 1},
		"for too long":                {catest.TooLong, request, "yes.lasts", 1, "yes.lasts", 1},
		"a server's, for too long":    {catest.TooLong, server, "yes.lasts", 1, "yes.lasts", 1},
		"a person on a mailbox":       {catest.ExtraName, mailbox, "yes.mailbox", 1, "yes.mailbox", 1},
		"two persons":                 {catest.ExtraName, request, "yes.person", 1, "yes.person", 1},
		"a person on a server":        {catest.ExtraName, server, "yes.server", 1, "yes.server", 1},
		"a serial of its own":         {catest.LateSerial, server, "yes", 1, "yes", 1},
		"pending":                     {catest.Pending, request, "later", 0, "later", 0},
		"pending, and cut":            {catest.PendingCut, request, "unknown", 0, "later", 0},
		"a person has to look":        {catest.Person, request, "later", 0, "later", 0},
		"it will say no":              {catest.Rejecting, request, "later", 0, "later", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := newServer(t)
			r := c.request(t, 5)
			r.Reference = "A-5"
			s.Next(c.mode)
			a, err := client.Ask(t.Context(), r)
			if got := said(r, a, err); got != c.first || s.Signed(5) != c.signed {
				t.Errorf("got %q (%v, %v), signed %d times, want %q and %d", got, a.No, err, s.Signed(5), c.first, c.signed)
			}
			if err != nil && !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v, want it unavailable", err)
			}
			a, err = client.Ask(t.Context(), r)
			if got := said(r, a, err); got != c.second || s.Signed(5) != c.signed2 {
				t.Errorf("again: got %q (%v, %v), signed %d times, want %q and %d", got, a.No, err, s.Signed(5), c.second, c.signed2)
			}
			if n := s.Count(5); n.Asked != 2 || s.Calls() != 2 || n.Collected != 0 || n.Signed != c.signed2 {
				t.Errorf("counted %+v, want two calls", n)
			}
		})
	}
}

func TestAGoodAnswerHasItsChainAndReference(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	for i, r := range []pki.Request{request(t, 1), server(t, 2)} {
		a, err := client.Ask(t.Context(), r)
		if err != nil || a.Kind() != pki.AnswerYes || a.Reference == "" {
			t.Fatalf("got %+v and %v, want a certificate with a reference", a, err)
		}
		if way, err := pki.Chain(a.Certificate.DER, a.Chain...); err != nil || len(way) != 3 {
			t.Errorf("the chain has %d certificates (%v), want three", len(way), err)
		}
		if all := s.Certificates(int64(i + 1)); len(all) != 1 || !bytes.Equal(all[0], a.Certificate.DER) {
			t.Errorf("%d certificates are kept, want the one that came", len(all))
		}
	}
	late := request(t, 3)
	s.Next(catest.LateSerial)
	a, err := client.Ask(t.Context(), late)
	if err != nil || bytes.Equal(a.Certificate.Serial, late.Serial) || a.Certificate.NotBefore.Equal(late.NotBefore) {
		t.Errorf("got %+v and %v, want another serial and beginning than were wished", a.Certificate, err)
	}
}

func TestWhatWaitsIsFoundByEitherReference(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	s.Next(catest.Pending)
	r := request(t, 7)
	r.Reference = "A-7"
	a, err := client.Ask(t.Context(), r)
	if err != nil || a.Kind() != pki.AnswerLater || !a.Later.Equal(now.Add(2*time.Minute)) || a.Reference == "" || a.Words == "" || a.Person {
		t.Fatalf("got %+v and %v, want later, in two minutes, with a reference and words", a, err)
	}
	for name, ref := range map[string]string{"its own": a.Reference, "ours": ""} {
		if b, err := client.Collect(t.Context(), r, ref); err != nil || b.Kind() != pki.AnswerLater || b.Reference != a.Reference {
			t.Errorf("by %s: got %+v and %v, want it to wait under the same reference", name, b, err)
		}
	}
	if b, err := client.Collect(t.Context(), r, "T-99"); err != nil || !errors.Is(b.No, pki.ErrUnasked) {
		t.Errorf("by a reference that it never gave: got %+v and %v, want ErrUnasked", b, err)
	}
	s.Approve(7)
	got, err := client.Collect(t.Context(), r, a.Reference)
	if word := said(r, got, err); word != "yes" {
		t.Fatalf("approved: got %q (%v), want the certificate", word, err)
	}
	other := request(t, 8) // only the reference is the same
	other.Reference = "A-7"
	for name, ask := range map[string]func() (pki.Answer, error){
		"collected again":            func() (pki.Answer, error) { return client.Collect(t.Context(), r, a.Reference) },
		"collected by our reference": func() (pki.Answer, error) { return client.Collect(t.Context(), r, "") },
		"asked again":                func() (pki.Answer, error) { return client.Ask(t.Context(), r) },
		"asked under its reference":  func() (pki.Answer, error) { return client.Ask(t.Context(), other) },
	} {
		if b, err := ask(); err != nil || b.Certificate == nil || !bytes.Equal(b.Certificate.DER, got.Certificate.DER) {
			t.Errorf("%s: got %+v and %v, want the same certificate", name, b, err)
		}
	}
	if n := s.Count(7); n.Signed != 1 || n.Asked != 2 || n.Collected != 6 || s.All() != 1 {
		t.Errorf("counted %+v, want one certificate", n)
	}
}

func TestCollectingBeginsNothing(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	r := request(t, 1)
	for _, reference := range []string{"", "A-1"} {
		r.Reference = reference
		a, err := client.Collect(t.Context(), r, "")
		if err != nil || !errors.Is(a.No, pki.ErrUnasked) || s.All() != 0 {
			t.Errorf("got %+v and %v, %d signed, want ErrUnasked and nothing signed", a, err, s.All())
		}
	}
	s.Next(catest.Cut)
	if _, err := client.Ask(t.Context(), r); err == nil {
		t.Fatal("it answered, want the connection cut")
	}
	if a, err := client.Collect(t.Context(), r, ""); said(r, a, err) != "yes" || s.All() != 1 {
		t.Errorf("after a lost answer: got %+v and %v, want the certificate that was signed", a, err)
	}
}

func TestWhatWaitsEndsAsTheAuthorityDecides(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode   catest.Mode
		decide func(*catest.Server)
		looks  string // what each of three looks says
	}{
		"nobody decides":                {catest.Pending, func(*catest.Server) {}, "later later later"},
		"signed at the second look":     {catest.Pending, func(s *catest.Server) { s.SignsAfter(2) }, "later yes yes"},
		"approved":                      {catest.Pending, func(s *catest.Server) { s.Approve(3) }, "yes yes yes"},
		"declined":                      {catest.Pending, func(s *catest.Server) { s.Decline(3) }, "no no no"},
		"a person approves":             {catest.Person, func(s *catest.Server) { s.Approve(3) }, "yes yes yes"},
		"a person declines":             {catest.Person, func(s *catest.Server) { s.Decline(3) }, "no no no"},
		"a person is not done by time":  {catest.Person, func(s *catest.Server) { s.SignsAfter(1) }, "later later later"},
		"it says no in the end":         {catest.Rejecting, func(*catest.Server) {}, "no no no"},
		"a no is for good":              {catest.Rejecting, func(s *catest.Server) { s.SignsAfter(2) }, "no no no"},
		"somebody else's is approved":   {catest.Pending, func(s *catest.Server) { s.Approve(4) }, "later later later"},
		"it signs for other keys":       {catest.Pending, func(s *catest.Server) { s.Approve(3); s.Next(catest.OtherKey) }, "yes.key yes.key yes.key"},
		"it is gone, then well, and no": {catest.Rejecting, func(s *catest.Server) { s.Next(catest.Broken) }, "unknown no no"},
		"too many looks":                {catest.Pending, func(s *catest.Server) { s.SignsAfter(1); s.Next(catest.TooMany) }, "later yes yes"},
		"the answer is lost on the way": {catest.Pending, func(s *catest.Server) { s.Approve(3); s.Next(catest.Cut) }, "unknown yes yes"},
		"a page of the web":             {catest.Pending, func(s *catest.Server) { s.Approve(3); s.Next(catest.HTML) }, "unknown yes yes"},
		"it answers the look twice":     {catest.Pending, func(s *catest.Server) { s.Approve(3); s.Next(catest.Twice) }, "yes yes yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := newServer(t)
			s.Next(c.mode)
			r := request(t, 3)
			a, err := client.Ask(t.Context(), r)
			if err != nil || a.Kind() != pki.AnswerLater || a.Person != (c.mode == catest.Person) {
				t.Fatalf("got %+v and %v, want it to wait", a, err)
			}
			c.decide(s)
			var looks []string
			for range 3 {
				b, err := client.Collect(t.Context(), r, a.Reference)
				looks = append(looks, said(r, b, err))
			}
			if got := strings.Join(looks, " "); got != c.looks || s.Signed(3) > 1 {
				t.Errorf("got %q, signed %d times, want %q", got, s.Signed(3), c.looks)
			}
		})
	}
}

func TestWhatWasDeclinedIsNotApprovedLater(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	s.Next(catest.Person)
	r := request(t, 3)
	if _, err := client.Ask(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	s.Decline(3)
	for range 2 {
		if a, err := client.Collect(t.Context(), r, ""); said(r, a, err) != "no" || s.All() != 0 {
			t.Errorf("got %+v and %v, want a no for good", a, err)
		}
		s.Approve(3)
	}
}

func TestHowLongToWaitIsKeptWithinReason(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	for _, c := range []struct {
		mode catest.Mode
		told time.Duration
		want time.Duration
	}{
		{catest.TooMany, 2 * time.Minute, 2 * time.Minute},
		{catest.TooMany, 0, time.Minute},
		{catest.TooMany, 100 * time.Hour, 24 * time.Hour},
		{catest.TooManyDate, 3 * time.Hour, 3 * time.Hour},
		{catest.TooManyDate, -time.Hour, time.Minute},
		{catest.TooManyDate, 10000 * time.Hour, 24 * time.Hour},
		{catest.TooManyBare, time.Hour, 10 * time.Minute},
		{catest.Pending, 90 * time.Second, 90 * time.Second},
		{catest.Pending, time.Second, time.Minute},
	} {
		s.Later(c.told)
		s.Next(c.mode)
		a, err := client.Ask(t.Context(), request(t, 1))
		if err != nil || !a.Later.Equal(now.Add(c.want)) {
			t.Errorf("mode %d says %s: got %s and %v, want %s", c.mode, c.told, a.Later.Sub(now), err, c.want)
		}
	}
}

func TestAForgetfulAuthorityOutsideGivesTwoForOneReference(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	s.Always(catest.Forgetful)
	r := request(t, 1)
	r.Reference = "A-1"
	one, err1 := client.Ask(t.Context(), r)
	two, err2 := client.Ask(t.Context(), r)
	if said(r, one, err1) != "yes" || said(r, two, err2) != "yes" || bytes.Equal(one.Certificate.Serial, two.Certificate.Serial) || s.Signed(1) != 2 {
		t.Fatalf("got %v and %v, signed %d times, want two certificates", err1, err2, s.Signed(1))
	}
	for _, a := range []pki.Answer{one, two} {
		if b, err := client.Collect(t.Context(), r, a.Reference); err != nil || !bytes.Equal(b.Certificate.DER, a.Certificate.DER) {
			t.Errorf("by %s: got %v, want the certificate of that reference", a.Reference, err)
		}
	}
	if s.Signed(1) != 2 {
		t.Errorf("signed %d times, want none more by collecting", s.Signed(1))
	}
}

func TestTwoAuthoritiesStandSideBySide(t *testing.T) {
	t.Parallel()
	one, a := newServer(t)
	two, b := newServer(t, "Fremde Zeichen GmbH")
	r := request(t, 1)
	x, err := a.Ask(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Ask(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(x.Certificate.Issuer, y.Certificate.Issuer) || one.All() != 1 || two.All() != 1 {
		t.Errorf("the issuers are the same, or %d and %d signed, want one of each", one.All(), two.All())
	}
	if _, err := pki.Chain(y.Certificate.DER, x.Chain...); err == nil {
		t.Error("the chain of one leads from the certificate of the other")
	}
	if done, err := a.Revoke(t.Context(), *y.Certificate, pki.Superseded); err != nil || done.No == nil {
		t.Errorf("got %+v and %v, want a no to what another authority signed", done, err)
	}
}

func TestAHangingAuthorityIsLeftWhateverIsAsked(t *testing.T) {
	t.Parallel()
	s, client := newServer(t)
	a, err := client.Ask(t.Context(), request(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	s.Always(catest.Hanging)
	s.AlwaysRevoke(catest.Hanging)
	client.Timeout = 20 * time.Millisecond
	for name, call := range map[string]func() (pki.Answer, error){
		"ask":     func() (pki.Answer, error) { return client.Ask(t.Context(), request(t, 2)) },
		"collect": func() (pki.Answer, error) { return client.Collect(t.Context(), request(t, 1), a.Reference) },
		"revoke":  func() (pki.Answer, error) { return client.Revoke(t.Context(), *a.Certificate, pki.Superseded) },
	} {
		if _, err := call(); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want it unavailable after the client's time", name, err)
		}
	}
	if n := s.Count(1); s.Signed(2) != 0 || n.Revoked != 0 || n.Revoking != 1 {
		t.Errorf("counted %+v, want nothing done", n)
	}
}
