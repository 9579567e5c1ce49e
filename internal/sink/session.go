package sink

import (
	"crypto/subtle"
	"io"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

var (
	authRequired = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	tlsRequired  = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Must issue a STARTTLS command first"}
	noSuchUser   = &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 1, 3}, Message: "Not an address"}
	notStored    = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Cannot store the mail"}
	goingAway    = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Shutting down"}
)

func (s *Sink) newServer() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, encrypted := c.TLSConnectionState()
		return &session{sink: s, encrypted: encrypted, known: s.cfg.Username == ""}, nil
	}))
	server.Domain = "sink.localhost"
	server.TLSConfig = s.cfg.TLS
	server.AllowInsecureAuth = s.cfg.TLS == nil
	server.MaxMessageBytes = maxMailBytes
	server.MaxRecipients = 100
	server.ReadTimeout = 5 * time.Minute
	server.WriteTimeout = time.Minute
	server.ErrorLog = silence{}
	return server
}

// silence drops go-smtp's lines on connections that broke: breaking them is
// what tests do.
type silence struct{}

func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}

// session is one connection since its last EHLO.
type session struct {
	sink      *Sink
	encrypted bool
	known     bool // authenticated, or nobody has to be
	from      string
	to        []string
}

func (c *session) AuthMechanisms() []string {
	if c.sink.cfg.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (c *session) Auth(mech string) (sasl.Server, error) {
	if c.sink.cfg.Username == "" || mech != sasl.Plain {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return sasl.NewPlainServer(func(_, user, password string) error {
		right := subtle.ConstantTimeCompare([]byte(user), []byte(c.sink.cfg.Username)) +
			subtle.ConstantTimeCompare([]byte(password), []byte(c.sink.cfg.Password))
		if right != 2 {
			return smtp.ErrAuthFailed
		}
		c.known = true
		return nil
	}), nil
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if c.sink.cfg.RequireTLS && !c.encrypted {
		return tlsRequired
	}
	if !c.known {
		return authRequired
	}
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if _, err := mail.ParseAddress("<" + to + ">"); err != nil {
		return noSuchUser
	}
	if rule := c.sink.rule(to); rule != nil {
		return rule
	}
	c.to = append(c.to, to)
	return nil
}

func (s *Sink) rule(to string) *smtp.SMTPError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rule, ok := s.rules[strings.ToLower(to)]; ok {
		return rule
	}
	return s.rules["*"]
}

func (c *session) Data(r io.Reader) error {
	m := Mail{From: c.from, To: c.to, Encrypted: c.encrypted, Received: c.sink.cfg.Now()}
	if c.sink.cfg.CountOnly {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
	} else {
		raw, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		m.parse(raw)
	}
	if err := c.sink.pause(); err != nil {
		return err
	}
	if err := c.sink.take(m); err != nil {
		return notStored
	}
	return nil
}

// pause waits the delay and fails when the sink closes meanwhile.
func (s *Sink) pause() error {
	s.mu.Lock()
	d := s.delay
	s.mu.Unlock()
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.done:
		return goingAway
	}
}

func (c *session) Reset() { c.from, c.to = "", nil }

func (c *session) Logout() error { return nil }

var _ smtp.AuthSession = (*session)(nil)
