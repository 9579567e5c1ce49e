package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryProtectionDelivers(t *testing.T) {
	t.Parallel()
	for _, mode := range []protection{startTLS, implicitTLS, noTLS} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			srv := serve(t, mode)
			s := newSender(t, Config{URL: srv.URL + "?tls=" + string(mode), Roots: srv.Roots})
			words, err := s.Send(t.Context(), letterTo("Kim.Muster@uni.example"))
			if err != nil {
				t.Fatalf("send: %v", err)
			}
			if !strings.Contains(words, "OK") {
				t.Errorf("got answer %q, want the server's words of acceptance", words)
			}
			m := srv.got()
			if len(m) != 1 {
				t.Fatalf("got %d mails, want 1", len(m))
			}
			if m[0].From != "help@uni.example" || m[0].To != "Kim.Muster@uni.example" {
				t.Errorf("got envelope %q → %q, want the bounce mailbox → the address exactly as given", m[0].From, m[0].To)
			}
			if got, want := srv.users, []string{"kim"}; !cmp.Equal(got, want) {
				t.Errorf("got sign-ins %q, want %q", got, want)
			}
		})
	}
}

func TestAMailCarriesItsHeadersAndBothForms(t *testing.T) {
	t.Parallel()
	srv := serve(t, noTLS)
	s := newSender(t, Config{URL: srv.URL + "?tls=none"})
	if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
		t.Fatalf("send: %v", err)
	}
	m := srv.got()[0]
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Größe / Size" {
		t.Errorf("got subject %q (%v), want %q", subject, err, "Größe / Size")
	}
	from, err := netmail.ParseAddress(m.Header.Get("From"))
	if err != nil || from.Name != "Petschaft Zürich" || from.Address != "portal@uni.example" {
		t.Errorf("got From %v (%v), want the configured one with its name", from, err)
	}
	for name, want := range map[string]string{
		"To": "<kim@uni.example>", "Reply-To": "<help@uni.example>",
		"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "User-Agent": "", "X-Mailer": "",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if id := m.Header.Get("Message-Id"); len(id) < 40 || !strings.HasSuffix(id, "@uni.example>") {
		t.Errorf("got Message-ID %q, want a random one at the sender's domain", id)
	}
	if d, err := m.Header.Date(); err != nil || time.Since(d) > time.Minute {
		t.Errorf("got Date %v (%v), want now", d, err)
	}
	got := parts(t, m)
	want := [][2]string{{"text/plain; charset=UTF-8", "Grüße\r\n\r\n.punkt\r\n"}, {"text/html; charset=UTF-8", "<p>Grüße</p>\r\n"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("parts (-want +got):\n%s", d)
	}
}

// parts are the types and decoded words of a multipart/alternative mail.
func parts(t *testing.T, m delivered) (all [][2]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("got content type %q (%v), want multipart/alternative", kind, err)
	}
	r := multipart.NewReader(strings.NewReader(m.Body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("read parts: %v", err)
		}
		if got := p.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Errorf("got encoding %q, want quoted-printable", got)
		}
		words, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatalf("read part: %v", err)
		}
		all = append(all, [2]string{p.Header.Get("Content-Type"), string(words)})
	}
}

func TestAMessageIDThatIsGivenIsKept(t *testing.T) {
	t.Parallel()
	srv := serve(t, noTLS)
	s := newSender(t, Config{URL: srv.URL + "?tls=none"})
	l := letterTo("kim@uni.example")
	l.MessageID = "<one@uni.example>"
	if _, err := s.Send(t.Context(), l); err != nil {
		t.Fatalf("send: %v", err)
	}
	if got := srv.got()[0].Header.Get("Message-Id"); got != l.MessageID {
		t.Errorf("got Message-ID %q, want %q", got, l.MessageID)
	}
}

func TestTheServerIsAway(t *testing.T) {
	t.Parallel()
	old := func(s *server) { s.TLSConfig.MaxVersion = tls.VersionTLS11 }
	plain, strange, ancient := serve(t, noTLS), serve(t, startTLS), serve(t, startTLS, old)
	cases := map[string]Config{
		"nobody listens":                   {URL: "smtp://" + deadAddress(t) + "?tls=none"},
		"it offers no STARTTLS":            {URL: plain.URL},
		"it speaks no TLS at once":         {URL: plain.URL + "?tls=implicit"},
		"its certificate is not vouched":   {URL: strange.URL},
		"it speaks only TLS 1.1":           {URL: ancient.URL, Roots: ancient.Roots},
		"it hangs up":                      {URL: script(t, "220 hi", func(string) string { return "" })},
		"it speaks something else":         {URL: script(t, "HTTP/1.1 400 what", func(string) string { return "" })},
		"it talks nonsense in the middle":  {URL: script(t, "220 hi", answers("RCPT", "I know kim@uni.example"))},
		"it says yes where no yes belongs": {URL: script(t, "220 hi", answers("DATA", "250 yes"))},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSender(t, c)
			_, err := s.Send(t.Context(), letterTo("kim@uni.example"))
			if err == nil {
				t.Fatal("got no error, want the server away")
			}
			if r, ok := errors.AsType[*Refusal](err); ok {
				t.Errorf("got refusal %v, want an error that is none", r)
			}
			if strings.Contains(err.Error(), "kim@uni.example") || strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %q, want neither recipient nor password in it", err)
			}
		})
	}
	t.Cleanup(func() { checkNothingTold(t, plain, strange, ancient) })
}

