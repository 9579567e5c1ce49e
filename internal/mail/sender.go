package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"sync"
	"time"
)

// ErrClosed is what Send returns after Close.
var ErrClosed = errors.New("the mail sender is closed")

// Sender carries letters to one mail server over connections that it keeps.
type Sender struct {
	route   route
	config  Config
	from    *netmail.Address
	slots   chan struct{} // one token for each connection in use
	idleFor time.Duration // an unused connection is closed after this
	dialFor time.Duration // connect, TLS and sign-in take at most this
	sendFor time.Duration // one mail takes at most this

	mu     sync.Mutex
	idle   []*conn // the one used last stands last
	closed bool
}

// NewSender checks c without touching the network; it reports all mistakes at
// once, in words that name the setting and hold no secret.
func NewSender(c Config) (*Sender, error) {
	var wrong []error
	note := func(setting string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s %w", setting, err))
		}
	}
	r, err := parseRoute(c.URL)
	note("PETSCHAFT_SMTP_URL", err)
	from, err := parseFrom(c.From)
	note("PETSCHAFT_MAIL_FROM", err)
	note("PETSCHAFT_MAIL_BOUNCE", checkAddress(c.Bounce))
	if c.Hello == "" {
		c.Hello = "localhost"
	}
	if c.Hello != "localhost" {
		note("PETSCHAFT_MAIL_EHLO", checkHello(c.Hello))
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if c.Connections <= 0 {
		c.Connections = 8
	}
	return &Sender{
		route: r, config: c, from: from,
		slots:   make(chan struct{}, c.Connections),
		idleFor: 30 * time.Second,
		dialFor: 30 * time.Second,
		sendFor: time.Minute,
	}, nil
}

// Send gives l to the mail server and returns its words of acceptance. An
// error in whose chain stands a *Refusal is the server's no, and Judge tells
// whom it is about; after any other the server was away or ctx ended, and
// nothing is known against the letter. It waits while all connections are in
// use. A server that went silent after the last line may have taken the mail
// all the same.
func (s *Sender) Send(ctx context.Context, l Letter) (string, error) {
	body, err := s.compose(l)
	if err != nil {
		return "", Unwritable(err)
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return "", fmt.Errorf("wait for a mail connection: %w", ctx.Err())
	}
	defer func() { <-s.slots }()

	c, err := s.take(ctx)
	if err != nil {
		return "", err
	}
	words, err := c.deliver(ctx, s.config.Bounce, l.To, body)
	if c.kept && errors.Is(err, errStale) {
		// The server had hung up meanwhile: nothing was offered, so a fresh
		// connection may offer it.
		c.cut()
		if c, err = s.dial(ctx); err != nil {
			return "", err
		}
		words, err = c.deliver(ctx, s.config.Bounce, l.To, body)
	}
	s.put(c, err)
	return words, err
}

// take returns a kept connection or a new one.
func (s *Sender) take(ctx context.Context) (*conn, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		c.expiry.Stop() // when it fired already, expire finds c gone from idle
		return c, nil
	}
	s.mu.Unlock()
	return s.dial(ctx)
}

// put keeps c for the next letter, if it is fit for one after err.
func (s *Sender) put(c *conn, err error) {
	if !c.fit(err) {
		c.cut()
		return
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		c.quit()
		return
	}
	c.kept = true
	c.expiry = time.AfterFunc(s.idleFor, func() { s.expire(c) })
	s.idle = append(s.idle, c)
	s.mu.Unlock()
}

func (s *Sender) expire(c *conn) {
	s.mu.Lock()
	for i, other := range s.idle {
		if other == c {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			s.mu.Unlock()
			c.quit()
			return
		}
	}
	s.mu.Unlock()
}

// Close takes leave of the server. Letters under way are still delivered.
func (s *Sender) Close() {
	s.mu.Lock()
	s.closed = true
	idle := s.idle
	s.idle = nil
	s.mu.Unlock()
	var leaving sync.WaitGroup
	for _, c := range idle {
		c.expiry.Stop()
		leaving.Go(c.quit)
	}
	leaving.Wait()
}
