package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// server is a real mail server whose answers a test chooses.
type server struct {
	*smtp.Server
	URL   string // without the setting tls
	Port  int
	Roots *x509.CertPool

	mail, rcpt func(address string) error // nil: yes
	data       func() error
	hello      func(name string)
	ret        func(smtp.DSNReturn) // what a bounce is to quote

	mu    sync.Mutex
	open  map[net.Conn]bool
	mails []delivered
	began int      // sessions so far
	users []string // who signed in

	bye    chan struct{} // one for each session that ended
	served chan struct{} // one for each mail
}

type delivered struct {
	From, To string
	*netmail.Message
	Body string
}

// serve starts a mail server for t. tune may change it before it listens.
func serve(t testing.TB, mode protection, tune ...func(*server)) *server {
	t.Helper()
	s := &server{open: map[net.Conn]bool{}, bye: make(chan struct{}, 100), served: make(chan struct{}, 1_000_000)}
	s.Server = smtp.NewServer(s)
	s.Domain = "mx.example"
	s.ErrorLog = quietly{}
	certificate, roots := vouched(t)
	s.Roots = roots
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	switch mode {
	case startTLS:
		s.TLSConfig = config
	case noTLS:
		s.AllowInsecureAuth = true
	}
	for _, f := range tune {
		f(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.URL = "smtp://kim:secret@" + l.Addr().String()
	s.Port = l.Addr().(*net.TCPAddr).Port
	l = tracked{l, s}
	if mode == implicitTLS {
		l = tls.NewListener(l, config)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Server.Close() })
	return s
}

type quietly struct{}

func (quietly) Printf(string, ...any) {}
func (quietly) Println(...any)        {}

// tracked lets a test hang up.
type tracked struct {
	net.Listener
	s *server
}

func (l tracked) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.s.mu.Lock()
		l.s.open[c] = true
		l.s.mu.Unlock()
	}
	return c, err
}

func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.Close()
		delete(s.open, c)
	}
}

func (s *server) got() []delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]delivered(nil), s.mails...)
}

func (s *server) sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began
}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	if s.hello != nil {
		s.hello(c.Hostname())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began++
	return &session{s: s}, nil
}

type session struct {
	s        *server
	from, to string
}

var _ smtp.AuthSession = (*session)(nil)

func (x *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if pass != "secret" {
			return &smtp.SMTPError{Code: 535, Message: "no"}
		}
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		x.s.users = append(x.s.users, user)
		return nil
	}), nil
}

func (x *session) Mail(from string, o *smtp.MailOptions) error {
	if x.s.ret != nil {
		x.s.ret(o.Return)
	}
	x.from = from
	return ask(x.s.mail, from)
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = to
	return ask(x.s.rcpt, to)
}

func ask(f func(string) error, address string) error {
	if f == nil {
		return nil
	}
	return f(address)
}

func (x *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if x.s.data != nil {
		if err := x.s.data(); err != nil {
			return err
		}
	}
	m, err := netmail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.mails = append(x.s.mails, delivered{x.from, x.to, m, string(body)})
	x.s.served <- struct{}{}
	return err
}

func (x *session) Reset() {}

func (x *session) Logout() error {
	x.s.bye <- struct{}{}
	return nil
}

// no is a server's refusal.
func no(code int, words string) func(string) error {
	return func(string) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: words}
	}
}

// vouched makes a certificate for this machine and the pool that trusts it.
func vouched(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// script is a server that says what no library would: it greets, answers each
// command by say, and hangs up when say returns nothing.
func script(t testing.TB, greeting string, say func(command string) string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			go converse(c, greeting, say)
		}
	}()
	return "smtp://" + l.Addr().String() + "?tls=none"
}

func converse(c net.Conn, greeting string, say func(string) string) {
	defer c.Close()
	if greeting == "" { // say has it
		if greeting = say(""); greeting == "" {
			return
		}
	}
	fmt.Fprintf(c, "%s\r\n", greeting)
	lines := bufio.NewScanner(c)
	for body := false; lines.Scan(); {
		command, _, _ := strings.Cut(lines.Text(), " ")
		if body && command != "." {
			continue
		}
		words := say(command)
		if words == "" {
			return
		}
		body = strings.HasPrefix(words, "354")
		fmt.Fprintf(c, "%s\r\n", words)
	}
}

// newSender makes a sender to url that is closed when t ends.
func newSender(t testing.TB, c Config) *Sender {
	t.Helper()
	c.From, c.Bounce = "Petschaft Zürich <portal@uni.example>", "help@uni.example"
	s, err := NewSender(c)
	if err != nil {
		t.Fatalf("make the sender: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

func letterTo(to string) Letter {
	return Letter{To: to, Subject: "Größe / Size", Text: "Grüße\n\n.punkt\n", HTML: "<p>Grüße</p>\n"}
}

// refusal fails t unless err is one.
func refusal(t testing.TB, err error) *Refusal {
	t.Helper()
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		t.Fatalf("got error %v, want a *Refusal in its chain", err)
	}
	return r
}
