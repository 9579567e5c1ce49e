package sink_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wneessen/go-mail"

	"petschaft/internal/sink"
)

func start(t *testing.T, cfg sink.Config) *sink.Sink {
	t.Helper()
	s, err := sink.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

const plain = "From: a@b.example\r\nSubject: hello\r\n\r\nbody\r\n"

func send(t *testing.T, s *sink.Sink, to string) {
	t.Helper()
	if err := smtp.SendMail(s.Addr(), nil, "bounce@b.example", []string{to}, []byte(plain)); err != nil {
		t.Fatalf("send to %s: %v", to, err)
	}
}

func wantReply(t *testing.T, err error, code int) {
	t.Helper()
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code != code {
		t.Errorf("got %v, want the reply %d", err, code)
	}
}

func TestAMailIsReadAsAPersonWould(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Config{})
	c, err := mail.NewClient("127.0.0.1", mail.WithPort(port(s)), mail.WithTLSPolicy(mail.NoTLS))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.DialAndSendWithContext(t.Context(), greeting(t)); err != nil {
		t.Fatalf("send: %v", err)
	}

	got, err := s.WaitFor(t.Context(), func(m sink.Mail) bool { return m.For("ADA@uni.example") })
	if err != nil {
		t.Fatal(err)
	}
	if got.Problem != nil {
		t.Errorf("problem: got %v, want none", got.Problem)
	}
	if want := "Bitte bestätigen Sie Ihre Adresse – Please confirm your address, which is rather long"; got.Subject != want {
		t.Errorf("subject: got %q, want %q", got.Subject, want)
	}
	if want := "Grüße aus Köln\n" + strings.Repeat("lang ", 40) + "\nhttps://portal.example/c/abc=def\n"; got.Text != want {
		t.Errorf("text: got %q, want %q", got.Text, want)
	}
	if got.HTML != "<p>Grüße</p>" {
		t.Errorf("HTML: got %q", got.HTML)
	}
	if want := []string{"joerg@uni.example", "ada@uni.example"}; got.From != "bounce@uni.example" || !slices.Equal(got.To, want) {
		t.Errorf("envelope: got %q to %q, want bounce@uni.example to %q", got.From, got.To, want)
	}
	if got.Header.Get("Message-ID") == "" || got.Received.IsZero() || got.Encrypted {
		t.Errorf("got header %v, received %v, encrypted %v", got.Header, got.Received, got.Encrypted)
	}
}

// greeting has two alternatives, an attachment and letters beyond ASCII.
func greeting(t *testing.T) *mail.Msg {
	t.Helper()
	m := mail.NewMsg()
	err := errors.Join(m.FromFormat("Prüfstelle", "portal@uni.example"), m.EnvelopeFrom("bounce@uni.example"),
		m.To("joerg@uni.example", "ada@uni.example"))
	if err != nil {
		t.Fatal(err)
	}
	m.Subject("Bitte bestätigen Sie Ihre Adresse – Please confirm your address, which is rather long")
	m.SetBodyString(mail.TypeTextPlain, "Grüße aus Köln\n"+strings.Repeat("lang ", 40)+"\nhttps://portal.example/c/abc=def\n")
	m.AddAlternativeString(mail.TypeTextHTML, "<p>Grüße</p>")
	m.AttachReader("note.txt", strings.NewReader("attached"))
	return m
}

func port(s *sink.Sink) int {
	var n int
	fmt.Sscanf(s.Addr()[strings.LastIndex(s.Addr(), ":")+1:], "%d", &n)
	return n
}

type rawMail struct {
	raw, subject, text, html string
	broken                   bool
}

