package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// errStale marks a connection that broke before it took the mail's first line.
var errStale = errors.New("the mail connection is gone")

// conn is one conversation with the mail server, after the greeting.
type conn struct {
	raw     net.Conn
	smtp    *smtp.Client
	sendFor time.Duration
	kept    bool        // it carried a letter before
	expiry  *time.Timer // set while it is idle
}

// dial connects, secures and signs in. A server that says no to this has not
// seen the letter.
func (s *Sender) dial(ctx context.Context) (*conn, error) {
	ctx, done := context.WithTimeout(ctx, s.dialFor)
	defer done()
	raw, err := s.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("reach the mail server: %w", err)
	}
	hangUp := context.AfterFunc(ctx, func() { raw.Close() })
	client, err := s.greet(ctx, raw)
	if !hangUp() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		if _, answered := errors.AsType[*textproto.Error](err); answered {
			err = told(AtDoor, err, "")
		}
		return nil, fmt.Errorf("greet the mail server: %w", because(ctx, err))
	}
	return &conn{raw: raw, smtp: client, sendFor: s.sendFor}, nil
}

func (s *Sender) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.route.host, RootCAs: s.config.Roots, MinVersion: tls.VersionTLS12}
}

func (s *Sender) open(ctx context.Context) (net.Conn, error) {
	addr := net.JoinHostPort(s.route.host, s.route.port)
	if s.route.tls == implicitTLS {
		return (&tls.Dialer{Config: s.tlsConfig()}).DialContext(ctx, "tcp", addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
}

// greet lets go-mail say hello, start TLS and sign in over raw. It gets a
// client for each connection, because go-mail notes in the client which way of
// signing in the server lacks.
func (s *Sender) greet(ctx context.Context, raw net.Conn) (*smtp.Client, error) {
	port, err := strconv.Atoi(s.route.port)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{
		gomail.WithPort(port),
		gomail.WithTimeout(s.dialFor),
		gomail.WithHELO(s.config.Hello),
		gomail.WithTLSConfig(s.tlsConfig()),
		gomail.WithoutSMTPUTF8(), // every address is ASCII, every header encoded
		gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return raw, nil }),
	}
	switch s.route.tls {
	case startTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case implicitTLS:
		options = append(options, gomail.WithSSL())
	case noTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.route.user != "" {
		options = append(options, gomail.WithUsername(s.route.user), gomail.WithPassword(s.route.pass), s.signIn())
	}
	client, err := gomail.NewClient(s.route.host, options...)
	if err != nil {
		return nil, err
	}
	c, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, err
	}
	// A bounce quotes the headers alone (RFC 3461, 4.3): the link in the text is
	// not for those who read bounces.
	c.SetDSNMailReturnOption("HDRS")
	return c, nil
}

func (s *Sender) signIn() gomail.Option {
	if s.route.tls == noTLS { // on this machine only
		return gomail.WithSMTPAuth(gomail.SMTPAuthPlainNoEnc)
	}
	return gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin)
}

// deliver offers body to one recipient. RSET before is not needed: the last
// mail's end left no transaction open (RFC 5321, 4.1.1.4), and fit saw to the
// refused ones.
func (c *conn) deliver(ctx context.Context, bounce, to string, body []byte) (string, error) {
	hangUp := context.AfterFunc(ctx, c.cut)
	defer hangUp()
	if err := c.smtp.UpdateDeadline(c.sendFor); err != nil {
		return "", fmt.Errorf("%w: %w", errStale, because(ctx, err))
	}
	if err := c.smtp.Mail("<" + bounce + ">"); err != nil {
		return "", stale(because(ctx, told(AtSender, err, to)))
	}
	if err := c.smtp.Rcpt("<" + to + ">"); err != nil {
		return "", because(ctx, told(AtRecipient, err, to))
	}
	w, err := c.smtp.Data()
	if err != nil {
		return "", because(ctx, told(AtContent, err, to))
	}
	if _, err := w.Write(body); err != nil {
		return "", because(ctx, told(AtContent, err, to))
	}
	if err := w.Close(); err != nil {
		return "", because(ctx, told(AtContent, err, to))
	}
	if d, ok := w.(*smtp.DataCloser); ok {
		return answer(d.ServerResponse(), to), nil
	}
	return "", nil
}

// told sorts what came back instead of a yes: an answer becomes a Refusal,
// the rest an error without the server's words, which may hold the address.
func told(at Stage, err error, to string) error {
	if a, ok := errors.AsType[*textproto.Error](err); ok {
		if a.Code < 400 || a.Code > 599 {
			return fmt.Errorf("the mail server answered %d out of turn", a.Code)
		}
		return &Refusal{Stage: at, Code: a.Code, Status: statusIn(a.Code, a.Msg), Answer: answer(a.Msg, to)}
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("talk to the mail server: %w", err)
	}
	return errors.New("the mail server answered what is not SMTP")
}

// stale marks the failure of a mail's first line on a connection that broke
// there or was given up by the server (421).
func stale(err error) error {
	if r, ok := errors.AsType[*Refusal](err); ok && r.Code != 421 {
		return err
	}
	return fmt.Errorf("%w: %w", errStale, err)
}

// because names the end of ctx as the cause when that is what cut the line.
func because(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if _, ok := errors.AsType[*Refusal](err); ok {
		return err
	}
	return fmt.Errorf("%w (%w)", ctx.Err(), err)
}

// fit reports whether the connection can carry another letter after err. A
// refused mail may have left a transaction open, so that is taken back.
func (c *conn) fit(err error) bool {
	if err == nil {
		return c.smtp.HasConnection()
	}
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Code != 421 && c.smtp.Reset() == nil
}

// cut ends the conversation without a word.
func (c *conn) cut() { c.raw.Close() }

// quit takes leave, but does not wait long for an answer.
func (c *conn) quit() {
	if c.smtp.UpdateDeadline(2*time.Second) == nil {
		_ = c.smtp.Quit() // nothing hangs on a polite goodbye
	}
	c.cut()
}