func TestAServerThatDoesNotKnowUsRefusesAtTheDoor(t *testing.T) {
	t.Parallel()
	srv := serve(t, startTLS)
	s := newSender(t, Config{URL: strings.Replace(srv.URL, "secret", "wrong", 1), Roots: srv.Roots})
	_, err := s.Send(t.Context(), letterTo("kim@uni.example"))
	if r := refusal(t, err); r.Stage != AtDoor || r.Code != 535 || r.Verdict() != Shut {
		t.Errorf("got %+v, want 535 at the door, which says nothing of the letter", r)
	}
	if strings.Contains(err.Error(), "wrong") {
		t.Errorf("got error %q, want no password in it", err)
	}
}

// checkNothingTold fails t when a server that is not trusted learned anything.
func checkNothingTold(t *testing.T, servers ...*server) {
	t.Helper()
	for _, s := range servers {
		if len(s.got())+len(s.users) > 0 {
			t.Errorf("a server that is not trusted got %d mails and %d sign-ins", len(s.got()), len(s.users))
		}
	}
}

// answers is a server that says yes to all but one command.
func answers(command, words string) func(string) string {
	return func(c string) string {
		switch c {
		case command:
			return words
		case "DATA":
			return "354 go on"
		}
		return "250 ok"
	}
}

func deadAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAServerThatHungUpIsCalledAgain(t *testing.T) {
	t.Parallel()
	srv := serve(t, startTLS)
	s := newSender(t, Config{URL: srv.URL, Roots: srv.Roots})
	for i := range 3 {
		if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
			t.Fatalf("mail %d: %v", i, err)
		}
		srv.hangUp()
	}
	if got := srv.sessions(); got < 3 {
		t.Errorf("got %d connections, want one for each hang-up", got)
	}
	if got := len(srv.got()); got != 3 {
		t.Errorf("got %d mails, want 3", got)
	}
}

func TestAServerThatSaysGoodbyeIsCalledAgain(t *testing.T) {
	t.Parallel()
	var mails atomic.Int32
	s := newSender(t, Config{URL: script(t, "220 hi", func(c string) string {
		if c == "MAIL" && mails.Add(1) == 2 {
			return "421 4.4.2 you were silent for too long"
		}
		return answers("", "")(c)
	})})
	for i := range 2 {
		if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
			t.Errorf("mail %d: %v", i, err)
		}
	}
	if got := mails.Load(); got != 3 {
		t.Errorf("got %d tries, want 3: one was answered by the goodbye", got)
	}
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	srv := serve(t, noTLS)
	s := newSender(t, Config{URL: srv.URL + "?tls=none"})
	s.idleFor = time.Millisecond
	if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
		t.Fatalf("send: %v", err)
	}
	<-srv.bye
	if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
		t.Errorf("send after the connection was closed: %v", err)
	}
}

func TestCloseTakesLeave(t *testing.T) {
	t.Parallel()
	srv := serve(t, noTLS)
	s := newSender(t, Config{URL: srv.URL + "?tls=none"})
	if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
		t.Fatalf("send: %v", err)
	}
	s.Close()
	<-srv.bye
	if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); !errors.Is(err, ErrClosed) {
		t.Errorf("got error %v after Close, want ErrClosed", err)
	}
}

func TestNoMoreConnectionsThanConfigured(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	meet := make(chan struct{}, 2)
	srv := serve(t, noTLS, func(s *server) {
		s.data = func() error {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			meet <- struct{}{} // frees the one before
			return nil
		}
	})
	s := newSender(t, Config{URL: srv.URL + "?tls=none", Connections: 2})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
				t.Errorf("send: %v", err)
			}
		})
	}
	for range 20 {
		<-meet
	}
	all.Wait()
	if got := most.Load(); got > 2 {
		t.Errorf("got %d mails at once, want at most 2", got)
	}
	if got := srv.sessions(); got > 2 {
		t.Errorf("got %d connections, want at most 2", got)
	}
}

func TestTheEndOfTheContextEndsTheWait(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	silent := func(c string) string {
		if c == "RCPT" {
			stop()
			<-t.Context().Done() // never answers
		}
		return answers("", "")(c)
	}
	s := newSender(t, Config{URL: script(t, "220 hi", silent), Connections: 1})
	if _, err := s.Send(ctx, letterTo("kim@uni.example")); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
	if _, err := s.Send(ctx, letterTo("kim@uni.example")); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v from a context that ended before, want context.Canceled", err)
	}
}

func TestASilentServerIsLeft(t *testing.T) {
	t.Parallel()
	s := newSender(t, Config{URL: script(t, "220 hi", func(c string) string {
		if c == "RCPT" {
			<-t.Context().Done()
		}
		return answers("", "")(c)
	})})
	s.sendFor = 50 * time.Millisecond
	_, err := s.Send(t.Context(), letterTo("kim@uni.example"))
	if n, ok := errors.AsType[net.Error](err); !ok || !n.Timeout() {
		t.Errorf("got error %v, want a timeout", err)
	}
}