// rawMails are as they may come; lines end with CRLF on the way.
func rawMails() map[string]rawMail {
	return map[string]rawMail{
		"base64 in Latin-1": {
			raw:     "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n\nR3L832U=\n",
			subject: "Grüße", text: "Grüße",
		},
		"mixed around alternative": {
			raw: "Subject: s\nContent-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: multipart/alternative; boundary=B\n\n" +
				"--B\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\n c\n--B\nContent-Type: text/html\n\n<p>\n--B--\n" +
				"--A\nContent-Type: text/plain\nContent-Disposition: attachment\n\nno\n--A--\n",
			subject: "s", text: "a=b c", html: "<p>",
		},
		"no content type":     {raw: "Subject: s\n\nhello\n", subject: "s", text: "hello\n"},
		"only HTML":           {raw: "Subject: s\nContent-Type: text/html\n\n<p>\n", subject: "s", html: "<p>\n"},
		"multipart cut short": {raw: "Subject: s\nContent-Type: multipart/mixed; boundary=A\n\n--A\n\nx", subject: "s", broken: true, text: "x"},
		"unknown charset":     {raw: "Subject: s\nContent-Type: text/plain; charset=klingon\n\nx\n", subject: "s", broken: true},
		"not a mail":          {raw: "no header here\n\nx\n", broken: true, text: "no header here\n\nx\n"},
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	for name, c := range rawMails() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sink.Config{})
			raw := strings.ReplaceAll(c.raw, "\n", "\r\n")
			if err := smtp.SendMail(s.Addr(), nil, "", []string{"x@y.example"}, []byte(raw)); err != nil {
				t.Fatal(err)
			}
			m := s.Mails()[0]
			if m.Subject != c.subject || strings.ReplaceAll(m.Text, "\r\n", "\n") != c.text || m.HTML != c.html {
				t.Errorf("got subject %q, text %q, HTML %q, want %q, %q, %q", m.Subject, m.Text, m.HTML, c.subject, c.text, c.html)
			}
			if (m.Problem != nil) != c.broken {
				t.Errorf("problem: got %v, want one: %v", m.Problem, c.broken)
			}
			if !strings.HasPrefix(string(m.Raw), raw[:8]) {
				t.Errorf("raw: got %q, want what was sent", m.Raw)
			}
		})
	}
}

func TestRecipientsAreRefusedAsToldAndOnlyThey(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Config{})
	s.Reject("Gone@y.example", 550, "no such user")
	s.Reject("later@y.example", 451, "greylisted")
	for to, code := range map[string]int{"gone@y.example": 550, "later@y.example": 451} {
		wantReply(t, smtp.SendMail(s.Addr(), nil, "", []string{to}, []byte(plain)), code)
	}
	send(t, s, "other@y.example")
	s.Reject("later@y.example", 0, "")
	send(t, s, "later@y.example")
	s.Reject("*", 452, "full")
	wantReply(t, smtp.SendMail(s.Addr(), nil, "", []string{"other@y.example"}, []byte(plain)), 452)
	if got := s.Count(); got != 2 {
		t.Errorf("count: got %d, want 2", got)
	}
}

func TestASlowSinkAnswersLateAndStopsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Config{Delay: 30 * time.Millisecond})
	began := time.Now()
	send(t, s, "x@y.example")
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("took %v, want 30ms and more", took)
	}
	s.SetDelay(time.Hour)
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	failed := make(chan error, 1)
	go func() { failed <- one(c) }()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the waiting mail was acknowledged, want an error")
	}
}

func TestOnlyTheNewestAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, sink.Config{Limit: 2, Dir: dir})
	for i := range 4 {
		send(t, s, fmt.Sprintf("n%d@y.example", i))
	}
	if got := recipients(s); !slices.Equal(got, []string{"n2@y.example", "n3@y.example"}) || s.Count() != 4 {
		t.Errorf("got %q of %d, want the last two of 4", got, s.Count())
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 2 {
		t.Errorf("got files %q, want two", files)
	}
}

func recipients(s *sink.Sink) (all []string) {
	for _, m := range s.Mails() {
		all = append(all, m.To...)
	}
	return all
}

func TestMailsSurviveARestart(t *testing.T) {
	t.Parallel()
	cfg := sink.Config{Dir: t.TempDir()}
	first := start(t, cfg)
	send(t, first, "a@y.example")
	send(t, first, "b@y.example")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, cfg)
	send(t, second, "c@y.example")
	got := second.Mails()
	if len(got) != 3 || got[0].Subject != "hello" || got[0].From != "bounce@b.example" || got[2].ID != 3 {
		t.Errorf("got %+v, want three mails, the third with id 3", got)
	}
	if err := second.Clear(); err != nil || len(second.Mails()) != 0 {
		t.Errorf("clear: %v, %d left", err, len(second.Mails()))
	}
}

func TestAMailThatCannotBeStoredIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "box")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, sink.Config{Dir: dir})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	wantReply(t, smtp.SendMail(s.Addr(), nil, "", []string{"x@y.example"}, []byte(plain)), 451)
	if s.Count() != 0 {
		t.Errorf("count: got %d, want 0", s.Count())
	}
}

func TestAuthenticationIsRequired(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Config{Username: "u", Password: "p"})
	try := func(a smtp.Auth) error { return smtp.SendMail(s.Addr(), a, "", []string{"x@y.example"}, []byte(plain)) }
	wantReply(t, try(nil), 530)
	wantReply(t, try(smtp.PlainAuth("", "u", "wrong", "127.0.0.1")), 535)
	if err := try(smtp.PlainAuth("", "u", "p", "127.0.0.1")); err != nil {
		t.Errorf("the right password: %v", err)
	}
}

// certificate borrows the one of httptest, which is for 127.0.0.1 too.
func certificate(t *testing.T) (server *tls.Config, roots *x509.CertPool) {
	t.Helper()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	roots = x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return &tls.Config{Certificates: srv.TLS.Certificates}, roots
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	server, roots := certificate(t)
	for name, implicit := range map[string]bool{"STARTTLS": false, "implicit": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sink.Config{TLS: server, ImplicitTLS: implicit, RequireTLS: true, Username: "u", Password: "p"})
			opts := []mail.Option{
				mail.WithPort(port(s)), mail.WithTLSConfig(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}),
				mail.WithSMTPAuth(mail.SMTPAuthPlain), mail.WithUsername("u"), mail.WithPassword("p"), mail.WithTLSPolicy(mail.TLSMandatory),
			}
			if implicit {
				opts = append(opts, mail.WithSSL())
			}
			c, err := mail.NewClient("127.0.0.1", opts...)
			if err != nil {
				t.Fatal(err)
			}
			m := mail.NewMsg()
			if err := errors.Join(m.From("a@b.example"), m.To("x@y.example")); err != nil {
				t.Fatal(err)
			}
			m.SetBodyString(mail.TypeTextPlain, "hello")
			if err := c.DialAndSendWithContext(t.Context(), m); err != nil {
				t.Fatalf("send: %v", err)
			}
			if got := s.Mails(); len(got) != 1 || !got[0].Encrypted {
				t.Errorf("got %+v, want one encrypted mail", got)
			}
		})
	}
}

func TestUnencryptedMailIsRefusedWhereTLSIsRequired(t *testing.T) {
	t.Parallel()
	server, _ := certificate(t)
	s := start(t, sink.Config{TLS: server, RequireTLS: true})
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wantReply(t, c.Mail("a@b.example"), 530)
	if _, err := sink.New(sink.Config{ImplicitTLS: true}); err == nil {
		t.Error("TLS without a certificate: got a sink, want an error")
	}
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Config{})
	send(t, s, "x@y.example")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.WaitFor(ctx, func(sink.Mail) bool { cancel(); return false })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "none of 1 mails") {
		t.Errorf("got %v, want the context's error and the number 1", err)
	}
}

func TestManyConnectionsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Config{CountOnly: true})
	const connections, each = 8, 50
	var ready, all sync.WaitGroup
	ready.Add(connections)
	for range connections {
		all.Go(func() {
			c, err := smtp.Dial(s.Addr())
			if err == nil {
				defer c.Close()
				err = c.Hello("test.example")
			}
			ready.Done()
			ready.Wait()
			for range each {
				err = errors.Join(err, one(c))
			}
			if err != nil {
				t.Errorf("send: %v", err)
			}
		})
	}
	all.Wait()
	if _, most := s.Connections(); s.Count() != connections*each || most != connections || len(s.Mails()) != 0 {
		t.Errorf("got %d mails, at most %d connections, %d kept, want %d, %d, 0", s.Count(), most, len(s.Mails()), connections*each, connections)
	}
}

func one(c *smtp.Client) error {
	if err := errors.Join(c.Mail("a@b.example"), c.Rcpt("x@y.example")); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	_, err = w.Write([]byte(plain))
	return errors.Join(err, w.Close())
}
